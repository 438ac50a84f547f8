"""The whole program under mocks, for each stack."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

import pulumi_databricks as databricks
import pytest
from pulumi._types import input_type_types, is_input_type
from pulumi.runtime import rpc

from infra.names import MARTS
from tests.infra.conftest import STACKS
from tests.infra.program import SERVER, Program, Registered, engine_config, run, without_a_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPORTS = [
    "catalog",
    "dashboard_url",
    "endpoint_name",
    "endpoint_url",
    "erasure_scope",
    "job_ids",
    "model",
    "online_store",
    "pipeline_ids",
    "secret_scope",
    "warehouse_id",
    "workspace_url",
]
KEEPING = ("churn_erase", "churn_retention")
# What a ground in AWS gives besides; a stack exports what it has.
GROUND_EXPORTS = [
    "catalog_url",
    "checkpoints_url",
    "kafka_bootstrap_brokers",
    "kafka_topics",
    "key_arns",
    "logs_bucket",
    "nodes_group_id",
    "raw_url",
    "role_arns",
    "subnet_ids",
    "vpc_id",
    "storage_root",
    "workspace_bucket",
]
OTHER_EXPORTS = {
    "dev": [*GROUND_EXPORTS, "control_plane_endpoint_ids", "kafka_services"],
    "local": [*GROUND_EXPORTS, "control_plane_endpoint_ids", "metastore_id"],
    "prod": [*GROUND_EXPORTS, "workspace_host", "workspace_id"],
}
NOTIFYING = {"churn_stream", "churn_activity", "stream-lag"}  # of the stream's parts
PLATFORM = "churn-platform"  # the group that owns everything
# Classes that hold data, or whose deletion deletes data, or members of groups, or secrets.
HOLD_DATA = (
    "Catalog",
    "Directory",
    "ExternalLocation",
    "Group",
    "MlflowExperiment",
    "MwsWorkspaces",
    "Pipeline",
    "PostgresDatabase",
    "PostgresProject",
    "RegisteredModel",
    "Schema",
    "SecretScope",
    "StorageCredential",
    "Volume",
)
# Classes whose objects have no name of their own, and what identifies them instead.
IDENTITY = {
    "AlertV2": "displayName",
    "Dashboard": "displayName",
    "Directory": "path",
    "Entitlements": "groupId",
    "EntityTagAssignment": "entityName",
    "File": "path",
    "Grant": "principal",
    "Grants": "grants",
    "Group": "displayName",
    "GroupMember": "memberId",
    "MetastoreAssignment": "metastoreId",
    "MwsCredentials": "credentialsName",
    "MwsCustomerManagedKeys": "awsKeyInfo",
    "MwsNccBinding": "networkConnectivityConfigId",
    "MwsNccPrivateEndpointRule": "endpointService",
    "MwsNetworks": "networkName",
    "MwsPermissionAssignment": "principalId",
    "MwsStorageConfigurations": "storageConfigurationName",
    "MwsWorkspaces": "workspaceName",
    "PermissionAssignment": "groupName",
    "Permissions": "accessControls",
    "SecretAcl": "principal",
    "PostgresDatabase": "databaseId",
    "PostgresEndpoint": "endpointId",
    "PostgresProject": "projectId",
    "PostgresRole": "roleId",
    "ServicePrincipal": "displayName",
    "ServicePrincipalSecret": "servicePrincipalId",
    "TagPolicy": "tagKey",
    "WorkspaceFile": "path",
    "WorkspaceNetworkOption": "networkPolicyId",
}


def class_name(resource: Registered) -> str:
    return resource.type.rsplit(":", 1)[-1]


def input_types(annotation: Any) -> list[type]:
    """The SDK's input types inside an annotation such as Sequence[Union[JobTaskArgs, Awaitable, Output]]."""
    if is_input_type(annotation):
        return [annotation]
    return [found for argument in get_args(annotation) for found in input_types(argument)]


