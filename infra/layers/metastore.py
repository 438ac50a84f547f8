"""The metastore of a workspace. It is adopted, never made: there is one for each region and account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.errors import WrongMetastoreError

if TYPE_CHECKING:
    from uuid import UUID


def attached_metastore(wanted: UUID | None, setting: str, provider: databricks.Provider | None) -> pulumi.Output[str]:
    """Looks up the metastore that a workspace is attached to.

    Args:
        wanted: Id that it must have; None accepts any.
        setting: Name of the setting that says so, for the message.
        provider: Provider of the workspace.

    Returns:
        Its id; the output fails with WrongMetastoreError when it is another one.
    """
    metastore = databricks.get_current_metastore_output(opts=pulumi.InvokeOutputOptions(provider=provider))
    return metastore.id.apply(lambda attached: _check_metastore(attached, wanted, setting))


def _check_metastore(attached: str, wanted: UUID | None, setting: str) -> str:
    if wanted is not None and attached != str(wanted):
        raise WrongMetastoreError(
            f"{setting}: received {wanted}; the workspace is attached to {attached}; "
            "remedy: correct the setting, or attach the workspace to the other metastore"
        )
    return attached
