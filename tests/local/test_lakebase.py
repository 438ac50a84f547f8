"""Lakebase of the local workspace: real PostgreSQL, through the official client of the API and psycopg."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest
from databricks.sdk.errors import AlreadyExists, BadRequest, DatabricksError, NotFound
from databricks.sdk.service import iam, postgres

from local.settings import LocalSettings
from local.workspace.core.store import Store
from local.workspace.lakebase.documents import CREDENTIALS
from tests.local.conftest import LocalWorkspace, _wait
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

BRANCH = "projects/online/branches/production"
ENDPOINT = f"{BRANCH}/endpoints/primary"
ADMIN = "admin@churn.local"
Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace with one project."""
    started = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("lakebase"), free_base_port()))
    try:
        started.start()
        created(started.client(), "online")
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def runner(cloud: LocalWorkspace) -> iam.ServicePrincipal:
    """A service principal with a role of its own, and a database that belongs to it."""
    client = cloud.client()
    made = client.service_principals.create(display_name="runner")
    spec = postgres.RoleRoleSpec(
        postgres_role=made.application_id, identity_type=postgres.RoleIdentityType.SERVICE_PRINCIPAL
    )
    role = client.postgres.create_role(BRANCH, postgres.Role(spec=spec), role_id="runner").wait()
    owned = postgres.DatabaseDatabaseSpec(role=role.name or "", postgres_database="churn")
    client.postgres.create_database(BRANCH, postgres.Database(spec=owned), database_id="churn").wait()
    return made


def created(client: WorkspaceClient, name: str) -> postgres.Project:
    return client.postgres.create_project(postgres.Project(spec=postgres.ProjectSpec(pg_version=18)), name).wait()


def connect(
    client: WorkspaceClient, user: str | None, database: str = "databricks_postgres", password: str = ""
) -> Connection:
    status = client.postgres.get_endpoint(ENDPOINT).status
    assert status
    assert status.hosts
    host, _, port = (status.hosts.host or "").partition(":")
    password = password or client.postgres.generate_database_credential(ENDPOINT).token or ""
    return psycopg.connect(
        host=host, port=port, user=user, password=password, dbname=database, sslmode="disable", connect_timeout=10
    )


@pytest.mark.shows("lakebase: projects with a branch and an endpoint", client="databricks-sdk")
def test_a_project_has_a_branch_and_an_endpoint_that_answers(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    project = client.postgres.get_project("projects/online")
    assert project.status
    assert (project.status.pg_version, project.status.owner, project.status.default_branch) == (18, ADMIN, BRANCH)
    assert [branch.name for branch in client.postgres.list_branches("projects/online")] == [BRANCH]
    (endpoint,) = client.postgres.list_endpoints(BRANCH)
    assert endpoint.status
    assert endpoint.status.current_state == postgres.EndpointStatusState.ACTIVE
    with connect(client, ADMIN) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == (
            ADMIN,
            "databricks_postgres",
        )
        assert "PostgreSQL 18" in str(connection.execute("SELECT version()").fetchone())


@pytest.mark.shows("lakebase: a credential is the password of its principal's role alone", client="databricks-sdk")
@pytest.mark.shows("lakebase: a credential is the password of its principal's role alone", client="psycopg")
def test_a_credential_opens_the_role_of_its_principal_alone(
    cloud: LocalWorkspace, runner: iam.ServicePrincipal
) -> None:
    itself = cloud.client(cloud.token_of(runner.application_id or ""))
    with connect(itself, runner.application_id, "churn") as connection:
        connection.execute("CREATE SCHEMA churn")
    for client, user, password in (
        (itself, ADMIN, ""),
        (cloud.client(), runner.application_id, ""),
        (itself, runner.application_id, "wrong"),
        (itself, runner.application_id, itself.config.token or ""),
        (itself, "nobody", ""),
    ):
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            connect(client, user, "churn", password)


@pytest.mark.shows("lakebase: credentials expire", client="psycopg")
def test_a_credential_that_expired_is_refused(cloud: LocalWorkspace, runner: iam.ServicePrincipal) -> None:
    itself = cloud.client(cloud.token_of(runner.application_id or ""))
    password = itself.postgres.generate_database_credential(ENDPOINT).token or ""
    connect(itself, runner.application_id, "churn", password).close()
    store = Store(cloud.settings.home / "workspace.sqlite")
    for key, document in store.items(CREDENTIALS):
        document["expires"] = int(time.time() * 1000) - 1
        store.put(CREDENTIALS, key, document)
    store.close()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(itself, runner.application_id, "churn", password)
    with pytest.raises(BadRequest, match="300s to 3600s"):
        itself.api_client.do("POST", "/api/2.0/postgres/credentials", body={"endpoint": ENDPOINT, "ttl": "60s"})


@pytest.mark.shows("lakebase: a role has no rights until they are granted", client="psycopg")
def test_a_role_has_no_rights_until_they_are_granted(cloud: LocalWorkspace, runner: iam.ServicePrincipal) -> None:
    client = cloud.client()
    reader = client.service_principals.create(display_name="reader")
    group = client.groups.create(display_name="readers", members=[iam.ComplexValue(value=reader.id)])
    spec = postgres.RoleRoleSpec(postgres_role="readers", identity_type=postgres.RoleIdentityType.GROUP)
    client.postgres.create_role(BRANCH, postgres.Role(spec=spec), role_id="readers").wait()
    owner = cloud.client(cloud.token_of(runner.application_id or ""))
    itself = cloud.client(cloud.token_of(reader.application_id or ""))
    with connect(owner, runner.application_id, "churn") as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS private")
        connection.execute("CREATE TABLE private.rows AS SELECT 1 AS id")
    for statement in ("SELECT * FROM private.rows", "CREATE SCHEMA mine", "CREATE TABLE public.mine (id int)"):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            connect(itself, "readers", "churn") as connection,
        ):
            connection.execute(statement)
    with connect(owner, runner.application_id, "churn") as connection:
        connection.execute("GRANT USAGE ON SCHEMA private TO readers")
        connection.execute("GRANT SELECT ON private.rows TO readers")
    with connect(itself, "readers", "churn") as connection:
        assert connection.execute("SELECT * FROM private.rows").fetchall() == [(1,)]
    client.groups.delete(group.id or "")
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        connect(itself, "readers", "churn")