def unknown_keys(value: Any, annotation: Any, path: str) -> list[str]:
    """Paths of keys that the pinned SDK's input type does not have; the SDK itself does not look."""
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in unknown_keys(item, annotation, f"{path}[{i}]")]
    types = input_types(annotation)
    if not isinstance(value, dict) or not types:
        return []
    known = input_type_types(types[0])
    return [
        found
        for key, item in value.items()
        for found in (unknown_keys(item, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}"])
    ]


def faults_of(resource: Registered) -> list[str]:
    """Unknown keys of all inputs of a Databricks resource, nested ones too."""
    args = getattr(databricks, f"{class_name(resource)}Args")
    known = input_type_types(args)
    return [
        found
        for key, value in resource.inputs.items()
        for found in (unknown_keys(value, known[key], key) if key in known else [key])
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_every_key_is_known_to_the_pinned_sdk(stack: str, programs: dict[str, Program]) -> None:
    program = programs[stack]
    found = [f"{r.name}: {fault}" for r in program.resources if r.databricks for fault in faults_of(r)]
    assert found == []


def test_a_misspelt_nested_key_would_be_found() -> None:
    tasks = [{"taskKey": "a", "pipelineTsk": {}}, {"taskKey": "b", "pythonWheelTask": {"packageNme": "churn"}}]
    job = Registered("databricks:index/job:Job", "j", "", "", {"tasks": tasks, "nme": 1}, True, False, False, "", ())
    assert faults_of(job) == ["tasks[0].pipelineTsk", "tasks[1].pythonWheelTask.packageNme", "nme"]


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_the_explicit_provider(stack: str, programs: dict[str, Program]) -> None:
    program = programs[stack]
    components = {r.urn: r.type for r in program.resources if r.type.startswith("churn:")}
    tags = "tags" if stack == "account" else "workspace"
    own = {"churn:account:TagPolicies": tags, "churn:ground:Workspace": "account-of-workspace"}
    usual = {"aws": "aws", "databricks": "account" if stack == "account" else "workspace"}
    own_of_class = {"ModelServing": "server", "Grant": "made-workspace"}
    used = [
        (
            r.type,
            r.provider,
            own_of_class.get(class_name(r)) or own.get(components.get(r.parent, ""), usual[r.type.split(":")[0]]),
        )
        for r in program.resources
        if r.type.split(":")[0] in usual
    ]
    # Whoever deploys a platform is in the directory of the account before there is a workspace.
    deployer = {"databricks:index/getServicePrincipal:getServicePrincipal": "account-of-workspace"}
    calls = deployer if stack == "prod" else {}
    used += [(c.token, c.provider, calls.get(c.token, usual[c.token.split(":")[0]])) for c in program.calls]
    assert used
    for token, provider, expected in used:
        assert provider.split("::")[-2] == expected, token


def test_the_provider_takes_its_host_from_the_settings(program: Program) -> None:
    providers = {r.name: r.inputs for r in program.resources if r.type == "pulumi:providers:databricks"}
    workspace = json.loads(engine_config(program.stack)["churn:platform"])["workspace"]
    place = {"host": program.outputs["workspace_url"], "workspaceId": str(workspace["id"])}
    assert providers["workspace"] == place
    assert rpc.is_rpc_secret(providers["server"]["clientSecret"]), "the state keeps it as a secret"
    as_server = {"authType": "oauth-m2m", "clientId": SERVER, "clientSecret": providers["server"]["clientSecret"]}
    assert providers["server"] == place | as_server
    others = {"account-of-workspace", "made-workspace"} if program.stack == "prod" else set()
    assert set(providers) == {"workspace", "server"} | others


def test_the_provider_of_the_account_takes_its_host_from_the_settings(programs: dict[str, Program]) -> None:
    providers = {r.name: r.inputs for r in programs["account"].resources if r.type == "pulumi:providers:databricks"}
    account = json.loads(engine_config("account")["churn:account"])
    assert providers == {
        "account": {"host": account["console"]["host"], "accountId": account["console"]["account_id"]},
        "tags": {"host": account["tags_workspace"]},
    }


def test_every_resource_lies_in_a_component_of_one_pattern(program: Program) -> None:
    components = {r.urn: r for r in program.resources if r.type.startswith("churn:")}
    for resource in program.resources:
        if resource.databricks:
            assert resource.parent in components, resource.urn
    for component in components.values():
        _, module, name = component.type.split(":")
        assert module.islower()
        assert name[0].isupper()


def test_every_component_registers_its_outputs(program: Program) -> None:
    for resource in program.resources:
        if resource.type.startswith("churn:"):
            assert resource.urn in program.finished, resource.urn


def test_every_object_has_an_explicit_name(program: Program) -> None:
    for resource in program.resources:
        if resource.databricks:
            assert resource.inputs.get(IDENTITY.get(class_name(resource), "name")), resource.urn


def test_what_holds_data_is_protected_by_setting(program: Program, programs: dict[str, Program]) -> None:
    protect = program is not programs["dev"]
    for resource in program.resources:
        if resource.databricks:
            holds_data = class_name(resource) in HOLD_DATA and not resource.kept  # what is kept outlives its resource
            assert resource.protect == (protect and holds_data), resource.urn
            for destroys_content in ("forceDestroy", "deleteRecursive", "purgeOnDelete"):
                assert resource.inputs.get(destroys_content, not protect) == (not protect), resource.urn


def test_the_endpoint_serves_the_champion_after_the_bootstrap(program: Program) -> None:
    endpoint = program.of("ModelServing")["endpoint"]
    entity = endpoint.inputs["config"]["servedEntities"][0]
    assert entity["entityVersion"] == "3"
    assert entity["entityName"] == program.outputs["model"]
    bootstrap = program.of("RunOnce")["bootstrap"]
    assert bootstrap.urn in endpoint.dependencies
    assert bootstrap.inputs["host"] == program.outputs["workspace_url"]


def test_pipelines_find_their_folders(program: Program) -> None:
    admitted = program.of("Pipeline")["churn_bronze"].inputs["configuration"]["churn.admitted"]
    domains = ("customer", "marketing", "support", "transactions", "usage")
    assert {file.inputs["path"] for file in program.of("File").values()} == {f"{admitted}/{d}/_keep" for d in domains}


@pytest.mark.parametrize(("name", "tables"), [("dashboard", MARTS), ("stream-dashboard", ["mlops.stream_freshness"])])
def test_a_dashboard_reads_tables_of_its_catalog(program: Program, name: str, tables: Sequence[str]) -> None:
    dashboard = program.of("Dashboard")[name].inputs
    assert dashboard["warehouseId"] == "warehouse-id"
    assert "${" not in dashboard["serializedDashboard"]
    read = set(re.findall(rf"{program.outputs['catalog']}\.\w+\.\w+", dashboard["serializedDashboard"]))
    assert read == {f"{program.outputs['catalog']}.{table}" for table in tables}


def test_exports(program: Program) -> None:
    assert sorted(program.outputs) == sorted([*EXPORTS, *OTHER_EXPORTS[program.stack]])
    assert sorted(program.outputs["job_ids"]) == [
        *("churn_activity", "churn_bootstrap", "churn_daily", "churn_erase", "churn_retention")
    ]
    assert sorted(program.outputs["pipeline_ids"]) == ["churn_bronze", "churn_silver", "churn_stream"]


def test_names_of_catalogs(programs: dict[str, Program]) -> None:
    names = {stack: program.outputs.get("catalog") for stack, program in programs.items()}
    assert names == {"local": "churn_local", "dev": "churn_dev", "prod": "churn", "account": None}


@pytest.mark.parametrize(
    ("section", "key", "value", "changed"),
    [
        ("warehouse", "auto_stop_minutes", 30, {"warehouse"}),
        ("compute", "workers", 2, {"policy", "churn_daily", "churn_bootstrap", *KEEPING}),
        ("daily", "paused", False, {"churn_daily", "churn_retention", "data-quality"}),
        ("daily", "retention_cron", "0 0 13 ? * SAT", {"churn_retention"}),
        (
            "daily",
            "notify",
            ["a@b.c"],
            {
                "churn_daily",
                "churn_bootstrap",
                "churn_stream",
                "churn_activity",
                "stream-lag",
                "data-quality",
                *KEEPING,
            },
        ),
        ("stream", "notify", ["a@b.c"], {"churn_stream", "churn_activity", "stream-lag"}),
        ("stream", "trigger_seconds", 60, {"churn_activity", "activity-run"}),
        ("stream", "features_days", 7, {"churn_activity", "activity-run"}),
        ("stream", "maximum_lag_minutes", 60, {"churn_daily", "stream-lag"}),
        ("stream", "wait_minutes", 60, {"churn_daily"}),
        ("training", "horizon_days", 60, {"churn_daily"}),
        ("serving", "scale_to_zero", False, {"endpoint"}),
    ],
)
def test_one_setting_changes_just_what_it_should(
    programs: dict[str, Program], section: str, key: str, value: object, changed: set[str]
) -> None:
    config = engine_config("local")
    platform = json.loads(config["churn:platform"])
    platform[section][key] = value
    again = run("local", config | {"churn:platform": json.dumps(platform)})
    before = {r.urn: r.inputs for r in programs["local"].resources}
    assert {r.urn for r in again.resources} == set(before)
    assert {r.name for r in again.resources if before[r.urn] != r.inputs} == changed


def test_serverless_compute_changes_the_jobs_alone(wheels: object) -> None:
    config = without_a_stream("local")
    platform = json.loads(config["churn:platform"])
    serverless = json.dumps(platform | {"compute": platform["compute"] | {"serverless": True}})
    before, again = run("local", config), run("local", config | {"churn:platform": serverless})
    inputs = {r.urn: r.inputs for r in before.resources}
    assert {r.urn for r in again.resources} == set(inputs)
    changed = {r.name for r in again.resources if inputs[r.urn] != r.inputs}
    assert changed == {"churn_daily", "churn_bootstrap", *KEEPING}


def test_a_root_of_storage_reaches_the_catalog(programs: dict[str, Program]) -> None:
    root = "s3://churn-local-catalog-123456789012/managed"
    assert programs["local"].of("Catalog")["catalog"].inputs["storageRoot"] == root
    ground = json.dumps({"storage_root": "s3://bucket/churn"})
    again = run("local", without_a_stream("local") | {"churn:ground": ground})
    assert again.of("Catalog")["catalog"].inputs["storageRoot"] == "s3://bucket/churn"
    assert again.outputs["storage_root"] == "s3://bucket/churn"


def test_a_root_of_storage_comes_from_another_stack(wheels: object) -> None:
    ground = json.dumps({"stack": "organization/churn/ground-dev"})
    program = run("dev", without_a_stream("dev") | {"churn:ground": ground})
    assert program.of("Catalog")["catalog"].inputs["storageRoot"] == "s3://ground-dev/churn"
    assert program.outputs["storage_root"] == "s3://ground-dev/churn"
    assert program.of("ExternalLocation")["catalog-location"].inputs["url"] == "s3://ground-dev"
    assert program.of("Volume")["landing-support"].inputs["storageLocation"] == "s3://ground-dev-raw/support"
    assert program.of("Credential") == {}


def test_a_wrong_setting_stops_the_program_before_its_first_resource(wheels: object) -> None:
    with pytest.raises(Exception, match=r"churn:protect_dta: received the unknown name") as caught:
        run("local", engine_config("local") | {"churn:protect_dta": "true"})
    assert type(caught.value).__name__ == "RunError"


def test_another_metastore_than_the_adopted_is_refused(wheels: object) -> None:
    config = engine_config("prod")
    platform = json.loads(config["churn:platform"]) | {"metastore_id": "00000000-0000-0000-0000-00000000000f"}
    with pytest.raises(Exception, match=r"churn:platform.metastore_id"):
        run("prod", config | {"churn:platform": json.dumps(platform)})
    account = json.dumps(
        json.loads(engine_config("local")["churn:account"]) | {"metastore_id": platform["metastore_id"]}
    )
    with pytest.raises(Exception, match=r"churn:account.metastore_id"):
        run("local", engine_config("local") | {"churn:account": account})


def test_the_account_adopts_the_metastore_of_its_settings(programs: dict[str, Program]) -> None:
    settings = json.loads(engine_config("account")["churn:account"])
    assert programs["account"].outputs == {"metastore_id": settings["metastore_id"]}
