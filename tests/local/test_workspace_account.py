"""The account of the local workspace: what its objects refuse, through the official client."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import AccountClient, errors
from databricks.sdk.errors import Aborted, BadRequest, NotFound, PermissionDenied, ResourceConflict
from databricks.sdk.errors.platform import ResourceAlreadyExists
from databricks.sdk.service import billing, catalog, iam, provisioning, settings, tags

from local.workspace.core.context import ACCOUNT_ID, Workspace
from local.workspace.core.store import Store

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace

REGION = "eu-west-1"
ROLE = provisioning.CreateCredentialAwsCredentials(
    provisioning.CreateCredentialStsRole("arn:aws:iam::123456789012:role/cross-account")
)


@pytest.fixture
def account(workspace: LocalWorkspace) -> AccountClient:
    """The official client of the account."""
    return AccountClient(
        host=workspace.settings.workspace_url, account_id=ACCOUNT_ID, token=workspace.token, auth_type="pat"
    )


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def made_workspace(account: AccountClient, **changes: Any) -> provisioning.Workspace:
    """A new workspace that runs, with its credentials and its bucket."""
    credentials = account.credentials.create(unique("role"), ROLE)
    bucket = provisioning.RootBucketInfo("example-workspace")
    storage = account.storage.create(unique("bucket"), bucket)
    wanted = {
        "workspace_name": unique("made"),
        "aws_region": REGION,
        "credentials_id": credentials.credentials_id,
        "storage_configuration_id": storage.storage_configuration_id,
    }
    return account.workspaces.create_and_wait(**wanted | changes)


def number_of(made: provisioning.Workspace) -> int:
    assert made.workspace_id
    return made.workspace_id


@pytest.mark.shows("account: a workspace is made from its configurations", client="databricks-sdk")
def test_a_workspace_is_made_and_runs_a_little_later(workspace: LocalWorkspace, account: AccountClient) -> None:
    made = made_workspace(account)
    assert made.workspace_status == provisioning.WorkspaceStatus.RUNNING
    with workspace.http() as http:
        answer = http.get(f"/api/2.0/accounts/{ACCOUNT_ID}/workspaces/{made.workspace_id}").json()
    assert answer["workspace_url"] == workspace.settings.workspace_url
    assert workspace.client().get_workspace_id() in {found.workspace_id for found in account.workspaces.list()}


@pytest.mark.shows("account: a configuration in use stays", client="databricks-sdk")
def test_what_is_in_use_is_not_deleted(account: AccountClient) -> None:
    made = made_workspace(account)
    assert made.credentials_id
    assert made.workspace_id
    with pytest.raises(ResourceConflict, match=f"used by workspaces {made.workspace_id}, which has to be deleted"):
        account.credentials.delete(made.credentials_id)
    account.workspaces.delete(made.workspace_id)
    account.credentials.delete(made.credentials_id)
    with pytest.raises(NotFound):
        account.credentials.get(made.credentials_id)


@pytest.mark.shows("account: configurations are listed", client="databricks-sdk")
def test_configurations_are_listed(account: AccountClient) -> None:
    made = made_workspace(account)
    assert made.credentials_id in {found.credentials_id for found in account.credentials.list()}
    assert made.storage_configuration_id in {found.storage_configuration_id for found in account.storage.list()}
    for nothing in (
        account.networks.list(),
        account.vpc_endpoints.list(),
        account.private_access.list(),
        account.encryption_keys.list(),
        account.network_connectivity.list_network_connectivity_configurations(),
    ):
        assert isinstance(list(nothing), list)


def test_a_name_is_given_once(account: AccountClient) -> None:
    name = unique("role")
    account.credentials.create(name, ROLE)
    with pytest.raises(ResourceAlreadyExists, match=name):
        account.credentials.create(name, ROLE)
    made = made_workspace(account)
    with pytest.raises(ResourceAlreadyExists, match=str(made.workspace_name)):
        made_workspace(account, workspace_name=made.workspace_name)


@pytest.mark.shows("account: network connectivity of serverless compute", client="databricks-sdk")
def test_connectivity_is_bound_in_one_region_and_stays_bound(account: AccountClient) -> None:
    number = number_of(made_workspace(account))

    def bind(region: str) -> str:
        new = settings.CreateNetworkConnectivityConfiguration(unique("ncc"), region)
        identifier = account.network_connectivity.create_network_connectivity_configuration(
            new
        ).network_connectivity_config_id
        assert identifier
        wanted = provisioning.Workspace(network_connectivity_config_id=identifier)
        account.workspaces.update_and_wait(number, wanted, update_mask="network_connectivity_config_id")
        return identifier

    with pytest.raises(BadRequest, match="is in us-east-1, and the workspace in eu-west-1"):
        bind("us-east-1")
    bound = bind(REGION)
    with pytest.raises(ResourceConflict, match="used by workspaces"):
        account.network_connectivity.delete_network_connectivity_configuration(bound)


@pytest.mark.shows("account: metastores and their assignments", client="databricks-sdk")
def test_a_region_has_one_metastore_for_its_workspaces(account: AccountClient) -> None:
    wanted = catalog.CreateAccountsMetastore(name=unique("metastore"), region=REGION)
    made = account.metastores.create(metastore_info=wanted).metastore_info
    assert made
    assert made.metastore_id
    with pytest.raises(BadRequest, match="limit for metastores in region eu-west-1"):
        account.metastores.create(metastore_info=wanted)
    here, elsewhere = number_of(made_workspace(account)), number_of(made_workspace(account, aws_region="us-east-1"))
    account.metastore_assignments.create(here, made.metastore_id)
    with pytest.raises(BadRequest, match="must be in one region"):
        account.metastore_assignments.create(elsewhere, made.metastore_id)
    with pytest.raises(ResourceConflict, match=f"assigned to workspaces {here}"):
        account.metastores.delete(made.metastore_id)
    account.metastore_assignments.delete(here, made.metastore_id)
    account.metastores.delete(made.metastore_id)


def test_the_own_metastore_is_found_and_stays(workspace: LocalWorkspace, account: AccountClient) -> None:
    own = workspace.client().metastores.current().metastore_id
    assert own
    assert account.metastores.get(own).metastore_info
    with pytest.raises(errors.NotImplemented, match="not part of the local workspace"):
        account.metastores.delete(own)


def test_a_made_workspace_can_have_the_own_metastore(workspace: LocalWorkspace, account: AccountClient) -> None:
    own, number = workspace.client().metastores.current().metastore_id, number_of(made_workspace(account))
    account.metastore_assignments.create(number, str(own))
    assigned = account.metastore_assignments.get(number).metastore_assignment
    assert assigned
    assert assigned.metastore_id == own
    account.metastore_assignments.delete(number, str(own))


@pytest.mark.shows("account: network policies", client="databricks-sdk")
def test_a_network_policy_in_use_is_not_deleted(account: AccountClient) -> None:
    access = settings.EgressNetworkPolicyNetworkAccessPolicy(
        settings.EgressNetworkPolicyNetworkAccessPolicyRestrictionMode.RESTRICTED_ACCESS
    )
    policy = settings.AccountNetworkPolicy(
        network_policy_id=unique("policy"), egress=settings.NetworkPolicyEgress(network_access=access)
    )
    account.network_policies.create_network_policy_rpc(policy)
    made = made_workspace(account)
    assert made.workspace_id
    option = account.workspace_network_configuration
    assert option.get_workspace_network_option_rpc(made.workspace_id).network_policy_id == "default-policy"
    option.update_workspace_network_option_rpc(
        made.workspace_id, settings.WorkspaceNetworkOption(network_policy_id=policy.network_policy_id)
    )
    for identifier in (str(policy.network_policy_id), "default-policy"):
        with pytest.raises(ResourceConflict, match=identifier):
            account.network_policies.delete_network_policy_rpc(identifier)


@pytest.mark.shows("account: budgets", client="databricks-sdk")
def test_a_budget_has_one_to_four_alerts(account: AccountClient) -> None:
    def budget(*amounts: str) -> billing.CreateBudgetConfigurationBudget:
        alerts = [billing.CreateBudgetConfigurationBudgetAlertConfigurations(quantity_threshold=a) for a in amounts]
        return billing.CreateBudgetConfigurationBudget(display_name="all", alert_configurations=alerts)

    for wrong in ((), ("1", "1.0"), ("1", "2", "3", "4", "5"), ("much",)):
        with pytest.raises(BadRequest, match=r"alert_configurations|quantity_threshold"):
            account.budgets.create(budget(*wrong))
    made = account.budgets.create(budget("840")).budget
    assert made
    assert made.alert_configurations
    assert made.alert_configurations[0].quantity_threshold == "840.000000000000000000"


@pytest.mark.shows("unity catalog: tag policies, one change at a time", client="databricks-sdk")
def test_two_changes_of_tags_at_once_are_refused(workspace: LocalWorkspace) -> None:
    """As on Databricks, so that a program that does not chain them fails here as well."""
    client = workspace.client()

    def govern(key: str) -> str:
        try:
            client.tag_policies.create_tag_policy(tags.TagPolicy(tag_key=key))
        except Aborted as error:
            return str(error)
        return "made"

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(govern, [unique("tag") for _ in range(4)]))
    assert "made" in answers
    assert any("concurrent modification" in answer for answer in answers)


def test_unknown_fields_and_other_accounts_are_refused(workspace: LocalWorkspace) -> None:
    with workspace.http() as http:
        wrong = http.post(f"/api/2.0/accounts/{ACCOUNT_ID}/networks", json={"network_nme": "n"})
        assert wrong.status_code == 400
        assert "unknown field network_nme" in wrong.json()["message"]
        other = http.get(f"/api/2.0/accounts/{uuid.uuid4()}/workspaces")
        assert other.status_code == 404
        token = http.get(f"/api/2.0/accounts/{ACCOUNT_ID}/workspaces/1/network-things")
        assert token.status_code == 501


def test_ids_have_the_form_of_those_of_aws(account: AccountClient) -> None:
    role = provisioning.CreateCredentialAwsCredentials(provisioning.CreateCredentialStsRole("cross-account"))
    with pytest.raises(BadRequest, match=r"role_arn is 'cross-account', .* of arn:aws:iam::123456789012:role/name"):
        account.credentials.create(unique("role"), role)
    subnets, groups = ["subnet-1", "subnet-2"], ["sg-1"]
    with pytest.raises(BadRequest, match="a network has 2 subnets or more"):
        account.networks.create(
            network_name=unique("n"), vpc_id="vpc-0a", subnet_ids=subnets[:1], security_group_ids=groups
        )
    registered = provisioning.NetworkVpcEndpoints(rest_api=["nobody"], dataplane_relay=[])
    with pytest.raises(NotFound, match="no VPC endpoint nobody"):
        account.networks.create(
            network_name=unique("n"),
            vpc_id="vpc-0a",
            subnet_ids=subnets,
            security_group_ids=groups,
            vpc_endpoints=registered,
        )


def test_only_administrators_reach_the_account(workspace: LocalWorkspace) -> None:
    client = workspace.client()
    runner = client.service_principals.create(display_name=unique("runner"))
    assert runner.application_id
    in_process = Workspace(workspace.settings, Store(workspace.settings.home / "workspace.sqlite"))
    token = in_process.token_for(runner.application_id)
    in_process.store.close()
    account = AccountClient(host=workspace.settings.workspace_url, account_id=ACCOUNT_ID, token=token, auth_type="pat")
    with pytest.raises(PermissionDenied, match="is not an administrator of account"):
        list(account.workspaces.list())
    with pytest.raises(PermissionDenied, match="may not govern tags"):
        workspace.client(token).tag_policies.create_tag_policy(tags.TagPolicy(tag_key=unique("tag")))


@pytest.mark.shows("account: a principal enters a workspace that was made", client="databricks-sdk")
def test_a_principal_is_let_into_a_workspace_that_has_a_metastore(
    workspace: LocalWorkspace, account: AccountClient
) -> None:
    number = number_of(made_workspace(account))
    principal = account.service_principals_v2.create(display_name=unique("deployer"))
    assert principal.id
    principal_id, entries = int(principal.id), account.workspace_assignment
    admin = [iam.WorkspacePermission.ADMIN]
    with pytest.raises(BadRequest, match="has no metastore"):
        entries.update(number, principal_id, permissions=admin)
    own = workspace.client().metastores.current().metastore_id
    assert own
    account.metastore_assignments.create(number, own)
    entries.update(number, principal_id, permissions=[iam.WorkspacePermission.USER, *admin])
    (entry,) = entries.list(number)
    assert (entry.principal and entry.principal.principal_id, entry.permissions) == (principal_id, admin)
    with pytest.raises(NotFound, match="Principal 1000000 not found"):
        entries.update(number, 1000000, permissions=admin)
    entries.delete(number, principal_id)
    assert list(entries.list(number)) == []
    with pytest.raises(NotFound, match="is not assigned"):
        entries.delete(number, principal_id)


@pytest.mark.shows("account: private endpoint rules of serverless compute", client="databricks-sdk")
def test_a_private_endpoint_rule_leads_to_a_service_by_names_of_its_own(account: AccountClient) -> None:
    network = account.network_connectivity
    made = network.create_network_connectivity_configuration(
        settings.CreateNetworkConnectivityConfiguration(unique("ncc"), REGION)
    )
    configuration = made.network_connectivity_config_id
    assert configuration

    def wanted(*names: str, service: str = "com.amazonaws.vpce.eu-west-1.vpce-svc-0a") -> Any:
        return settings.CreatePrivateEndpointRule(domain_names=list(names), endpoint_service=service)

    rule = network.create_private_endpoint_rule(configuration, wanted("b-1.example"))
    states = settings.NccPrivateEndpointRulePrivateLinkConnectionState
    assert (rule.connection_state, rule.domain_names) == (states.PENDING, ["b-1.example"])
    assert rule.rule_id
    for wrong, message in (
        (wanted(), "domain_names is empty"),
        (wanted("b-2.example", service="vpce-svc-0a"), "endpoint_service is 'vpce-svc-0a'"),
    ):
        with pytest.raises(BadRequest, match=message):
            network.create_private_endpoint_rule(configuration, wrong)
    with pytest.raises(ResourceConflict, match=f"rule {rule.rule_id} has b-1.example"):
        network.create_private_endpoint_rule(configuration, wanted("b-1.example"))
    changed = settings.UpdatePrivateEndpointRule(domain_names=["b-9.example"])
    network.update_private_endpoint_rule(configuration, rule.rule_id, changed, "domain_names")
    assert network.get_private_endpoint_rule(configuration, rule.rule_id).domain_names == ["b-9.example"]
    with pytest.raises(ResourceConflict, match="is used by"):
        network.delete_network_connectivity_configuration(configuration)
    network.delete_private_endpoint_rule(configuration, rule.rule_id)
    network.delete_network_connectivity_configuration(configuration)
