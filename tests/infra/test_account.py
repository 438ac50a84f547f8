"""The layer of the account, and the workspace that a ground makes: what they register, and what settings refuse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from churn.core.faults import FaultsError
from infra.errors import WrongWorkspaceError
from infra.layers.ground import layer
from infra.written.paths import REPOSITORY
from infra.written.stacks import read_settings
from tests.infra.conftest import NAMES, run_with
from tests.infra.program import DEPLOYER_ID, METASTORE, engine_config
from tests.infra.stack_files import write_stack_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.program import Program

# What the deployer needs on the metastore, as the steps of a first deployment say.
NEEDED = {"CREATE CATALOG", "CREATE EXTERNAL LOCATION", "CREATE SERVICE CREDENTIAL", "CREATE STORAGE CREDENTIAL"}
# Classes that a workspace is made from, whose objects are in use until the workspace has moved to the new one.
MADE_FIRST = {"MwsCustomerManagedKeys", "MwsStorageConfigurations", "MwsVpcEndpoint"}


def test_the_metastore_is_made_without_a_root_and_protected(whole_account: Program) -> None:
    metastore = whole_account.of("Metastore")["churn-metastore"]
    assert metastore.inputs == {"api": "account", "name": "churn", "region": "eu-west-1"}
    assert metastore.protect
    assert whole_account.outputs["metastore_id"] == "churn-metastore-id"


def test_groups_of_the_account_are_made_under_the_names_of_directories(whole_account: Program) -> None:
    groups = whole_account.of("Group")
    assert {group.inputs["displayName"] for group in groups.values()} == set(NAMES)
    assert {group.inputs["api"] for group in groups.values()} == {"account"}


def test_members_are_put_into_groups_of_the_account(programs: dict[str, Program]) -> None:
    members = programs["account"].of("GroupMember").values()
    assert {member.inputs["api"] for member in members} == {"account"}
    assert {member.inputs["groupId"] for member in members} == {"churn-platform-id"}


def test_existing_groups_are_looked_up_and_not_made() -> None:
    program = run_with("account", "churn:account", groups=[], members=None, existing_groups=NAMES)
    assert program.of("Group") == {}
    looked_up = [call for call in program.calls if call.token.endswith(":getGroup")]
    assert sorted(call.args["displayName"] for call in looked_up) == sorted(NAMES)
    assert all("::account::" in call.provider for call in looked_up)


def test_no_tag_is_governed_before_there_is_a_workspace() -> None:
    program = run_with("account", "churn:account", tags_workspace=None)
    assert program.of("TagPolicy") == {}


def test_serverless_compute_reaches_what_the_settings_name_alone() -> None:
    policy = {
        "name": "churn-serverless",
        "domains": ["pypi.org"],
        "buckets": [{"name": "landing", "region": "eu-west-1"}],
        "workspaces": [1000000000000001],
        "enforced": False,
    }
    program = run_with("account", "churn:account", network_policy=policy)
    (made,) = program.of("AccountNetworkPolicy").values()
    assert made.inputs["networkPolicyId"] == "churn-serverless"
    access = made.inputs["egress"]["networkAccess"]
    assert access["restrictionMode"] == "RESTRICTED_ACCESS"
    assert [found["destination"] for found in access["allowedInternetDestinations"]] == ["pypi.org"]
    assert [found["bucketName"] for found in access["allowedStorageDestinations"]] == ["landing"]
    assert access["policyEnforcement"] == {"enforcementMode": "DRY_RUN"}
    (given,) = program.of("WorkspaceNetworkOption").values()
    assert given.inputs == {"workspaceId": "1000000000000001", "networkPolicyId": "churn-serverless"}
    assert "::account::" in given.provider


PACKAGE_INDEX = {"pypi.org", "files.pythonhosted.org"}  # its pages, and the files that they lead to


def test_serverless_compute_reaches_the_package_index_from_which_it_installs(programs: dict[str, Program]) -> None:
    served = {
        stack
        for stack, program in programs.items()
        for pipeline in program.of("Pipeline").values()
        if pipeline.inputs.get("serverless")
    }
    assert served == {"local", "dev", "prod"}, "where no stack has serverless compute, no domain has to be open"
    (policy,) = programs["account"].of("AccountNetworkPolicy").values()
    access = policy.inputs["egress"]["networkAccess"]
    reached = {found["destination"] for found in access["allowedInternetDestinations"]}
    assert access["policyEnforcement"] == {"enforcementMode": "ENFORCED"}
    assert reached >= PACKAGE_INDEX, "the first update of a pipeline would install nothing"


def test_the_budget_notifies_at_each_amount(programs: dict[str, Program]) -> None:
    budget = next(found for found in programs["account"].of("Budget").values() if found.custom)
    alerts = budget.inputs["alertConfigurations"]
    assert [alert["quantityThreshold"] for alert in alerts] == ["4000", "8000"]
    targets = {action["target"] for alert in alerts for action in alert["actionConfigurations"]}
    assert targets == {"churn-oncall@example.com"}
    assert "filter" not in budget.inputs


def test_a_workspace_stands_on_what_the_ground_has_made(programs: dict[str, Program]) -> None:
    prod = programs["prod"]
    (workspace,) = prod.of("MwsWorkspaces").values()
    assert workspace.inputs["workspaceName"] == "churn-prod"
    assert workspace.inputs["customTags"]["stack"] == "prod"
    assert "token" not in workspace.inputs
    assert workspace.protect
    (credentials,) = prod.of("MwsCredentials").values()
    assert credentials.inputs["roleArn"].endswith(":role/churn-prod-cross-account")
    (storage,) = prod.of("MwsStorageConfigurations").values()
    assert storage.inputs["bucketName"] == "churn-prod-workspace-123456789012"
    (network,) = prod.of("MwsNetworks").values()
    assert len(network.inputs["subnetIds"]) == 3
    assert "vpcEndpoints" not in network.inputs
    uses = {name: key.inputs["useCases"] for name, key in prod.of("MwsCustomerManagedKeys").items()}
    assert uses == {"managed_services-registration": ["MANAGED_SERVICES"], "storage-registration": ["STORAGE"]}
    assert prod.outputs["workspace_id"] == "1000000000000002"


def test_the_account_is_named_only_where_a_resource_needs_it(private_ground: Program, whole_account: Program) -> None:
    """Of the others each would be replaced for no reason, and the network policy without it."""
    resources = [*private_ground.resources, *whole_account.resources]
    named = {r.type.rsplit(":", 1)[-1] for r in resources if r.databricks and "accountId" in r.inputs}
    needing = {"AccountNetworkPolicy", "MwsCustomerManagedKeys", "MwsNetworks", "MwsStorageConfigurations"}
    needing |= {"MwsVpcEndpoint", "MwsWorkspaces"}
    assert named == needing


def test_the_deployer_is_let_into_the_workspace_that_is_made(programs: dict[str, Program]) -> None:
    prod = programs["prod"]
    (entry,) = prod.of("MwsPermissionAssignment").values()
    assert entry.inputs == {"workspaceId": "1000000000000002", "principalId": DEPLOYER_ID, "permissions": ["ADMIN"]}
    (looked_up,) = [call for call in prod.calls if call.token.endswith(":getServicePrincipal")]
    assert looked_up.args == {"applicationId": "00000000-0000-0000-0000-000000000002"}
    assert "::account-of-workspace::" in looked_up.provider
    (assigned,) = prod.of("MetastoreAssignment").values()
    assert assigned.urn in entry.dependencies, "a workspace without a metastore has no principals of the account"


def test_the_platforms_group_gets_what_it_needs_of_the_metastore(programs: dict[str, Program]) -> None:
    (grant,) = programs["prod"].of("Grant").values()
    assert grant.inputs["metastore"] == METASTORE
    assert grant.inputs["principal"] == "churn-platform"
    assert {right.replace("_", " ") for right in grant.inputs["privileges"]} == NEEDED
    assert "::made-workspace::" in grant.provider
    made = json.loads(engine_config("prod")["churn:ground"])["workspace"] | {"metastore_group": None}
    assert run_with("prod", "churn:ground", workspace=made).of("Grant") == {}


def test_serverless_compute_reaches_each_broker_by_its_own_name(programs: dict[str, Program], linked: Program) -> None:
    rules = linked.of("MwsNccPrivateEndpointRule")
    (connectivity,) = linked.of("MwsNetworkConnectivityConfig").values()
    assert {rule.inputs["networkConnectivityConfigId"] for rule in rules.values()} == {f"{connectivity.name}-id"}
    ways = [(rule.inputs["endpointService"], *rule.inputs["domainNames"]) for rule in rules.values()]
    services = [(service["service_name"], service["domain"]) for service in linked.outputs["kafka_services"]]
    assert sorted(ways) == sorted(services)
    assert len(ways) == 3
    assert programs["prod"].of("MwsNccPrivateEndpointRule") == {}, "nodes in the network need none"


def test_connectivity_outlives_the_workspace(programs: dict[str, Program]) -> None:
    (workspace,) = programs["prod"].of("MwsWorkspaces").values()
    (connectivity,) = programs["prod"].of("MwsNetworkConnectivityConfig").values()
    assert connectivity.urn in workspace.dependencies


def test_a_private_workspace_is_reached_through_registered_endpoints(private_ground: Program) -> None:
    (network,) = private_ground.of("MwsNetworks").values()
    assert set(network.inputs["vpcEndpoints"]) == {"restApis", "dataplaneRelays"}
    assert len(private_ground.of("MwsVpcEndpoint")) == 2
    (access,) = private_ground.of("MwsPrivateAccessSettings").values()
    assert access.inputs["publicAccessEnabled"] is False


def test_a_changed_configuration_has_another_name(programs: dict[str, Program], private_ground: Program) -> None:
    """It is made before the old one goes, which is in use, and names are unique."""
    names = [next(iter(p.of("MwsNetworks").values())).inputs["networkName"] for p in (programs["prod"], private_ground)]
    assert len(set(names)) == 2
    assert all(name.startswith("churn-prod-") for name in names)


def test_a_platform_elsewhere_than_its_workspace_is_refused() -> None:
    with pytest.raises(WrongWorkspaceError, match=r"received https://a\.example; .*is https://b\.example; remedy:"):
        layer._check_host("https://b.example", "https://a.example")


def test_no_workspace_is_made_for_a_platform_in_one_that_exists(programs: dict[str, Program]) -> None:
    dev = programs["dev"]
    assert "workspace_host" not in dev.outputs
    assert not any(pulumi_type.split(":")[-1].startswith("Mws") for pulumi_type in {r.type for r in dev.resources})


def test_groups_open_what_their_work_needs(programs: dict[str, Program]) -> None:
    entitlements = programs["dev"].of("Entitlements")
    deliverers = [f"churn-deliverers-{d}" for d in ("customer", "marketing", "support", "transactions", "usage")]
    held = {
        name.removesuffix("-may-open"): (found.inputs["workspaceAccess"], found.inputs["databricksSqlAccess"])
        for name, found in entitlements.items()
    }
    assert held == {
        "churn-engineers": (True, True),
        "churn-scientists": (True, True),
        "churn-analysts": (False, True),
        **dict.fromkeys(deliverers, (True, False)),
        "churn-pii-readers": (True, True),
        "churn-platform": (True, True),
        "team-retention": (True, True),
    }
    assert {found.inputs["groupId"] for found in entitlements.values()} == {f"{group}-enters-id" for group in held}


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("account", {"churn:account.metastore": {"name": "m", "region": "eu-west-1"}}, "either metastore or metastore_id"),
    ("account", {"churn:account.metastore": {"name": "m", "region": "Ireland"}}, "churn:account.metastore.region"),
    ("account", {"churn:account.existing_groups": ["Churn-Engineers"]}, "churn:account.existing_groups[0]"),
    ("account", {"churn:account.console.host": "http://accounts.example.com"}, "churn:account.console.host"),
    ("account", {"churn:account.console": None}, "only the account's API makes it"),
    ("account", {"churn:account.budget.alerts_usd_per_month": [5, 4]}, "write [4, 5]"),
    ("account", {"churn:account.budget.alerts_usd_per_month": [1, 2, 3, 4, 5]}, "alerts_usd_per_month"),
    ("account", {"churn:account.network_policy.domains": ["https://pypi.org"]}, "network_policy.domains[0]"),
    ("account", {"churn:account.network_policy.workspaces": [0]}, "network_policy.workspaces[0]"),
    ("prod", {"churn:ground.aws": None}, "a workspace beside aws"),
    ("prod", {"churn:ground.workspace.public_access": False}, "nobody would reach the workspace"),
    ("prod", {"churn:ground.workspace.deployer": "ann@example.com"}, "the deployer of churn:platform.workspace"),
]


@pytest.mark.parametrize(("stack", "changes", "said"), REFUSED)
def test_settings_that_do_not_fit_are_refused(tmp_path: Path, stack: str, changes: dict[str, Any], said: str) -> None:
    file = write_stack_file(tmp_path, changes, stack, REPOSITORY / f"Pulumi.{stack}.yaml")
    with pytest.raises(FaultsError) as refused:
        read_settings(file)
    assert said in str(refused.value)


@pytest.mark.parametrize("host", ["http://127.0.0.1:18000", "http://localhost:18000", "https://accounts.example.com"])
def test_a_console_may_be_on_this_machine(tmp_path: Path, host: str) -> None:
    changes = {"churn:account.console.host": host}
    settings = read_settings(write_stack_file(tmp_path, changes, "account", REPOSITORY / "Pulumi.account.yaml"))
    assert settings.account is not None
    assert settings.account.console is not None
    assert settings.account.console.host == host
