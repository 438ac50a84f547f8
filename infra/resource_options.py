"""Options that every resource of a class has, whichever component declares it."""

from __future__ import annotations

import pulumi

# Classes that the provider cannot update: each change replaces the object. Made before the old one is deleted, the new
# object would have the same key, and the deletion would remove the new one. The provider's schema shows most of them:
# all their inputs replace. The others are those without an update function, or with a fixed key, in its Go source.
# What a workspace is made from (keys, storage, VPC endpoints) is missing: nothing that is in use can be deleted, so the
# new one is made first, under another name, and the workspace moves to it.
WITHOUT_UPDATE = frozenset(
    {
        "CatalogWorkspaceBinding",
        "DatabaseSyncedDatabaseTable",
        "DbfsFile",
        "EntityTagAssignment",
        "GroupInstanceProfile",
        "GroupMember",
        "GroupRole",
        "LakehouseMonitor",
        "Library",
        "MetastoreAssignment",
        "MetastoreDataAccess",
        "Mount",
        "MwsNetworkConnectivityConfig",
        "MwsPermissionAssignment",
        "OboToken",
        "OnlineTable",
        "PostgresSyncedTable",
        "Secret",
        "SecretAcl",
        "SecretScope",
        "ServicePrincipalFederationPolicy",
        "ServicePrincipalRole",
        "ServicePrincipalSecret",
        "Token",
        "UserInstanceProfile",
        "UserRole",
        "VectorSearchIndex",
        "WorkspaceBinding",
    }
)

# Grants are updated in place, but those of a list that closes tables are replaced: see `ClassifiedTables`.
DELETED_FIRST = WITHOUT_UPDATE | {"Grants"}

# Properties that somebody else sets, so that a preview with a refresh would differ for ever. The service sets defaults
# of Unity Catalog (`unity.catalog.managed.…`) and the telemetry of an endpoint. What members of a group may open, each
# platform says in its workspace, by a resource of its own.
SET_ELSEWHERE = {
    "Catalog": ["properties"],
    "Group": ["workspaceAccess", "databricksSqlAccess"],
    "ModelServing": ["telemetryConfig"],
    "Schema": ["properties"],
}


def add_options_of_class(
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    """Adds the options of its class to a resource of Databricks; a transformation of the stack.

    Args:
        args: The resource as it was declared.

    Returns:
        The same resource with more options; None for other resources.
    """
    if not args.type_.startswith("databricks:"):
        return None
    name = args.type_.rsplit(":", 1)[-1]
    options = pulumi.ResourceOptions(
        delete_before_replace=True if name in DELETED_FIRST else None,
        ignore_changes=SET_ELSEWHERE.get(name),
    )
    return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, options))
