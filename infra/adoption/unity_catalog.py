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


ROWS = {
    "Catalog": _named("name", get=lambda client: client.catalogs.get),
    "Credential": _named("name", get=lambda client: client.credentials.get_credential),
    "ExternalLocation": _named("name", get=lambda client: client.external_locations.get),
    "Metastore": Row(_metastores),
    "RegisteredModel": _named("catalogName", "schemaName", "name", get=lambda client: client.registered_models.get),
    "Schema": _named("catalogName", "name", get=lambda client: client.schemas.get),
    "StorageCredential": _named("name", get=lambda client: client.storage_credentials.get),
    "Volume": _named("catalogName", "schemaName", "name", get=lambda client: client.volumes.read),
    "Grant": Row(again="the privileges of a principal on a securable are replaced"),
    "Grants": Row(again="the privileges on a securable are replaced"),
}
