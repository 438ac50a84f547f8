"""Objects of a workspace, as its official client lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def inventory(client: WorkspaceClient) -> dict[str, set[str | None]]:
    """Names of all objects, by kind."""
    return {
        "catalogs": {catalog.name for catalog in client.catalogs.list()},
        "cluster policies": {policy.name for policy in client.cluster_policies.list()},
        "clusters": {cluster.cluster_name for cluster in client.clusters.list()},
        "credentials": {credential.name for credential in client.credentials.list_credentials()},
        "dashboards": {dashboard.display_name for dashboard in client.lakeview.list()},
        "endpoints": {endpoint.name for endpoint in client.serving_endpoints.list()},
        "experiments": {experiment.name for experiment in client.experiments.search_experiments(max_results=1000)}
        - {"Default"},
        "external locations": {location.name for location in client.external_locations.list()},
        "groups": {group.display_name for group in client.groups.list()},
        "jobs": {job.settings.name for job in client.jobs.list() if job.settings},
        "pipelines": {pipeline.name for pipeline in client.pipelines.list_pipelines()},
        "secret scopes": {scope.name for scope in client.secrets.list_scopes()},
        "service principals": {principal.display_name for principal in client.service_principals.list()},
        "users": {user.user_name for user in client.users.list()},
        "warehouses": {warehouse.name for warehouse in client.warehouses.list()},
        "workspace files": {entry.path for entry in client.workspace.list("/", recursive=True)},
    }
