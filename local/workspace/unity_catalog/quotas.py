"""Quotas of Unity Catalog: how many objects of a kind lie in what contains them.

The file `quotas.json` in the home folder lowers them, as `{"schema": 2}` does for the schemas of a catalog. It is read
with each request.

Source of the numbers: Databricks' documentation, "Resource limits", objects of Unity Catalog.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.workspace.core.errors import bad_request
from local.workspace.unity_catalog.documents import CATALOGS, MODELS, SCHEMAS, VOLUMES

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import DocumentKind

_KINDS: dict[str, DocumentKind[Any]] = {"catalog": CATALOGS, "schema": SCHEMAS, "volume": VOLUMES, "function": MODELS}
_LIMITS = {"catalog": 1000, "schema": 10_000, "volume": 10_000, "function": 5000}


def check_quota(workspace: Workspace, kind: str, container: str, name: str) -> None:
    """Refuses one more object where there are as many as Unity Catalog takes.

    Args:
        workspace: The workspace.
        kind: `catalog`, `schema`, `volume`, or `function` for a model.
        container: `Metastore`, `Catalog` or `Schema`.
        name: Name of the container.

    Raises:
        ApiError: A 400 with the code QUOTA_EXCEEDED, the count and the limit.
    """
    limit = _lowered(workspace).get(kind, _LIMITS[kind])
    prefix = "" if container == "Metastore" else f"{name}."
    count = len(workspace.store.items(_KINDS[kind], prefix))
    if count >= limit:
        raise bad_request(
            f"Cannot create 1 {kind.title()}(s) in {container} {name} (estimated count: {count}, limit: {limit}).",
            "QUOTA_EXCEEDED",
        )


def _lowered(workspace: Workspace) -> dict[str, int]:
    try:
        lowered: dict[str, int] = json.loads(workspace.settings.quotas.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return lowered
