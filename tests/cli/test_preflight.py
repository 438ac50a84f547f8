"""`platform preflight` against a real local workspace: nothing is missing there, and each thing that may be is seen."""

from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import AccountClient
from databricks.sdk.errors import NotFound
from databricks.sdk.service import catalog, iam, pipelines, postgres, tags

from churn.core.contract import file_contracts
from cli.preflight import preflight
from infra.preflight import checks, identity, inspection, runs
from infra.preflight.__main__ import main
from infra.written import paths
from infra.written.paths import REPOSITORY
from infra.written.stacks import read_settings
from local.errors import LocalError
from local.settings import LocalSettings
from local.workspace.core.context import ACCOUNT_ID, ADMIN
from local.workspace.core.store import Store
from local.workspace.serving.documents import ENDPOINTS
from local.workspace.unity_catalog.documents import CATALOGS
from tests.golden import assert_matches
from tests.infra.program import engine_config, run
from tests.infra.stack_files import LOCAL, write_stack_file
from tests.local.conftest import LocalWorkspace
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databricks.sdk import WorkspaceClient

    from infra.preflight.inspection import Finding

    Missing = Callable[..., dict[str, Finding]]

RECORDS = Path(__file__).parent / "records"
DEV = REPOSITORY / "Pulumi.dev.yaml"
HOST, ID = "churn:platform.workspace.host", "churn:platform.workspace.id"
DEPLOYER, OWNER = "churn:platform.workspace.deployer", "churn:platform.groups.platform"
GROUND, ROOT, METASTORE = "churn:ground", "churn:ground.storage_root", "churn:platform.metastore_id"
ONE_GROUP = {"churn:account.groups": ["churn-platform"], "churn:account.members": {"churn-platform": [ADMIN]}}
NO_STREAM = {"churn:platform.stream": None}  # as a ground without Kafka requires
# Fields that the local workspace's catalogs have.
SETTINGS_OF_CATALOG = {"full_name": "churn_local", "enable_predictive_optimization": "INHERIT"}
# Of each type with a name of its own in the workspace: what the checks call it, and the input that has the name.
NAMES = {
    "Catalog": ("catalog", "name"),
    "StorageCredential": ("storage credential", "name"),
    "Credential": ("service credential", "name"),
    "ExternalLocation": ("external location", "name"),
    "ServicePrincipal": ("service principal", "displayName"),
    "Directory": ("folder", "path"),
    "ClusterPolicy": ("cluster policy", "name"),
    "SqlEndpoint": ("SQL warehouse", "name"),
    "SecretScope": ("secret scope", "name"),
    "Pipeline": ("pipeline", "name"),
    "Job": ("job", "name"),
    "ModelServing": ("serving endpoint", "name"),
    "PostgresProject": ("Lakebase project", "projectId"),
}
OTHER_ACCOUNT = dict.fromkeys(
    ("churn:platform.account_id", "churn:ground.aws.databricks_account_id"), "00000000-0000-0000-0000-000000000009"
)
# Privileges on the metastore that a ground in AWS needs, with Kafka in it, and what the checks call them.
PRIVILEGES = [
    catalog.Privilege.CREATE_CATALOG,
    catalog.Privilege.CREATE_STORAGE_CREDENTIAL,
    catalog.Privilege.CREATE_EXTERNAL_LOCATION,
    catalog.Privilege.CREATE_SERVICE_CREDENTIAL,
]
RIGHTS = [f"{privilege.value.replace('_', ' ')} on the metastore local" for privilege in PRIVILEGES]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace without Spark and MLflow, in which nothing was deployed."""
    started = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("cloud"), free_base_port()))
    try:
        started.start()
        _administered(started)
        yield started
    finally:
        started.stop()


def _administered(cloud: LocalWorkspace) -> None:
    """Gives the metastore an administrator, and takes their privileges on it from administrators of the workspace."""
    client = cloud.client()
    metastore = client.metastores.summary().metastore_id or ""
    admins = f"_workspace_admins_local_{client.get_workspace_id()}"
    taken = catalog.PermissionsChange(principal=admins, remove=PRIVILEGES)
    client.grants.update("metastore", metastore, changes=[taken])
    account = AccountClient(
        host=cloud.settings.workspace_url, account_id=ACCOUNT_ID, token=cloud.token, auth_type="pat"
    )
    account.metastores.update(metastore, metastore_info=catalog.UpdateAccountsMetastore(owner=ADMIN))


@pytest.fixture
def client(cloud: LocalWorkspace) -> Iterator[WorkspaceClient]:
    """Its administrator, and nothing left behind of what a test puts into the directory."""
    client = cloud.client()
    apis = (client.users, client.service_principals, client.groups)
    before = {item.id for api in apis for item in api.list()}
    yield client
    for api in apis:
        for item in api.list():
            if item.id and item.id not in before:
                api.delete(item.id)


@pytest.fixture
def missing(cloud: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Missing:
    """Looks at the workspace for a stack with some settings changed; gives what is missing, by what was looked at."""
    monkeypatch.setenv("DATABRICKS_TOKEN", cloud.token)
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")

    def look(changes: dict[str, Any], stack: str = "local", source: Path = LOCAL) -> dict[str, Finding]:
        file = write_stack_file(tmp_path, {HOST: cloud.settings.workspace_url, **changes}, stack, source)
        found = [found for _, group in checks.inspect(read_settings(file), offline=True) for found in group]
        assert len({finding.what for finding in found if finding.missing}) == sum(finding.missing for finding in found)
        return {finding.what: finding for finding in found if finding.missing}

    return look


def sign_in(
    cloud: LocalWorkspace, monkeypatch: pytest.MonkeyPatch, name: str = "ada@churn.local", *groups: str
) -> iam.User:
    """Makes a user in some groups, who asks from now on."""
    client = cloud.client()
    user = client.users.create(user_name=name)
    ids = {group.display_name: group.id for group in client.groups.list()}
    for group in groups:
        client.groups.patch(
            ids.get(group) or client.groups.create(display_name=group).id or "",
            schemas=[iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP],
            operations=[iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": user.id}])],
        )
    monkeypatch.setenv("DATABRICKS_TOKEN", cloud.token_of(name))
    return user


def test_nothing_is_missing_before_the_first_up(
    cloud: LocalWorkspace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", "https://other.example.com")
    assert preflight(cloud.settings, "local", offline=True) == 0
    shown = capfd.readouterr().out
    shown = shown.replace(str(cloud.settings.home), "HOME").replace(
        cloud.client().metastores.summary().metastore_id or "", "ID"
    )
    assert_matches(RECORDS / "preflight_all_well.txt", shown)


def test_everything_that_is_missing_is_said_at_once(
    cloud: LocalWorkspace,
    client: WorkspaceClient,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("Churn-Analysts", "churn-platform"):
        client.groups.create(display_name=name)
    sign_in(cloud, monkeypatch)
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
    changes = {
        HOST: cloud.settings.workspace_url,
        METASTORE: "00000000-0000-0000-0000-000000000003",
        **OTHER_ACCOUNT,
        "churn:platform.compute.serverless": False,
        "churn:platform.compute.spark_version": "17.9.x-scala2.13",
        "churn:platform.compute.node_type_id": "m9.huge",
        "churn:platform.team_groups": ["team-retention", "Team d'Étude  (Retention)"],
    }
    file = write_stack_file(tmp_path, changes, "dev", DEV)
    foreign = client.jobs.create(name="churn-dev-daily", tasks=[])
    try:
        with pytest.raises(SystemExit) as ended:
            main([str(file), "--offline"])
    finally:
        client.jobs.delete(foreign.job_id or 0)
    found = cloud.client().metastores.summary().metastore_id or ""
    shown = capsys.readouterr().out.replace(cloud.settings.workspace_url, "http://HOST").replace(found, "ID")
    assert_matches(RECORDS / "preflight_all_lacking.txt", f"{shown}{ended.value}\n")


def test_another_identity_is_seen(missing: Missing) -> None:
    assert missing({DEPLOYER: "Admin@churn.local"}).keys() == set()
    found = missing({DEPLOYER: "ada@churn.local"})
    assert found[DEPLOYER].allowed == "admin@churn.local, whose credentials these are"


def test_who_does_not_administer_the_workspace_is_seen(
    missing: Missing, cloud: LocalWorkspace, client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(cloud, monkeypatch, "ada@churn.local", "churn-platform")
    found = missing({DEPLOYER: "ada@churn.local"})
    assert found["group admins"].received == "ada@churn.local in churn-platform"
    assert found.keys() == {"group admins", *RIGHTS}


def test_a_deployer_who_is_no_member_of_the_owning_group_is_seen(missing: Missing, client: WorkspaceClient) -> None:
    nobody: dict[str, Any] = {"churn:account.members": {}}
    assert missing(nobody).keys() == {OWNER}, "made by the stack, without the deployer"
    group = client.groups.create(display_name="churn-platform")
    found = missing(nobody)[OWNER]
    assert found.received == "churn-platform without admin@churn.local"
    assert "direct member" in found.allowed
    members = [iam.ComplexValue(value=client.current_user.me().id)]
    client.groups.update(group.id or "", display_name="churn-platform", members=members)
    assert missing(nobody) == {}


@pytest.mark.parametrize(
    ("setting", "changes", "allowed"),
    [
        (ID, {ID: 17}, "410000000000000, which http://127.0.0.1:"),
        ("churn:platform.account_id", OTHER_ACCOUNT, "00000000-0000-0000-0000-000000000000"),
        (METASTORE, {METASTORE: "00000000-0000-0000-0000-000000000003"}, "which the workspace is attached to"),
    ],
)
def test_the_id_of_something_else_is_seen(
    missing: Missing, setting: str, changes: dict[str, Any], allowed: str
) -> None:
    found = missing(changes)
    assert found.keys() == {setting}
    assert allowed in found[setting].allowed


def test_ids_that_nobody_tells_are_not_compared(missing: Missing, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(host: str) -> None:
        raise ValueError(f"{host} has no metadata")

    monkeypatch.setattr(identity, "get_host_metadata", silent)
    assert missing({ID: None, **OTHER_ACCOUNT}) == {}


def test_a_workspace_without_a_metastore_is_seen(missing: Missing, monkeypatch: pytest.MonkeyPatch) -> None:
    def summary(_: catalog.MetastoresAPI) -> None:
        raise NotFound("No metastore assigned for the current workspace.")

    monkeypatch.setattr(catalog.MetastoresAPI, "summary", summary)
    found = missing({})
    assert found.keys() == {METASTORE}
    assert found[METASTORE].received == "a workspace without a metastore"


def test_a_group_that_nobody_has_made_is_seen(missing: Missing, client: WorkspaceClient) -> None:
    names = ["Team d'Étude", 'a "quoted" \\ name', "team-retention"]
    changes = {"churn:platform.team_groups": names, **ONE_GROUP}
    others = {f"group churn-{role}" for role in ("analysts", "engineers", "pii-readers", "scientists")}
    others |= {f"group churn-deliverers-{contract.domain}" for contract in file_contracts()}
    assert missing(changes).keys() == others | {f"group {name}" for name in names}
    for name in names:
        client.groups.create(display_name=name)
    assert missing(changes).keys() == others


def test_a_tag_that_the_account_does_not_govern_is_seen(missing: Missing, client: WorkspaceClient) -> None:
    whose = {"churn:account": None}
    found = {what: each for what, each in missing(whose).items() if "tag" in what}
    assert [*found] == ["governed tag classification", "governed tag row_filter"], "another stack makes them"
    assert {each.received for each in found.values()} == {"not governed"}
    made = [
        client.tag_policies.create_tag_policy(tags.TagPolicy(tag_key=key, values=[tags.Value(name=value)]))
        for key, value in (("classification", "public"), ("row_filter", "region"))
    ]
    try:
        found = {what: each for what, each in missing(whose).items() if "tag" in what}
        assert [*found] == ["governed tag classification"]
        assert found["governed tag classification"].received == "public"
        assert "confidential" in found["governed tag classification"].allowed
        assert missing({}) == {}, "this stack makes them"
    finally:
        for policy in made:
            client.tag_policies.delete_tag_policy(policy.tag_key)


def test_a_group_of_other_case_is_seen(missing: Missing, client: WorkspaceClient) -> None:
    client.groups.create(display_name="Team-Retention")
    found = missing(ONE_GROUP)
    assert found["group team-retention"].allowed == "Team-Retention, as the account writes it"


def test_a_metastore_without_a_root_is_seen(missing: Missing, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = {GROUND: {"storage_root": None}, **NO_STREAM}
    found = missing(nowhere)
    assert found.keys() == {ROOT}
    assert found[ROOT].received == "null, and the metastore local has no root either"
    whole = catalog.MetastoresAPI.summary
    monkeypatch.setattr(catalog.MetastoresAPI, "summary", lambda api: replace(whole(api), storage_root="s3://root"))
    assert missing(nowhere) == {}


def test_a_root_has_to_lie_in_an_external_location(
    missing: Missing, cloud: LocalWorkspace, client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = cloud.storage("lake")
    assert missing({GROUND: {"storage_root": f"{lake}s/churn"}, **NO_STREAM}).keys() == {ROOT}
    changes: dict[str, Any] = {GROUND: {"storage_root": f"{lake}/churn/"}, **NO_STREAM}
    assert missing(changes) == {}, "whoever asks owns the location"
    sign_in(cloud, monkeypatch, "ada@churn.local", "admins", "churn-platform", "keepers")
    changes[DEPLOYER] = "ada@churn.local"
    right = "CREATE MANAGED STORAGE on the external location lake"
    found = missing(changes)
    assert found.keys() == {RIGHTS[0], right}
    statement = "GRANT CREATE MANAGED STORAGE ON EXTERNAL LOCATION `lake` TO `ada@churn.local`"
    assert statement in found[right].remedy
    change = catalog.PermissionsChange(principal="keepers", add=[catalog.Privilege.CREATE_MANAGED_STORAGE])
    client.grants.update("external_location", "lake", changes=[change])
    assert missing(changes).keys() == {RIGHTS[0]}
    client.grants.update("external_location", "lake", changes=[replace(change, add=None, remove=change.add)])
    assert missing(changes).keys() == {RIGHTS[0], right}
    client.external_locations.update("lake", owner="keepers")
    assert missing(changes).keys() == {RIGHTS[0]}


def test_privileges_on_the_metastore_are_asked_for(
    missing: Missing, cloud: LocalWorkspace, client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    metastore = client.metastores.summary().metastore_id or ""
    sign_in(cloud, monkeypatch, "ada@churn.local", "admins", "churn-platform", "makers")
    found = missing({DEPLOYER: "ada@churn.local"})
    assert [*found] == RIGHTS
    assert "GRANT CREATE CATALOG ON METASTORE TO `ada@churn.local`" in found[RIGHTS[0]].remedy
    change = catalog.PermissionsChange(principal="makers", add=PRIVILEGES)
    client.grants.update("metastore", metastore, changes=[change])
    assert missing({DEPLOYER: "ada@churn.local"}) == {}
    client.grants.update("metastore", metastore, changes=[replace(change, add=None, remove=change.add)])


@pytest.mark.parametrize(
    ("changes", "rights"),
    [
        ({GROUND: {"storage_root": "s3://shore/churn"}, **NO_STREAM}, RIGHTS[:1]),
        ({GROUND: {"stack": "organization/churn/ground"}, **NO_STREAM}, RIGHTS[:3]),
        ({GROUND: {"stack": "organization/churn/ground", "kafka": True}}, RIGHTS),
        ({"churn:ground.aws.kafka": None, **NO_STREAM}, RIGHTS[:3]),
    ],
)
def test_a_ground_asks_for_what_it_uses(
    missing: Missing,
    cloud: LocalWorkspace,
    client: WorkspaceClient,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    rights: list[str],
) -> None:
    cloud.storage("shore")
    sign_in(cloud, monkeypatch, "ada@churn.local", "admins", "churn-platform", "shore-keepers")
    client.external_locations.update("shore", owner="shore-keepers")
    assert [*missing({DEPLOYER: "ada@churn.local", **changes})] == rights


def test_administrators_hold_what_databricks_gives_them(
    missing: Missing, cloud: LocalWorkspace, client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(cloud, monkeypatch, "ada@churn.local", "admins", "churn-platform")
    held = [catalog.EffectivePrivilege(privilege=privilege) for privilege in PRIVILEGES]
    answers: dict[str | None, catalog.EffectivePermissionsList] = {}
    monkeypatch.setattr(catalog.GrantsAPI, "get_effective", lambda *_, page_token=None, **__: answers[page_token])
    for number, gone in ((410000000000000, []), (17, RIGHTS)):
        principal = f"_workspace_admins_workspace_{number}"
        assignment = catalog.EffectivePrivilegeAssignment(principal=principal, privileges=held)
        answers[None] = catalog.EffectivePermissionsList(next_page_token="2")
        answers["2"] = catalog.EffectivePermissionsList(privilege_assignments=[assignment])
        assert [*missing({DEPLOYER: "ada@churn.local"})] == gone


def make_storage(client: WorkspaceClient) -> None:
    """Makes credentials and external locations with every name that the stack `local` uses."""
    role = catalog.AwsIamRole(role_arn="arn:aws:iam::123456789012:role/tests")
    storage = client.storage_credentials.create(
        "churn-local-storage", aws_iam_role=catalog.AwsIamRoleRequest(role.role_arn or "")
    )
    client.credentials.create_credential(
        "churn-local-kafka", aws_iam_role=role, purpose=catalog.CredentialPurpose.SERVICE
    )
    for purpose in ("catalog", "checkpoints", *(f"landing-{contract.domain}" for contract in file_contracts())):
        client.external_locations.create(
            f"churn-local-{purpose}", f"s3://{purpose}", storage.name or "", skip_validation=True
        )


def make_objects(cloud: LocalWorkspace, name: str) -> None:
    """Makes, as a user, objects with every name that the stack `local` uses.

    Catalog and endpoint are written into the store: to make them, Spark and a model are needed.
    """
    client = cloud.client(cloud.token_of(name))
    make_storage(client)
    for role in ("runner", "server"):
        principal = client.service_principals.create(display_name=f"churn-local-{role}")
        rules = f"accounts/{ACCOUNT_ID}/servicePrincipals/{principal.application_id}/ruleSets/default"
        rule = iam.GrantRule(role="roles/servicePrincipal.manager", principals=[f"users/{name}"])
        client.account_access_control_proxy.update_rule_set(
            rules, iam.RuleSetUpdateRequest(name=rules, etag="unset", grant_rules=[rule])
        )
    client.workspace.mkdirs("/churn-local")
    client.permissions.set(
        "directories",
        str(client.workspace.get_status("/churn-local").object_id),
        access_control_list=[iam.AccessControlRequest(user_name=name, permission_level=iam.PermissionLevel.CAN_MANAGE)],
    )
    for policy in ("jobs", "stream"):
        client.cluster_policies.create(name=f"churn-local-{policy}", definition="{}")
    client.warehouses.create(name="churn-local", cluster_size="2X-Small", max_num_clusters=1)
    for scope in ("churn-local", "churn-local-masks", "churn-local-erasure"):
        client.secrets.create_scope(scope)
    library = pipelines.PipelineLibrary(file=pipelines.FileLibrary(path="/Workspace/a.py"))
    for pipeline in ("bronze", "silver", "stream"):
        client.pipelines.create(
            name=f"churn-local-{pipeline}", catalog="c", schema="s", serverless=True, libraries=[library]
        )
    for job in ("daily", "bootstrap", "activity", "erase", "retention"):
        client.jobs.create(name=f"churn-local-{job}")
    spec = postgres.ProjectSpec(display_name="churn-local", pg_version=18)
    client.postgres.create_project(postgres.Project(spec=spec), "churn-local")
    store = Store(cloud.settings.home / "workspace.sqlite")
    store.put(CATALOGS, "churn_local", CATALOGS.document({"name": "churn_local", "owner": name} | SETTINGS_OF_CATALOG))
    store.put(ENDPOINTS, "e1", ENDPOINTS.document({"id": "e1", "name": "churn-local", "creator": name, "state": {}}))
    store.close()


def test_names_that_others_use_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = LocalWorkspace(LocalSettings(tmp_path / "home", free_base_port()))
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "pat")
    try:
        cloud.start()
        sign_in(cloud, monkeypatch, "eve@churn.local", "admins", "churn-platform")
        make_objects(cloud, "eve@churn.local")
        names = {}
        for deployer in ("eve@churn.local", "admin@churn.local"):
            monkeypatch.setenv("DATABRICKS_TOKEN", cloud.token_of(deployer))
            file = write_stack_file(tmp_path, {HOST: cloud.settings.workspace_url, DEPLOYER: deployer})
            names[deployer] = dict(checks.inspect(read_settings(file), offline=True))["names"]
    finally:
        cloud.stop()
    assert {finding.received for finding in names["eve@churn.local"]} == {"exists and is this platform's"}
    foreign = names["admin@churn.local"]
    assert {finding.received for finding in foreign} == {"exists, managed by eve@churn.local"}
    assert all(finding.missing for finding in foreign)
    assert len(foreign) == 24 + len(file_contracts())


@pytest.mark.usefixtures("missing")
@pytest.mark.parametrize("stack", ["local", "dev"])
def test_the_names_are_those_that_the_program_deploys(
    cloud: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: str
) -> None:
    zipfile.ZipFile(tmp_path / "churn-0.1.0-py3-none-any.whl", "w").close()
    monkeypatch.setattr(paths, "WHEELS", tmp_path)
    deployed = set()
    for resource in run(stack, engine_config(stack)).resources:
        words, field = NAMES.get(resource.type.rpartition(":")[2], ("", ""))
        if words and not (words == "folder" and resource.name != "folder"):
            deployed.add(f"{words} {resource.inputs[field]}")
    source = REPOSITORY / f"Pulumi.{stack}.yaml"
    settings = read_settings(write_stack_file(tmp_path, {HOST: cloud.settings.workspace_url}, stack, source))
    assert {finding.what for finding in dict(checks.inspect(settings, offline=True))["names"]} == deployed


def test_a_runtime_and_nodes_that_the_workspace_lacks_are_seen(missing: Missing) -> None:
    serverless, runtime, nodes = (
        f"churn:platform.compute.{name}" for name in ("serverless", "spark_version", "node_type_id")
    )
    found = missing({runtime: "17.9.x-scala2.13", nodes: "m6id.huge"})
    assert found[runtime].allowed == "a runtime of the workspace, such as 17.3.x-scala2.13"
    assert found[nodes].allowed == "an instance type of the workspace, such as m6id.2xlarge, m6id.xlarge"
    assert missing({runtime: "17.9.x-scala2.13", nodes: "m6id.huge", serverless: True, **NO_STREAM}) == {}


def test_packages_that_the_cloud_cannot_install_are_seen(
    missing: Missing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, tag in (("1.0", "py3-none-any"), ("2.0", "cp311-cp311-manylinux_2_28_x86_64")):
        with zipfile.ZipFile(tmp_path / f"small-{version}-{tag}.whl", "w") as wheel:
            folder = f"small-{version}.dist-info"
            wheel.writestr(f"{folder}/METADATA", f"Metadata-Version: 2.1\nName: small\nVersion: {version}\n")
            wheel.writestr(f"{folder}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
            wheel.writestr(f"{folder}/RECORD", "")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    lock = tmp_path / "requirements.txt"
    for version, says in (
        ("1.0", ""),
        ("2.0", "no wheels with a matching Python ABI tag"),
        ("3.0", "no version of"),
    ):
        lock.write_text(f"small=={version}\n")
        found = runs.resolved(lock)
        assert found.missing == bool(says)
        assert says in found.received
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert "`make setup` installs it" in runs.resolved(lock).remedy


def test_what_the_workspace_does_not_tell_is_a_finding(
    missing: Missing, cloud: LocalWorkspace, client: WorkspaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.service_principals.create(display_name="churn-local-runner")
    sign_in(cloud, monkeypatch, "ada@churn.local", "churn-platform")
    found = missing({DEPLOYER: "ada@churn.local"})["service principals"]
    assert found.received.startswith("PERMISSION_DENIED: ada@churn.local is not a manager by rule set")
    assert found.remedy == "let ada@churn.local read it, as administrators of the workspace may"


def test_a_workspace_that_cannot_be_asked_is_one_error(
    missing: Missing, cloud: LocalWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "ANSWER_SECONDS", 1)
    nowhere = f"http://127.0.0.1:{free_base_port()}"
    with pytest.raises(inspection.NoWorkspaceError, match=rf"{nowhere}: does not answer .*; remedy: correct churn:pl"):
        missing({HOST: nowhere})
    monkeypatch.setenv("DATABRICKS_TOKEN", "wrong")
    with pytest.raises(inspection.NoWorkspaceError, match=r"refuses who asks: no valid bearer token.*; remedy: set"):
        missing({})
    monkeypatch.delenv("DATABRICKS_TOKEN")
    with pytest.raises(inspection.NoWorkspaceError, match=f"{cloud.settings.workspace_url}: refuses who asks: .*auth"):
        missing({})


def test_a_stack_without_a_workspace_has_nothing_to_look_at() -> None:
    with pytest.raises(SystemExit, match=r"Pulumi\.account\.yaml: received no churn:platform"):
        main(["account"])


def test_a_stack_without_a_file_is_named() -> None:
    with pytest.raises(SystemExit, match=r"Pulumi\.nowhere\.yaml: received no such file"):
        main(["nowhere"])


def test_a_local_cloud_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="does not answer: `platform local start` starts it"):
        preflight(LocalSettings(tmp_path, free_base_port()), "local", offline=True)
