"""Objects of a workspace. What lies in the stack's own folder is the stack's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.errors import NotFound

from infra.adoption.cloud import Found, Row, compared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.adoption.cloud import Cloud, Inputs

REPLACED = "the whole of it is replaced"
WRITTEN = "a file is written over"


def _jobs(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for job in cloud.workspace.jobs.list(name=inputs["name"]):
        if job.settings and job.settings.name == inputs["name"]:
            managers = cloud.managers("jobs", str(job.job_id))
            yield cloud.judged(str(job.job_id), [job.creator_user_name, *managers], inputs)


def _pipelines(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for pipeline in cloud.workspace.pipelines.list_pipelines(filter=f"name LIKE '{inputs['name']}'"):
        if pipeline.name == inputs["name"]:  # an underscore of LIKE stands for any character
            id_ = str(pipeline.pipeline_id)
            yield cloud.judged(id_, [pipeline.creator_user_name, *cloud.managers("pipelines", id_)], inputs)


def _cluster_policies(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for policy in cloud.workspace.cluster_policies.list():
        if policy.name == inputs["name"]:
            yield cloud.judged(str(policy.policy_id), [policy.creator_user_name], inputs)


def _warehouses(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for warehouse in cloud.workspace.warehouses.list():
        if warehouse.name == inputs["name"]:
            id_ = str(warehouse.id)
            yield cloud.judged(id_, [warehouse.creator_name, *cloud.managers("warehouses", id_)], inputs)


def _secret_scopes(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    name = inputs["name"]
    if any(scope.name == name for scope in cloud.workspace.secrets.list_scopes()):
        rights = cloud.workspace.secrets.list_acls(name)
        yield cloud.judged(name, [r.principal for r in rights if r.permission.value == "MANAGE"], inputs)


def _experiments(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    try:
        there = cloud.workspace.experiments.get_by_name(inputs["name"]).experiment
    except NotFound:
        return
    if there and there.lifecycle_stage == "active":
        yield Found(str(there.experiment_id), own=True)


def _dashboards(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for listed in cloud.workspace.lakeview.list():
        if listed.display_name == inputs["displayName"]:
            there = cloud.workspace.lakeview.get(str(listed.dashboard_id))
            if there.parent_path == inputs["parentPath"]:
                yield Found(str(there.dashboard_id), own=True)


def _endpoints(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    try:
        there = cloud.workspace.serving_endpoints.get(inputs["name"])
    except NotFound:
        return
    updating = there.state and there.state.config_update and there.state.config_update.value == "IN_PROGRESS"
    managers = cloud.managers("serving-endpoints", str(there.id))
    yield cloud.judged(inputs["name"], [there.creator, *managers], inputs, ready=not updating)


def _service_principals(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """A directory tells nobody's principals; their rule sets do, unless they are empty."""
    account = cloud.deployer.account_id
    for principal in cloud.workspace.service_principals.list(filter=f'displayName eq "{inputs["displayName"]}"'):
        rules = cloud.workspace.account_access_control_proxy.get_rule_set(
            f"accounts/{account}/servicePrincipals/{principal.application_id}/ruleSets/default", ""
        )
        managers = [
            name.partition("/")[2]
            for rule in rules.grant_rules or []
            if rule.role.endswith(".manager")
            for name in rule.principals or []
        ]
        yield cloud.judged(str(principal.id), managers, inputs) if managers else compared(str(principal.id), same=True)


def _secrets(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    for secret in cloud.workspace.service_principal_secrets_proxy.list(str(inputs["servicePrincipalId"])):
        yield compared(str(secret.id), same=True)


ROWS = {
    "AccessControlRuleSet": Row(again=REPLACED),
    "ClusterPolicy": Row(_cluster_policies),
    "Dashboard": Row(_dashboards),
    "Directory": Row(again="a folder that exists stays"),
    "Entitlements": Row(again=REPLACED),
    "File": Row(again=WRITTEN),
    "Job": Row(_jobs, unique=False),
    "MlflowExperiment": Row(_experiments),
    "ModelServing": Row(_endpoints),
    "PermissionAssignment": Row(again=REPLACED),
    "Permissions": Row(again=REPLACED),
    "Pipeline": Row(_pipelines),
    "SecretAcl": Row(again=REPLACED),
    "SecretScope": Row(_secret_scopes),
    "ServicePrincipal": Row(_service_principals, unique=False),
    # Its value is told once, to whoever made it.
    "ServicePrincipalSecret": Row(_secrets, kept=False),
    "SqlEndpoint": Row(_warehouses),
    "WorkspaceFile": Row(again=WRITTEN),
}
