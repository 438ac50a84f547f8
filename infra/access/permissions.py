"""Permissions of roles on objects of the workspace: jobs, pipelines, the endpoint and their like.

Objects of Unity Catalog have grants instead; see `infra.access.plan`. `infra.layers.platform.permit` makes what
stands in the table. Objects are managed by the group of the platform, so that whoever runs Pulumi can be replaced; of
cluster policies only administrators have more than their use.
"""

from __future__ import annotations

from enum import StrEnum

from infra.access.roles import Role


class ObjectKind(StrEnum):
    """Kinds of objects; the value is the argument of `databricks.Permissions` that takes the object's id.

    Secret scopes alone have a resource of their own, `databricks.SecretAcl`. The job of erasures is a job, and the
    stream's dashboard a dashboard: `ARGUMENTS` has their arguments.
    """

    ALERT = "alert_v2_id"
    CLUSTER_POLICY = "cluster_policy_id"
    DASHBOARD = "dashboard_id"
    ENDPOINT = "serving_endpoint_id"
    ERASURE_JOB = "erasure_job"
    ERASURE_SCOPE = "erasure_scope"
    EXPERIMENT = "experiment_id"
    FOLDER = "directory_path"
    JOB = "job_id"
    ONLINE_STORE = "database_project_name"
    PIPELINE = "pipeline_id"
    MASKS_SCOPE = "masks_scope"
    SECRET_SCOPE = "secret_scope"  # noqa: S105 (a kind, no secret)
    STREAM_DASHBOARD = "stream_dashboard"
    WAREHOUSE = "sql_endpoint_id"


ARGUMENTS = {ObjectKind.ERASURE_JOB: ObjectKind.JOB.value, ObjectKind.STREAM_DASHBOARD: ObjectKind.DASHBOARD.value}

# The runner stands where its jobs use an object, as they start the pipelines; to run as it a job needs no permission.
# The server stands at the endpoint: it writes each new version, and what is not listed here is taken away.
# Levels: https://docs.databricks.com/aws/en/security/auth/access-control/
PERMISSIONS: dict[ObjectKind, dict[Role, str]] = {
    ObjectKind.ALERT: {Role.PLATFORM: "CAN_MANAGE", Role.ENGINEERS: "CAN_MANAGE", Role.SCIENTISTS: "CAN_READ"},
    ObjectKind.CLUSTER_POLICY: {Role.RUNNER: "CAN_USE", Role.ENGINEERS: "CAN_USE"},
    ObjectKind.DASHBOARD: {
        Role.PLATFORM: "CAN_MANAGE",
        Role.ENGINEERS: "CAN_MANAGE",
        Role.SCIENTISTS: "CAN_READ",
        Role.ANALYSTS: "CAN_READ",
    },
    ObjectKind.ENDPOINT: {
        Role.PLATFORM: "CAN_MANAGE",
        Role.SERVER: "CAN_MANAGE",
        Role.ENGINEERS: "CAN_MANAGE",
        Role.SCIENTISTS: "CAN_QUERY",
    },
    # Who asks for an erasure writes a request and starts the job; nobody else sees whom it is about.
    ObjectKind.ERASURE_JOB: {
        Role.PLATFORM: "CAN_MANAGE",
        Role.ENGINEERS: "CAN_MANAGE_RUN",
        Role.PII_READERS: "CAN_MANAGE_RUN",
    },
    ObjectKind.ERASURE_SCOPE: {Role.PLATFORM: "MANAGE", Role.RUNNER: "WRITE", Role.PII_READERS: "WRITE"},
    ObjectKind.EXPERIMENT: {
        Role.PLATFORM: "CAN_MANAGE",
        Role.RUNNER: "CAN_EDIT",
        Role.ENGINEERS: "CAN_MANAGE",
        Role.SCIENTISTS: "CAN_READ",
    },
    ObjectKind.FOLDER: {Role.PLATFORM: "CAN_MANAGE", Role.RUNNER: "CAN_READ", Role.ENGINEERS: "CAN_READ"},
    # Who asks for an erasure sees whether a day runs, which has to end first.
    ObjectKind.JOB: {
        Role.PLATFORM: "CAN_MANAGE",
        Role.ENGINEERS: "CAN_MANAGE_RUN",
        Role.SCIENTISTS: "CAN_VIEW",
        Role.PII_READERS: "CAN_VIEW",
    },
    # Rights inside the database are roles of PostgreSQL.
    ObjectKind.ONLINE_STORE: {Role.PLATFORM: "CAN_MANAGE", Role.RUNNER: "CAN_USE", Role.ENGINEERS: "CAN_USE"},
    ObjectKind.MASKS_SCOPE: {Role.PLATFORM: "MANAGE"},  # whoever reads its key can find the value of a hash
    ObjectKind.PIPELINE: {Role.PLATFORM: "CAN_MANAGE", Role.RUNNER: "CAN_RUN", Role.ENGINEERS: "CAN_MANAGE"},
    ObjectKind.SECRET_SCOPE: {Role.PLATFORM: "MANAGE", Role.RUNNER: "READ", Role.ENGINEERS: "WRITE"},
    # Of tables that analysts do not read.
    ObjectKind.STREAM_DASHBOARD: {Role.PLATFORM: "CAN_MANAGE", Role.ENGINEERS: "CAN_MANAGE"},
    ObjectKind.WAREHOUSE: {
        Role.PLATFORM: "CAN_MANAGE",
        Role.RUNNER: "CAN_USE",
        Role.ENGINEERS: "CAN_MANAGE",
        Role.SCIENTISTS: "CAN_USE",
        Role.ANALYSTS: "CAN_USE",
        Role.PII_READERS: "CAN_USE",
    },
}
# What differs in production, where Pulumi alone changes what runs: people look, run and query. To write secrets is to
# read them, so the platform team enters those of production.
IN_PRODUCTION: dict[ObjectKind, dict[Role, str | None]] = {
    ObjectKind.ALERT: {Role.ENGINEERS: "CAN_RUN"},
    ObjectKind.DASHBOARD: {Role.ENGINEERS: "CAN_RUN"},
    ObjectKind.ENDPOINT: {Role.ENGINEERS: "CAN_QUERY"},
    ObjectKind.EXPERIMENT: {Role.ENGINEERS: "CAN_READ"},
    ObjectKind.PIPELINE: {Role.ENGINEERS: "CAN_RUN"},
    ObjectKind.SECRET_SCOPE: {Role.ENGINEERS: None},
    ObjectKind.STREAM_DASHBOARD: {Role.ENGINEERS: "CAN_RUN"},
    ObjectKind.WAREHOUSE: {Role.ENGINEERS: "CAN_USE"},
}


def permissions_on(kind: ObjectKind, *, production: bool) -> dict[Role, str]:
    """Level of each role on the objects of a kind.

    Args:
        kind: What they are.
        production: Whether the stack is production.
    """
    levels: dict[Role, str | None] = {**PERMISSIONS[kind], **(IN_PRODUCTION.get(kind, {}) if production else {})}
    return {role: level for role, level in levels.items() if level is not None}
