"""What a workspace and its account have: by name for people, and by type and id as states have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from databricks.sdk.service.catalog import CredentialPurpose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import AccountClient, WorkspaceClient

FOLDERS = "/churn-"  # beginning of the folders that stacks make at a workspace's root
Found = dict[str, set[str]]
Row = tuple[str, Callable[[Any], Iterable[Any]], str, str, str]
Objects = Counter[tuple[str, str]]
"""How many objects there are of a type and an id, as states have both."""


class Thing(NamedTuple):
    """An object.

    Attributes:
        kind: What it is, for people.
        name: Its name, or its id where it has none.
        type: Its type in states; empty for what they have otherwise or not at all.
        id: Its id in states.
    """

    kind: str
    name: str
    type: str = ""
    id: str = ""


def names(*found: Iterable[Thing]) -> Found:
    """Names by kind."""
    by_kind: Found = {}
    for thing in (thing for things in found for thing in things):
        by_kind.setdefault(thing.kind, set()).add(thing.name)
    return by_kind


def objects(*found: Iterable[Thing]) -> Objects:
    """Those that states have, by type and id."""
    return Counter((thing.type, thing.id) for things in found for thing in things if thing.type)


def in_workspace(client: WorkspaceClient) -> list[Thing]:
    """Objects of a workspace."""
    return _things(_WORKSPACE, client)


def in_account(account: AccountClient, client: WorkspaceClient) -> list[Thing]:
    """Objects of an account.

    Args:
        account: The account.
        client: A workspace of it, through which tag policies are told.
    """
    id_ = account.config.account_id
    tags = _listed("tag policy", client.tag_policies.list_tag_policies(), "tag_key", "TagPolicy", "id")
    budgets = account.budgets.list()
    return [
        *_things(_ACCOUNT, account, f"{id_}/"),
        *_things(_ACCOUNTS_OWN, account),
        *_listed("budget of the account", budgets, "display_name", "Budget", "budget_configuration_id", f"{id_}|"),
        *_rules(account),
        *tags,
    ]


def _rules(account: AccountClient) -> Iterator[Thing]:
    """Private endpoint rules, which their configuration lists; a deactivated one is deleted, and goes days later."""
    network = account.network_connectivity
    for configuration in network.list_network_connectivity_configurations():
        id_ = str(configuration.network_connectivity_config_id)
        rules = (rule for rule in network.list_private_endpoint_rules(id_) if not rule.deactivated)
        yield from _listed(
            *("private endpoint rule", rules, "endpoint_service", "MwsNccPrivateEndpointRule", "rule_id"), f"{id_}/"
        )


_EVERY_CATALOGS = ("default", "information_schema")  # schemas that nobody makes
_NO_ID = "missing ID"  # what the provider writes into states for all objects of Lakebase


def _schemas(client: WorkspaceClient) -> list[Any]:
    catalogs = client.catalogs.list()
    return [s for c in catalogs for s in client.schemas.list(str(c.name)) if s.name not in _EVERY_CATALOGS]


def _volumes(client: WorkspaceClient) -> list[Any]:
    return [v for s in _schemas(client) for v in client.volumes.list(str(s.catalog_name), str(s.name))]


def _secrets(client: WorkspaceClient) -> list[Any]:
    proxy = client.service_principal_secrets_proxy
    return [secret for p in client.service_principals.list() for secret in proxy.list(str(p.id))]


def _folders(client: WorkspaceClient) -> list[Any]:
    return [entry for entry in client.workspace.list("/") if (entry.path or "").startswith(FOLDERS)]


# Kind, its list, name, type in states, id where the name is none; without a type they are compared by name alone.
_WORKSPACE: tuple[Row, ...] = (
    ("catalog", lambda c: c.catalogs.list(), "name", "Catalog", ""),
    ("schema", _schemas, "full_name", "Schema", ""),
    ("volume", _volumes, "full_name", "Volume", ""),
    ("model", lambda c: c.registered_models.list(), "full_name", "RegisteredModel", ""),
    ("external location", lambda c: c.external_locations.list(), "name", "ExternalLocation", ""),
    ("storage credential", lambda c: c.storage_credentials.list(), "name", "StorageCredential", ""),
    (
        *("service credential", lambda c: c.credentials.list_credentials(purpose=CredentialPurpose.SERVICE)),
        *("name", "Credential", ""),
    ),
    ("pipeline", lambda c: c.pipelines.list_pipelines(), "name", "Pipeline", "pipeline_id"),
    ("job", lambda c: c.jobs.list(), "settings.name", "Job", "job_id"),
    ("endpoint", lambda c: c.serving_endpoints.list(), "name", "ModelServing", ""),
    ("warehouse", lambda c: c.warehouses.list(), "name", "SqlEndpoint", "id"),
    ("cluster", lambda c: c.clusters.list(), "cluster_name", "", ""),
    ("cluster policy", lambda c: c.cluster_policies.list(), "name", "ClusterPolicy", "policy_id"),
    ("dashboard", lambda c: c.lakeview.list(), "display_name", "Dashboard", "dashboard_id"),
    ("alert", lambda c: c.alerts_v2.list_alerts(), "display_name", "AlertV2", "id"),
    ("project of Lakebase", lambda c: c.postgres.list_projects(), "name", "PostgresProject", _NO_ID),
    (
        *("experiment", lambda c: c.experiments.search_experiments(max_results=1000), "name", "MlflowExperiment"),
        "experiment_id",
    ),
    ("secret scope", lambda c: c.secrets.list_scopes(), "name", "SecretScope", ""),
    ("service principal", lambda c: c.service_principals.list(), "display_name", "ServicePrincipal", "id"),
    ("secret of a service principal", _secrets, "id", "ServicePrincipalSecret", ""),
    ("group", lambda c: c.groups.list(), "display_name", "Group", "id"),
    ("folder", _folders, "path", "", ""),
)
# The same of the account; ids in states begin with that of the account.
_ACCOUNT: tuple[Row, ...] = (
    ("credentials", lambda a: a.credentials.list(), "credentials_name", "MwsCredentials", "credentials_id"),
    (
        *("storage configuration", lambda a: a.storage.list(), "storage_configuration_name"),
        *("MwsStorageConfigurations", "storage_configuration_id"),
    ),
    ("network", lambda a: a.networks.list(), "network_name", "MwsNetworks", "network_id"),
    ("registered endpoint", lambda a: a.vpc_endpoints.list(), "vpc_endpoint_name", "MwsVpcEndpoint", "vpc_endpoint_id"),
    (
        *("private access settings", lambda a: a.private_access.list(), "private_access_settings_name"),
        *("MwsPrivateAccessSettings", "private_access_settings_id"),
    ),
    ("registered key", lambda a: a.encryption_keys.list(), "customer_managed_key_id", "MwsCustomerManagedKeys", ""),
    (
        *("connectivity configuration", lambda a: a.network_connectivity.list_network_connectivity_configurations()),
        *("name", "MwsNetworkConnectivityConfig", "network_connectivity_config_id"),
    ),
    ("workspace", lambda a: a.workspaces.list(), "workspace_name", "MwsWorkspaces", "workspace_id"),
)
_ACCOUNTS_OWN: tuple[Row, ...] = (
    ("metastore", lambda a: a.metastores.list(), "name", "Metastore", "metastore_id"),
    (
        *("network policy", lambda a: a.network_policies.list_network_policies_rpc(), "network_policy_id"),
        *("AccountNetworkPolicy", ""),
    ),
    ("service principal of the account", lambda a: a.service_principals_v2.list(), "display_name", "", ""),
)


def _things(rows: Iterable[Row], client: Any, inside: str = "") -> list[Thing]:
    return [
        thing
        for kind, call, name, type_, id_ in rows
        for thing in _listed(kind, call(client), name, type_, id_, inside)
    ]


def _listed(
    kind: str, listed: Iterable[Any], name: str, type_: str = "", identifier: str = "", inside: str = ""
) -> Iterator[Thing]:
    """Things of one kind.

    Args:
        kind: What they are.
        listed: Answers of the client.
        name: Path of the attribute with the name.
        type_: The type in states; empty where they are compared by name alone.
        identifier: Path of the attribute with the id, that of the name where the name is the id; or the one id of all.
        inside: What ids in states begin with.
    """
    for each in listed:
        id_ = identifier if identifier == _NO_ID else attrgetter(identifier or name)(each)
        yield Thing(kind, str(attrgetter(name)(each)), _in_states(type_), f"{inside}{id_}")


def _in_states(name: str) -> str:
    """A type of Databricks as states name it; empty for none."""
    return name and f"databricks:index/{name[0].lower()}{name[1:]}:{name}"


TYPES = frozenset(
    {
        *(_in_states(row[3]) for row in (*_WORKSPACE, *_ACCOUNT, *_ACCOUNTS_OWN) if row[3]),
        *(_in_states(name) for name in ("Budget", "MwsNccPrivateEndpointRule", "TagPolicy")),
    }
)
"""Types whose objects are listed, and so compared with states."""
