"""The online store: a project of Lakebase with the database that the job `churn_activity` fills."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.access.roles import Role
from infra.layers.platform.permit import permit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layers.platform.permit import Principals
    from infra.written.settings.stream import Online

BRANCH = "production"  # which a new project has, with the endpoint `primary`
ENDPOINT = "primary"
DATABASE = "churn"
POSTGRES = 18
KEPT = "604800s"  # a week within which the database can be put back to a moment


def project_id(prefix: str) -> str:
    """The id of the project: as names in DNS, without underscores."""
    return prefix.replace("_", "-")


@dataclass(frozen=True)
class OnlineStoreArgs:
    """Inputs of `OnlineStore`.

    Attributes:
        project: Id of the project, as `churn-local`.
        tags: Tags of what it costs.
        settings: The stack's section `stream.online`.
        principals: Principal of each role.
        protect: Whether to refuse to destroy it; if not, a project that is deleted is gone at once, with its id.
    """

    project: str
    tags: Mapping[str, str]
    settings: Online
    principals: Principals
    protect: bool


class OnlineStore(pulumi.ComponentResource):
    """Owns the project, its endpoint, the runner's role in PostgreSQL, and the database that this role owns.

    No password is kept: who connects gets a credential that lasts for an hour, by the name of the endpoint. Tables and
    rights in the database are the wheel's.

    Attributes:
        endpoint: Full name of the endpoint.
        host: Where PostgreSQL answers.
        database: Name of the database.
        outputs: All three, by these names.
    """

    outputs: dict[str, pulumi.Output[str]]
    endpoint: pulumi.Output[str]
    host: pulumi.Output[str]
    database: pulumi.Output[str]

    def __init__(self, name: str, args: OnlineStoreArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the project and what is in it."""
        super().__init__("churn:platform:OnlineStore", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        project = databricks.PostgresProject(
            "online",
            project_id=args.project,
            purge_on_delete=not args.protect,
            spec={
                "display_name": args.project,
                "pg_version": POSTGRES,
                "history_retention_duration": KEPT,
                "custom_tags": [{"key": key, "value": value} for key, value in sorted(args.tags.items())],
            },
            opts=child,
        )
        permit(self, "online", ObjectKind.ONLINE_STORE, args.project, args.principals, after=[project])
        branch = pulumi.Output.concat(project.name, f"/branches/{BRANCH}")
        endpoint = databricks.PostgresEndpoint(
            "online-endpoint",
            endpoint_id=ENDPOINT,
            parent=branch,
            replace_existing=True,
            spec={
                "endpoint_type": "ENDPOINT_TYPE_READ_WRITE",
                "autoscaling_limit_min_cu": args.settings.minimum_units,
                "autoscaling_limit_max_cu": args.settings.maximum_units,
                "no_suspension": True,  # the stream would wake it at once
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        runner = databricks.PostgresRole(
            "online-runner",
            role_id="runner",
            parent=branch,
            spec={"postgres_role": args.principals[Role.RUNNER], "identity_type": "SERVICE_PRINCIPAL"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[endpoint]),
        )
        database = databricks.PostgresDatabase(
            "online-database",
            database_id=DATABASE,
            parent=branch,
            spec={"postgres_database": DATABASE, "role": runner.name},
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[endpoint])),
        )
        self.endpoint = pulumi.Output.all(endpoint.name, database.id).apply(lambda known: str(known[0]))
        self.host = endpoint.status.apply(_host)
        self.database = database.spec.apply(lambda _: DATABASE)
        self.outputs = {"endpoint": self.endpoint, "host": self.host, "database": self.database}
        self.register_outputs(self.outputs)


def _host(status: databricks.outputs.PostgresEndpointStatus) -> str:
    """Name of the host, which the endpoint has once it runs."""
    return (status.hosts.host if status and status.hosts else None) or ""
