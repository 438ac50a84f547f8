"""Days of the daily job that nobody has scored: which they are, and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.jobs import follow
from cli.queries import rows
from local.progress import console

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

DAILY_JOB = "churn_daily"
MISSING = """
    SELECT day FROM (
        SELECT explode(sequence(min(date), greatest(max(date), CAST({last} AS DATE)))) AS day
        FROM {{catalog}}.gold.churn_scores_daily
    ) LEFT ANTI JOIN (SELECT date AS day FROM {{catalog}}.gold.churn_scores_daily) USING (day) ORDER BY day
"""


def missing_days(client: WorkspaceClient, outputs: dict[str, Any], last: str | None = None) -> list[str]:
    """Returns the days without scores, in order, as YYYY-MM-DD.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        last: Last day to look at; None, or a day before it, stands for the last day that has scores.
    """
    statement = MISSING.format(last=f"'{last}'" if last else "NULL")
    return [day for (day,) in rows(client, outputs, statement)]


def run_missing(client: WorkspaceClient, outputs: dict[str, Any], last: str | None) -> None:
    """Runs the daily job for each day without scores, in order, and stops at the first that fails.

    Raises:
        CommandError: A run did not succeed; the text names its day and the days that are left.
    """
    days = missing_days(client, outputs, last)
    if not days:
        console.print("[green]✓[/green] no day is missing")
        return
    console.print(f"{len(days)} days are missing: {', '.join(days)}")
    for number, day in enumerate(days):
        console.print(f"[bold]{day}[/bold] ({number + 1} of {len(days)})")
        try:
            follow(client, outputs["job_ids"][DAILY_JOB], day)
        except CommandError as error:
            raise CommandError(
                f"{error}\n{day} failed; not run yet: {', '.join(days[number + 1 :]) or 'none'}\n"
                f"  → correct the cause; `platform run {DAILY_JOB} --missing` then runs the days that still lack scores"
            ) from error
