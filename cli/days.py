"""Days of the daily job that nobody has scored: which they are, and their runs."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from churn.core.logical_date import logical_date
from cli.errors import CommandError
from cli.jobs import follow
from cli.queries import rows
from local.progress import console

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

DAILY_JOB = "churn_daily"
TRIGGERED = "{{job.trigger.time.iso_datetime}}"  # what Databricks replaces by the moment, in UTC
MISSING = """
    SELECT day FROM (
        SELECT explode(sequence(min(date), greatest(max(date), CAST({last} AS DATE)))) AS day
        FROM {{catalog}}.gold.churn_scores_daily
    ) LEFT ANTI JOIN (SELECT date AS day FROM {{catalog}}.gold.churn_scores_daily) USING (day) ORDER BY day
"""


def missing_days(client: WorkspaceClient, outputs: dict[str, Any], last: str) -> list[str]:
    """Returns the days without scores, in order, as YYYY-MM-DD.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        last: Last day to look at; a day before it stands for the last day that has scores.
    """
    statement = MISSING.format(last=f"'{last}'")
    return [day for (day,) in rows(client, outputs, statement)]


def day_of(moment: datetime, client: WorkspaceClient, outputs: dict[str, Any]) -> str:
    """The logical date of a run of the daily job that is triggered at a moment, as YYYY-MM-DD.

    Raises:
        CommandError: The job's default for the parameter `date` names no day.
    """
    settings = client.jobs.get(int(outputs["job_ids"][DAILY_JOB])).settings
    defaults = {each.name: each.default for each in (settings.parameters or [] if settings else [])}
    text = defaults.get("date", "").replace(TRIGGERED, moment.isoformat())
    try:
        return logical_date(text).isoformat()
    except ArgumentTypeError as error:
        raise CommandError(
            f"the default of {DAILY_JOB}'s parameter date: {error}; or name the day by --date"
        ) from error


def run_missing(client: WorkspaceClient, outputs: dict[str, Any], last: str | None) -> None:
    """Runs the daily job for each day without scores, in order, and stops at the first that fails.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        last: Last day to look at, YYYY-MM-DD; None for the day of a run that began now.

    Raises:
        CommandError: A run did not succeed; the text names its day and the days that are left.
    """
    last = last or day_of(datetime.now(UTC), client, outputs)
    days = missing_days(client, outputs, last)
    if not days:
        console.print(f"[green]✓[/green] no day is missing up to {last}")
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
