"""Who deploys: a service principal with just the rights of the first deployment, and another one after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service import catalog, iam

from cli.wheel import build_wheel
from local.settings import LocalSettings
from tests.e2e.programs import (
    GROUND,
    PLATFORM,
    configure,
    join,
    platform_section,
    prepare,
    program_of,
    targets,
)
from tests.local.conftest import LocalWorkspace
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

STACK = "qa"
# All that no run has to fill first.
DEPLOYED = [
    *targets(
        "GroupEntitlements",
        "Classified",
        "Storage",
        "Area",
        "Model",
        "Artifacts",
        "Tracking",
        "Compute",
        "Pipelines",
        "Jobs",
        "Erasure",
    ),
    *("--target", "**::catalog-access**", "--target", "**::access**"),  # grants on tables wait for masks
]
# Of step 3 of the first deployment in docs/operations.md.
ON_METASTORE = [
    catalog.Privilege.CREATE_CATALOG,
    catalog.Privilege.CREATE_STORAGE_CREDENTIAL,
    catalog.Privilege.CREATE_SERVICE_CREDENTIAL,
    catalog.Privilege.CREATE_EXTERNAL_LOCATION,
]
# What the refusal of a storage_root asks for, where the location is somebody else's.
ON_LOCATION = [catalog.Privilege.CREATE_MANAGED_STORAGE]


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace with Spark and MLflow, with the groups and the external location that the account has made."""
    local = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("workspace"), free_base_port()))
    build_wheel(local.settings.logs / "install-wheel.log", lambda _: None)
    try:
        local.settings.tables.mkdir(parents=True)
        local.start_spark()
        local.start_mlflow()
        local.start()
        prepare(local, "churn-readers")
        local.storage("given")
        yield local
    finally:
        local.stop()


def deployer(workspace: LocalWorkspace, name: str) -> str:
    """A new service principal with what the first deployment needs; returns its application id."""
    client = workspace.client()
    made = client.service_principals.create(display_name=name)
    for group in ("admins", "churn-platform"):
        join(workspace, group, made.id or "")
    metastore = client.metastores.current().metastore_id or ""
    for kind, securable, rights in (
        ("metastore", metastore, ON_METASTORE),
        ("external_location", "given", ON_LOCATION),
    ):
        change = catalog.PermissionsChange(add=rights, principal=made.application_id)
        client.grants.update(kind, securable, changes=[change])
    return made.application_id or ""


def owner_of(client: WorkspaceClient, kind: str, identifier: str) -> str | None:
    """The principal that owns an object."""
    entries = client.permissions.get(kind, identifier).access_control_list or []
    (owner,) = [
        entry.service_principal_name or entry.user_name
        for entry in entries
        for held in entry.all_permissions or []
        if held.permission_level is iam.PermissionLevel.IS_OWNER
    ]
    return owner


def test_who_deploys_can_be_replaced(workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    first, second = deployer(workspace, "first-deployer"), deployer(workspace, "second-deployer")
    ground = {"storage_root": "s3://given/churn", "protect_data": False}
    platform = platform_section(workspace, deployer=first)
    program = program_of(workspace, tmp_path_factory.mktemp("stack") / "program", STACK)
    program.environment["DATABRICKS_TOKEN"] = workspace.token_of(first)
    configure(program, STACK, {GROUND: ground, PLATFORM: platform})
    program.up(*DEPLOYED)
    client = workspace.client()
    made = client.catalogs.get("churn_qa")
    assert (made.owner, made.storage_root) == ("churn-platform", "s3://given/churn")

    program.environment["DATABRICKS_TOKEN"] = workspace.token_of(second)
    assert f"received {first}; Pulumi runs as {second}" in program.preview(succeeds=False)
    platform["workspace"]["deployer"] = second
    platform["warehouse"]["auto_stop_minutes"] += 5
    platform["daily"]["task_timeout_minutes"] += 5
    platform["compute"]["spark_conf"] = {"spark.sql.shuffle.partitions": "3"}  # of pipelines
    platform["groups"]["pii_readers"] = "churn-readers"  # in grants, permissions and secrets
    configure(program, STACK, {GROUND: ground, PLATFORM: platform})
    changed = program.up(*DEPLOYED, "--refresh")  # which sees who owns what a group cannot own
    assert " updated" in changed
    reading = client.grants.get("catalog", "churn_qa", principal="churn-readers").privilege_assignments
    assert reading, changed
    for job in client.jobs.list(expand_tasks=True):
        assert {task.timeout_seconds for task in job.settings.tasks if job.settings} == {65 * 60}
        assert owner_of(client, "jobs", str(job.job_id)) == second
    for pipeline in client.pipelines.list_pipelines():
        spec = client.pipelines.get(pipeline.pipeline_id or "").spec
        assert spec is not None
        assert (spec.configuration or {})["spark.sql.shuffle.partitions"] == "3"
        assert owner_of(client, "pipelines", pipeline.pipeline_id or "") == second
    program.preview(*DEPLOYED, "--refresh", "--expect-no-changes")
    program.run("destroy", "--yes", "--skip-preview")
    assert "churn_qa" not in {found.name for found in client.catalogs.list()}
    assert list(client.warehouses.list()) == []


def test_a_catalog_lies_in_the_storage_root_that_the_metastore_has(
    workspace: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where the settings name no other, as for metastores of some years ago."""
    client = workspace.client()
    metastore = client.metastores.current().metastore_id or ""
    workspace.root_metastore("s3://old/root")
    join(workspace, "churn-platform", client.current_user.me().id or "")
    program = program_of(workspace, tmp_path_factory.mktemp("stack") / "program", STACK)
    ground = {"storage_root": None, "protect_data": False}
    configure(program, STACK, {GROUND: ground, PLATFORM: platform_section(workspace)})
    program.up(*targets("Storage"))
    made = client.catalogs.get("churn_qa")
    assert made.storage_root is None
    assert (made.storage_location or "").startswith(f"s3://old/root/{metastore}/catalogs/")
    assert client.schemas.get("churn_qa.silver").full_name
    program.preview(*targets("Storage"), "--refresh", "--expect-no-changes")
    program.run("destroy", "--yes", "--skip-preview")
    assert "churn_qa" not in {found.name for found in client.catalogs.list()}
