"""`platform erase`: a request to erase a customer, the run of the job that does it, and what was removed."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from cli.days import DAILY_JOB
from cli.errors import CommandError
from cli.jobs import follow
from cli.queries import rows

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

ERASURE_JOB = "churn_erase"
PREFIX = "request-"  # of requests in the scope, as the task `erase` looks for them
REMOVED = """
SELECT e.customer, r.place, sum(r.rows), count(r.origin)
FROM {{catalog}}.mlops.erasures e LEFT JOIN {{catalog}}.mlops.erased_rows r ON r.cause = e.customer
WHERE e.request = '{request}' GROUP BY e.customer, r.place ORDER BY r.place
"""


def erase(client: WorkspaceClient, outputs: dict[str, Any], customer: str) -> list[str]:
    """Asks for the erasure of a customer, runs the job, and returns what was removed, as lines.

    The request is a secret until it is done, so that neither the parameters of a run nor a statement names the
    customer. It stays when the run fails, and the next run of the job goes on with it.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        customer: Id of the customer, as source systems write it.

    Raises:
        CommandError: The id is blank, the stack has no such job, the daily job runs, or the run failed.
    """
    if not customer.strip():
        raise CommandError("the id of the customer is blank\n  → write it as source systems do")
    jobs = outputs.get("job_ids", {})
    if ERASURE_JOB not in jobs:
        raise CommandError(f"the stack has no job {ERASURE_JOB}\n  → deploy it")
    if daily := next(iter(client.jobs.list_runs(job_id=int(jobs[DAILY_JOB]), active_only=True)), None):
        raise CommandError(
            f"run {daily.run_id} of {DAILY_JOB} is active, and may take in rows of the customer meanwhile\n  → run the "
            "command again once it has ended"
        )
    scope, request = outputs["erasure_scope"], f"{PREFIX}{uuid.uuid4().hex}"
    asked = {"customer": customer.strip(), "requested_by": client.current_user.me().user_name}
    client.secrets.put_secret(scope, request, string_value=json.dumps(asked))
    follow(client, jobs[ERASURE_JOB], None)
    left = any(secret.key == request for secret in client.secrets.list_secrets(scope))
    return lines(rows(client, outputs, REMOVED.format(request=request)), left=left)


def lines(found: list[list[str]], *, left: bool) -> list[str]:
    """Writes what was removed for people.

    Args:
        found: Of each place the customer's hash, its name, rows (None where files went whole) and numbers of files.
        left: Whether the request is still open.
    """
    shown = [f"recorded in mlops.erasures as {found[0][0]}"] if found else []
    places = [row for row in found if row[1]]
    for _, place, removed, origins in places:
        shown.append(f"  {place:<32} {f'{int(removed):,} rows' if removed else f'{origins} files'}")
    if not places:
        shown.append("  no row was found under this id; what comes under it later is kept out")
    if left:
        shown.append(
            f"  not done: files in landing name the customer and cannot be read; after the next run of {DAILY_JOB}, "
            f"which sets them aside, run {ERASURE_JOB} again"
        )
    return shown
