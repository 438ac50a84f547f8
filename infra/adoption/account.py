"""Objects of the Databricks account. They have no owner: what holds all that the stack would make may be its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from databricks.sdk.errors import NotFound
from databricks.sdk.service.provisioning import WorkspaceStatus

from infra.adoption.cloud import Found, Row, compared, snake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from infra.adoption.cloud import Cloud, Finder, Inputs


def _groups(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """A group that an identity provider keeps is nobody's here, nor is one that has members already."""
    groups = cloud.account.groups if "accountId" in cloud.settings else cloud.workspace.groups
    for listed in groups.list(filter=f'displayName eq "{inputs["displayName"]}"'):
        group = groups.get(str(listed.id))
        theirs = group.external_id or group.members
        holder = "an identity provider, or whoever gave it members" if theirs else "nobody knows whom"
        yield Found(str(group.id), own=False, holder=holder, unsure=not theirs)


def _network_policies(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    id_ = inputs["networkPolicyId"]
    try:
        there = cloud.account.network_policies.get_network_policy_rpc(id_)
    except NotFound:
        return
    yield compared(id_, holds(there.as_dict().get("egress"), snake(inputs.get("egress"))))


def _budgets(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for budget in cloud.account.budgets.list():
        if budget.display_name == inputs["displayName"]:
            alerts = [float(str(alert.quantity_threshold)) for alert in budget.alert_configurations or []]
            same = alerts == [float(alert["quantityThreshold"]) for alert in inputs["alertConfigurations"]]
            yield compared(f"{cloud.account_id}|{budget.budget_configuration_id}", same)


def _tag_policies(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for policy in cloud.workspace.tag_policies.list_tag_policies():
        if policy.tag_key == inputs["tagKey"]:
            there = policy.as_dict()
            wanted = {name: inputs[name] for name in ("description", "values") if name in inputs}
            yield compared(str(policy.id), holds(there, snake(wanted)))


def _listed(
    calls: Callable[[Cloud], Iterable[Any]],
    identifier: str,
    name: tuple[str, str],
    same: Callable[[Any, Inputs], bool] | None = None,
) -> Finder:
    """A finder in a list of the account, by name.

    Args:
        calls: Lists all objects.
        identifier: Field with the id, the second part of the resource's.
        name: Field with the name, and the input that has it.
        same: Whether an object of that name holds what the resource would; None where the name itself says so.
    """
    field, wanted = name

    def find(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
        for each in calls(cloud):
            if getattr(each, field) == inputs[wanted]:
                id_ = f"{cloud.account_id}/{getattr(each, identifier)}"
                ready = getattr(each, "workspace_status", None) is not WorkspaceStatus.PROVISIONING
                yield compared(id_, same(each, inputs), ready=ready) if same else Found(id_, own=True)

    return find


def _rules(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """Rules of a connectivity configuration, which is the stack's own; a deactivated one goes by itself."""
    configuration = inputs["networkConnectivityConfigId"]
    for rule in cloud.account.network_connectivity.list_private_endpoint_rules(configuration):
        led = (rule.endpoint_service, rule.domain_names or [])
        if led == (inputs["endpointService"], inputs["domainNames"]) and not rule.deactivated:
            yield Found(f"{configuration}/{rule.rule_id}", own=True)


def _keys(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """Registered keys have no names: one is known by its key of AWS, which is the stack's."""
    for key in cloud.account.encryption_keys.list():
        uses = sorted(use.value for use in key.use_cases or [])
        if (
            key.aws_key_info
            and key.aws_key_info.key_arn == inputs["awsKeyInfo"]["keyArn"]
            and uses == sorted(inputs["useCases"])
        ):
            yield Found(f"{cloud.account_id}/{key.customer_managed_key_id}", own=True)


def holds(there: Any, wanted: Any) -> bool:
    """Whether an answer has all that was wanted; an API leaves out what is empty."""
    if isinstance(wanted, dict):
        there = there or {}
        return all(holds(there.get(key), value) for key, value in wanted.items() if not key.startswith("__"))
    if isinstance(wanted, list):
        there = there or []
        return len(there) == len(wanted) and all(holds(*pair) for pair in zip(there, wanted, strict=True))
    return bool(there == wanted)


ASSIGNED = "a workspace has one, which is set"
ROWS = {
    "AccountNetworkPolicy": Row(_network_policies),
    "Budget": Row(_budgets, unique=False),
    "Group": Row(_groups),
    "GroupMember": Row(again="a member is added once"),
    "MetastoreAssignment": Row(again=ASSIGNED),
    # Names of four kinds end with a hash of what they hold, ids of the stack's own objects among it.
    "MwsCredentials": Row(
        _listed(
            lambda cloud: cloud.account.credentials.list(), "credentials_id", ("credentials_name", "credentialsName")
        )
    ),
    "MwsNetworks": Row(
        _listed(lambda cloud: cloud.account.networks.list(), "network_id", ("network_name", "networkName"))
    ),
    "MwsStorageConfigurations": Row(
        _listed(
            lambda cloud: cloud.account.storage.list(),
            "storage_configuration_id",
            ("storage_configuration_name", "storageConfigurationName"),
        )
    ),
    "MwsVpcEndpoint": Row(
        _listed(
            lambda cloud: cloud.account.vpc_endpoints.list(),
            "vpc_endpoint_id",
            ("vpc_endpoint_name", "vpcEndpointName"),
        )
    ),
    "MwsCustomerManagedKeys": Row(_keys, unique=False),
    "MwsNccBinding": Row(again=ASSIGNED),
    "MwsNccPrivateEndpointRule": Row(_rules, unique=False),
    "MwsNetworkConnectivityConfig": Row(
        _listed(
            lambda cloud: cloud.account.network_connectivity.list_network_connectivity_configurations(),
            "network_connectivity_config_id",
            ("name", "name"),
            lambda there, inputs: there.region == inputs["region"],
        )
    ),
    "MwsPermissionAssignment": Row(again="the rights of a principal in a workspace are replaced"),
    "MwsPrivateAccessSettings": Row(
        _listed(
            lambda cloud: cloud.account.private_access.list(),
            "private_access_settings_id",
            ("private_access_settings_name", "privateAccessSettingsName"),
            lambda there, inputs: there.region == inputs["region"],
        )
    ),
    "MwsWorkspaces": Row(
        _listed(
            lambda cloud: cloud.account.workspaces.list(),
            "workspace_id",
            ("workspace_name", "workspaceName"),
            lambda there, inputs: (
                (there.credentials_id, there.network_id) == (inputs["credentialsId"], inputs["networkId"])
            ),
        )
    ),
    "TagPolicy": Row(_tag_policies),
    "WorkspaceNetworkOption": Row(again=ASSIGNED),
}
