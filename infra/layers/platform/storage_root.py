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
    urls = names.apply(lambda found: pulumi.Output.all(*[_url(name, opts) for name in found]))
    return urls.apply(lambda found: check_covered(root, found))


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


def _url(location: str, opts: pulumi.InvokeOutputOptions) -> pulumi.Output[str]:
    """Looks up the URL of an external location."""
    found = databricks.get_external_location_output(name=location, opts=opts)
    return found.external_location_info.apply(lambda info: info.url or "")