@pytest.mark.shows("lakebase: roles and databases, with their owners", client="databricks-sdk")
def test_roles_and_databases_are_changed_and_deleted(cloud: LocalWorkspace, runner: iam.ServicePrincipal) -> None:
    api = cloud.client().postgres
    spec = postgres.RoleRoleSpec(postgres_role="owner", auth_method=postgres.RoleAuthMethod.NO_LOGIN)
    role = api.create_role(BRANCH, postgres.Role(spec=spec), role_id="owner").wait()
    owned = postgres.DatabaseDatabaseSpec(role=role.name or "", postgres_database="first")
    database = api.create_database(BRANCH, postgres.Database(spec=owned), database_id="first").wait()
    with pytest.raises(BadRequest, match="cannot be dropped"):
        api.delete_role(role.name or "").wait()
    changed = postgres.DatabaseDatabaseSpec(role=f"{BRANCH}/roles/runner", postgres_database="second")
    api.update_database(
        database.name or "", postgres.Database(spec=changed), postgres.FieldMask(field_mask=["spec"])
    ).wait()
    owner = cloud.client(cloud.token_of(runner.application_id or ""))
    with connect(owner, runner.application_id, "second") as connection:
        connection.execute("CREATE TABLE public.mine (id int)")
    api.delete_database(database.name or "").wait()
    api.delete_role(role.name or "").wait()
    assert [each.role_id for each in api.list_roles(BRANCH) if each.role_id == "owner"] == []
    with pytest.raises(NotFound):
        api.get_database(database.name or "")


