"""Objects of Unity Catalog: their names are unique, and each has an owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from databricks.sdk.errors import NotFound, PermissionDenied

from infra.adoption.cloud import Found, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databricks.sdk import WorkspaceClient

    from infra.adoption.cloud import Cloud, Inputs


def _named(*parts: str, get: Callable[[WorkspaceClient], Callable[[str], Any]]) -> Row:
    """A row for objects that are read by their full name, which is their id.

    Args:
        parts: Inputs that make up the full name.
        get: The call that reads one.
    """

    def find(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
        name = ".".join(str(inputs[part]) for part in parts)
        try:
            there = get(cloud.workspace)(name)
        except NotFound:
            return
        except PermissionDenied:  # of what somebody else has made
            yield Found(name, own=False, holder="somebody who hides it")
            return
        yield cloud.judged(name, [there.owner], inputs)

    return Row(find)


def _metastores(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for metastore in cloud.account.metastores.list():
        if (metastore.name, metastore.region) == (inputs["name"], inputs.get("region")):
            yield cloud.judged(str(metastore.metastore_id), [metastore.owner, metastore.created_by], inputs)


def _policies(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """A policy of the stack's own catalog; whoever made it must have managed the catalog."""
    kind, name = inputs["onSecurableType"], inputs["onSecurableFullname"]
    for policy in cloud.workspace.policies.list_policies(kind, name):
        if policy.name == inputs["name"]:
            yield cloud.judged(f"{kind},{name},{policy.name}", [policy.created_by], inputs)


def _tags(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """A tag of a column that the stack tags, by the stack's own hand: one that says the same is the stack's."""
    kind, name, key = inputs["entityType"], inputs["entityName"], inputs["tagKey"]
    try:
        there = cloud.workspace.entity_tag_assignments.get(kind, name, key)
    except NotFound:
        return
    yield Found(f"{kind},{name},{key}", own=there.tag_value == inputs.get("tagValue"), holder="whoever tagged it")


ROWS = {
    "Catalog": _named("name", get=lambda client: client.catalogs.get),
    "Credential": _named("name", get=lambda client: client.credentials.get_credential),
    "EntityTagAssignment": Row(_tags),
    "ExternalLocation": _named("name", get=lambda client: client.external_locations.get),
    "Metastore": Row(_metastores),
    "PolicyInfo": Row(_policies),
    "RegisteredModel": _named("catalogName", "schemaName", "name", get=lambda client: client.registered_models.get),
    "Schema": _named("catalogName", "name", get=lambda client: client.schemas.get),
    "StorageCredential": _named("name", get=lambda client: client.storage_credentials.get),
    "Volume": _named("catalogName", "schemaName", "name", get=lambda client: client.volumes.read),
    "Grant": Row(again="the privileges of a principal on a securable are replaced"),
    "Grants": Row(again="the privileges on a securable are replaced"),
}
