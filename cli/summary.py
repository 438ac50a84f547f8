"""The table at the end of `platform up`: what is deployed, how good the model is, where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.jobs import duration_seconds
from cli.queries import rows
from local.progress import console

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

SCORED = """
    SELECT count(*), max(date) FROM {catalog}.gold.churn_scores_daily
    WHERE date = (SELECT max(date) FROM {catalog}.gold.churn_scores_daily)
"""


def show_summary(client: WorkspaceClient, outputs: dict[str, Any]) -> None:
    """Prints the table from what the workspace itself answers.

    Raises:
        CommandError: A query failed.
    """
    job_id = int(outputs["job_ids"]["churn_daily"])
    run = next(iter(client.jobs.list_runs(job_id=job_id, completed_only=True)))
    model = client.registered_models.get(outputs["model"], include_aliases=True)
    version = {alias.alias_name: alias.version_num for alias in model.aliases or []}.get("champion")
    scored, date = _row(client, outputs, SCORED)
    for name, value in (
        ("workspace", outputs["workspace_url"]),
        ("churn_daily", f"run {run.run_id}, {duration_seconds(run):.0f} s: {run.run_page_url}"),
        ("model", f"{outputs['model']} version {version}, {_quality(client, outputs['model'], version)}"),
        ("scored", f"{int(scored):,} customers on {date}"),
        ("endpoint", outputs["endpoint_url"]),
        ("dashboard", outputs["dashboard_url"]),
        ("next", 'eval "$(.venv/bin/platform local env)", then any Databricks, MLflow or Pulumi client'),
    ):
        console.print(f"  [bold]{name:<12}[/bold] ", end="")
        console.print(str(value), markup=False)


def _quality(client: WorkspaceClient, model: str, version: int | None) -> str:
    """Quality of a version; the bootstrap model has no figure, it serves until there is history to train on."""
    model_version = client.model_versions.get(model, int(version or 0))
    run = client.experiments.get_run(model_version.run_id or "").run
    data = run.data if run else None
    if data and any((tag.key, tag.value) == ("bootstrap", "true") for tag in data.tags or []):
        return "the bootstrap model: not trained yet"
    auc = {metric.key: metric.value for metric in (data.metrics or [])}.get("auc") if data else None
    if auc is None:
        raise CommandError(f"the MLflow run {model_version.run_id} of {model} version {version} has no metric auc")
    return f"AUC {auc:.3f} on the holdout"


def _row(client: WorkspaceClient, outputs: dict[str, Any], statement: str) -> list[str]:
    found = rows(client, outputs, statement)
    if not found:
        raise CommandError(f"the query {statement!r} failed: no rows")
    return found[0]