@pytest.mark.shows("lakebase: names and limits are checked as documented", client="databricks-sdk")
@pytest.mark.parametrize(
    ("name", "spec", "message"),
    [
        ("Online", {"pg_version": 18}, "lowercase"),
        ("1st", {"pg_version": 18}, "begin with a lowercase letter"),
        ("a" * 64, {"pg_version": 18}, "1 to 63"),
        ("other", {"pg_version": 18, "history_retention_duration": "60s"}, "172800s to 3024000s"),
        ("other", {"pg_version": 18, "display_name": ""}, "1 to 256"),
        ("other", {}, "PostgreSQL 17"),
        (
            "other",
            {"pg_version": 18, "default_endpoint_settings": {"suspend_timeout_duration": "5s"}},
            "60s to 604800s",
        ),
        (
            "other",
            {
                "pg_version": 18,
                "default_endpoint_settings": {"autoscaling_limit_min_cu": 8, "autoscaling_limit_max_cu": 4},
            },
            "at most 64",
        ),
    ],
)
def test_names_and_limits_are_checked(cloud: LocalWorkspace, name: str, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(DatabricksError, match=message):
        cloud.client().api_client.do(
            "POST", "/api/2.0/postgres/projects", query={"project_id": name}, body={"spec": spec}
        )


@pytest.mark.shows("lakebase: what belongs to a parent is not deleted alone", client="databricks-sdk")
def test_what_is_in_use_or_belongs_to_a_parent_stays(cloud: LocalWorkspace) -> None:
    api = cloud.client().postgres
    with pytest.raises(AlreadyExists):
        created(cloud.client(), "online")
    with pytest.raises(BadRequest, match="managed by its parent"):
        api.delete_endpoint(ENDPOINT)
    mask = postgres.FieldMask(field_mask=["spec"])
    api.update_branch(BRANCH, postgres.Branch(spec=postgres.BranchSpec(is_protected=True)), mask).wait()
    with pytest.raises(BadRequest, match="is protected"):
        api.delete_project("projects/online")
    api.update_branch(BRANCH, postgres.Branch(spec=postgres.BranchSpec(is_protected=False)), mask).wait()
    spec = postgres.RoleRoleSpec(postgres_role="nobody", identity_type=postgres.RoleIdentityType.SERVICE_PRINCIPAL)
    with pytest.raises(BadRequest, match="no service principal of that name"):
        api.create_role(BRANCH, postgres.Role(spec=spec))


@pytest.mark.shows("lakebase: deleted projects come back until they are purged", client="databricks-sdk")
def test_a_deleted_project_comes_back_with_its_data_until_purged(cloud: LocalWorkspace) -> None:
    api = cloud.client().postgres
    with connect(cloud.client(), ADMIN) as connection:
        connection.execute("CREATE TABLE public.kept AS SELECT 1 AS id")
    api.delete_project("projects/online").wait()
    with pytest.raises(psycopg.OperationalError):
        connect(cloud.client(), ADMIN, password="any")
    with pytest.raises(AlreadyExists):
        created(cloud.client(), "online")
    api.undelete_project("projects/online").wait()
    with connect(cloud.client(), ADMIN) as connection:
        assert connection.execute("SELECT id FROM public.kept").fetchone() == (1,)
    created(cloud.client(), "second")
    folders = {path.name for path in (cloud.settings.home / "postgres").iterdir()}
    second = api.get_project("projects/second").uid
    assert second in folders
    api.delete_project("projects/second", purge=True).wait()
    _wait(lambda: not (cloud.settings.home / "postgres" / str(second)).exists(), cloud)


@pytest.mark.shows("lakebase: what was committed survives kill -9 of PostgreSQL and of the workspace", client="psycopg")
def test_what_was_committed_survives_the_end_of_its_server(cloud: LocalWorkspace) -> None:
    client = cloud.client()
    with connect(client, ADMIN) as connection:
        connection.execute("CREATE TABLE public.safe AS SELECT 7 AS id")
    os.kill(_postmaster(cloud), signal.SIGKILL)
    _wait(lambda: _safe(client) == (7,), cloud)
    workspace = cloud.processes.pop("workspace")
    workspace.kill()
    workspace.wait()
    cloud.start()
    _wait(lambda: _safe(client) == (7,), cloud)
    ended = _postmaster(cloud)
    cloud.stop("workspace")
    assert not psutil.pid_exists(ended), "PostgreSQL ends with the workspace"
    cloud.start()
    _wait(lambda: _safe(client) == (7,), cloud)


def _postmaster(cloud: LocalWorkspace) -> int:
    uid = cloud.client().postgres.get_project("projects/online").uid
    return int((cloud.settings.home / "postgres" / str(uid) / "data" / "postmaster.pid").read_text().split()[0])


def _safe(client: WorkspaceClient) -> tuple[Any, ...] | None:
    try:
        with connect(client, ADMIN) as connection:
            return connection.execute("SELECT id FROM public.safe").fetchone()
    except psycopg.OperationalError:
        return None


def test_a_ttl_bounds_a_credential(cloud: LocalWorkspace) -> None:
    answer: Any = cloud.client().api_client.do(
        "POST", "/api/2.0/postgres/credentials", body={"endpoint": ENDPOINT, "ttl": "300s"}
    )
    made = postgres.DatabaseCredential.from_dict(answer)
    assert made.expire_time
    left = made.expire_time.ToDatetime().timestamp() - time.time()
    assert 0 < left <= timedelta(seconds=300).total_seconds()
