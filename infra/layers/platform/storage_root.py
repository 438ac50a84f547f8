"""The catalog's storage where the ground makes none: as the settings say, looked up while planning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.errors import StorageRootError

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTING = "churn:ground.storage_root"


def found_storage_root(root: str | None, workspace: databricks.Provider) -> pulumi.Output[str | None]:
    """Checks that the workspace's metastore has room for a catalog.

    Args:
        root: Cloud location of the catalog's tables, as the settings say; None takes the metastore's own.
        workspace: Provider of the workspace.

    Returns:
        The location; the output fails with StorageRootError where there is none, or no external location covers it.
    """
    opts = pulumi.InvokeOutputOptions(provider=workspace)
    if root is None:
        info = databricks.get_current_metastore_output(opts=opts).metastore_info
        return info.apply(lambda metastore: check_metastore_root(metastore.storage_root))
    names = databricks.get_external_locations_output(opts=opts).names
    return _urls(names, opts).apply(lambda urls: check_covered(root, urls))


def check_metastore_root(storage_root: str | None) -> None:
    """Checks that a metastore has a root.

    Args:
        storage_root: Its root; empty where it has none.

    Raises:
        StorageRootError: It has none.
    """
    if not storage_root:
        raise StorageRootError(
            f"{SETTING}: received null; the metastore has no storage root, as those that Databricks makes; allowed: a "
            "cloud location below an external location; remedy: name one, or let churn:ground.aws make it"
        )


def check_covered(root: str, urls: Sequence[str]) -> str:
    """Checks that an external location covers a catalog's storage.

    Args:
        root: The storage.
        urls: Those of the external locations that the deployer sees.

    Returns:
        The storage.

    Raises:
        StorageRootError: None covers it.
    """
    if not any(f"{root}/".startswith(f"{url.rstrip('/')}/") for url in urls if url):
        raise StorageRootError(
            f"{SETTING}: received {root}; allowed: below an external location that the deployer may use, of "
            f"{', '.join(sorted(urls)) or 'which it sees none'}; remedy: make one over it and grant the deployer "
            "CREATE MANAGED STORAGE there, or correct the setting"
        )
    return root


def _urls(names: pulumi.Output[Sequence[str]], opts: pulumi.InvokeOutputOptions) -> pulumi.Output[list[str]]:
    """Looks up the URLs of external locations."""

    def look_up(found: Sequence[str] | None) -> pulumi.Output[list[str]]:
        # the provider answers nothing, and no empty list, where there is none
        infos = [databricks.get_external_location_output(name=name, opts=opts) for name in found or ()]
        return pulumi.Output.all(*[info.external_location_info.apply(lambda known: known.url or "") for info in infos])

    return names.apply(look_up)
