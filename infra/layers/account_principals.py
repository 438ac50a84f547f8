"""Principals of the account, by the names that people know them by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_databricks as databricks

if TYPE_CHECKING:
    import pulumi


def id_of(principal: str, opts: pulumi.InvokeOptions) -> pulumi.Output[str]:
    """Looks up the id of a user or a service principal; one that is missing stops the preview.

    Args:
        principal: User name, or application id of a service principal.
        opts: Options with the provider, or with a parent that has one.
    """
    if "@" in principal:
        return databricks.get_user_output(user_name=principal, opts=opts).apply(lambda user: user.id)
    found = databricks.get_service_principal_output(application_id=principal, opts=opts)
    return found.apply(lambda service_principal: service_principal.id)
