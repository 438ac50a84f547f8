"""`platform run` on a stack of the cloud: known from the shell's Pulumi backend, reached with its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service import jobs

from local.settings import LocalSettings
from tests.e2e.conftest import platform_command
from tests.local import wheel
from tests.local.conftest import LocalWorkspace
from tests.local.engine_programs import Program
from tests.local.job_tasks import WHEEL, create, task
from tests.ports import free_base_port

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

STACK, TABLE = "dev", "churn_dev.gold.churn_scores_daily"
TASK = f"""
import sys

from databricks.sdk import WorkspaceClient

def score():
    given = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
    if given["date"] == "2026-02-06":
        sys.exit("no deliveries")
    statement = f"INSERT INTO {TABLE} VALUES ('a', DATE'{{given['date']}}')"
    WorkspaceClient().statement_execution.execute_statement(statement, given["warehouse"], wait_timeout="50s")
"""
PROGRAM = """
import pulumi

for name, value in {outputs}.items():
    pulumi.export(name, value)
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace with Spark."""
    cloud = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("cloud"), free_base_port()))
    try:
        cloud.settings.tables.mkdir(parents=True)
        cloud.start_spark()
        cloud.start()
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="module")
def stack(cloud: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """A stack that says where a small daily job is; its scores have the days 1 and 3."""
    client = cloud.client()
    cloud.catalog("churn_dev")
    client.schemas.create("gold", "churn_dev")
    warehouse = client.warehouses.create(name="w", cluster_size="2X-Small", max_num_clusters=1, auto_stop_mins=10).id
    for statement in (
        f"CREATE TABLE {TABLE} (customer_id STRING, date DATE)",
        f"INSERT INTO {TABLE} VALUES ('a', DATE'2026-02-01'), ('a', DATE'2026-02-03')",
    ):
        client.statement_execution.execute_statement(statement, warehouse or "", wait_timeout="50s")
    wheel.build(
        cloud.settings.workspace_files / WHEEL.removeprefix("/Workspace/"), "tasks", TASK, {"score": "tasks:score"}
    )
    values = {"date": "{{job.parameters.date}}", "warehouse": warehouse}
    job_id = create(
        cloud, task("score", "score", parameters=values), parameters=[jobs.JobParameterDefinition("date", "")]
    )
    program = Program.create(tmp_path_factory.mktemp("stack"), name="churn", stack=STACK)
    outputs = {
        "job_ids": {"churn_daily": str(job_id)},
        "catalog": "churn_dev",
        "warehouse_id": warehouse,
        "workspace_url": cloud.settings.workspace_url,
    }
    program.write(PROGRAM.format(outputs=outputs))
    program.up()
    return program


def run(cloud: LocalWorkspace, stack: Program, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the command on a machine that has no local cloud, in the shell of somebody who deploys."""
    nowhere = LocalSettings(stack.folder / "nowhere", free_base_port())
    shell = {name: stack.environment[name] for name in stack.environment if name.startswith(("PULUMI_", "PATH"))}
    credentials = {"DATABRICKS_TOKEN": token or cloud.token, "DATABRICKS_HOST": "https://another.example"}
    return platform_command(nowhere, "run", *arguments, "--stack", STACK, **shell, **credentials)


def test_missed_days_of_a_stack_in_the_cloud_are_run_in_order(cloud: LocalWorkspace, stack: Program) -> None:
    done = run(cloud, stack, "churn_daily", "--missing", "--date", "2026-02-04")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 days are missing: 2026-02-02, 2026-02-04" in done.stdout
    assert done.stdout.index("2026-02-02 (1 of 2)") < done.stdout.index("2026-02-04 (2 of 2)")
    again = run(cloud, stack, "churn_daily", "--missing", "--date", "2026-02-04")
    assert "no day is missing" in again.stdout, again.stdout + again.stderr


def test_a_day_that_fails_stops_the_rest(cloud: LocalWorkspace, stack: Program) -> None:
    done = run(cloud, stack, "churn_daily", "--missing", "--date", "2026-02-07")
    assert done.returncode == 1
    assert "no deliveries" in done.stderr
    assert "2026-02-06 failed; not run yet: 2026-02-07" in done.stderr
    (day,) = run_days(cloud)[-1:]
    assert day == "2026-02-06"


def test_what_cannot_be_reached_is_said(cloud: LocalWorkspace, stack: Program) -> None:
    no_job = run(cloud, stack, "churn_hourly")
    assert "no deployed job 'churn_hourly'; there are: churn_daily" in no_job.stderr
    refused = run(cloud, stack, "churn_daily", token="wrong")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: ")
    assert "Traceback" not in refused.stderr


def run_days(cloud: LocalWorkspace) -> list[str | None]:
    """Days of the runs so far, in order."""
    runs = sorted(cloud.client().jobs.list_runs(), key=lambda listed: listed.start_time or 0)
    return [parameter.value for listed in runs for parameter in listed.job_parameters or []]
