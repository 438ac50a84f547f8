"""Protection of data in production, and no use of types and fields that Databricks has replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policies.rule import Violation, mapping, rule, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

# A pipeline holds its tables, an experiment its runs, a group its members, a scope secrets that were entered by hand.
HOLDS_DATA = (
    "Catalog",
    "Group",
    "Metastore",
    "MlflowExperiment",
    "Pipeline",
    "PostgresDatabase",
    "PostgresProject",
    "RegisteredModel",
    "Schema",
    "SecretScope",
    "Volume",
)
DESTROYS_CONTENT = ("deleteRecursive", "forceDeleteHomeDir", "forceDeleteRepos", "forceDestroy", "purgeOnDelete")
LEGACY_KINDS = {
    "DbfsFile": "File in a volume",
    "LakehouseMonitor": "QualityMonitor",
    "MlflowModel": "RegisteredModel",
    "Mount": "Volume over an ExternalLocation",
    "SqlAlert": "AlertV2",
    "SqlDashboard": "Dashboard",
    "SqlQuery": "Query",
    "SqlTable": "tables made by pipelines and jobs",
    "Table": "tables made by pipelines and jobs",
}
LEGACY_FIELDS = {
    "Job": {
        "newCluster": "jobClusters",
        "existingClusterId": "jobClusters",
        "libraries": "libraries of the tasks",
        "notebookTask": "tasks",
        "sparkJarTask": "tasks",
        "sparkPythonTask": "tasks",
        "pythonWheelTask": "tasks",
        "pipelineTask": "tasks",
    },
    "ModelServing": {"rateLimits": "aiGateway.rateLimits"},
    "Pipeline": {"target": "schema"},
}


def _protected(resource: Resource) -> Iterator[Violation]:
    if resource.in_production and not resource.protected:
        yield Violation("protect", False, "set protect=True: destroying it would destroy what it holds")


def _no_force_destroy(resource: Resource) -> Iterator[Violation]:
    for field in DESTROYS_CONTENT:
        if resource.in_production and resource.inputs.get(field) is True:
            yield Violation(field, True, "leave it out in production, and empty the object before deleting it")


def _no_legacy(resource: Resource) -> Iterator[Violation]:
    if resource.kind in LEGACY_KINDS:
        yield Violation("type", resource.kind, f"use {LEGACY_KINDS[resource.kind]}")
    for field, instead in LEGACY_FIELDS.get(resource.kind, {}).items():
        if resource.inputs.get(field) not in (None, [], {}):
            yield Violation(field, "a legacy field", f"use {instead}")
    if resource.kind == "Job":
        for path, task in tasks(resource.inputs):
            if task.get("newCluster"):
                yield Violation(f"{path}.newCluster", "a legacy field", "share one of jobClusters by jobClusterKey")
    if resource.kind == "ModelServing":
        config = mapping(resource.inputs.get("config"))
        for field, instead in (("servedModels", "servedEntities"), ("autoCaptureConfig", "aiGateway")):
            if config.get(field):
                yield Violation(f"config.{field}", "a legacy field", f"use {instead}")


RULES = [
    rule("protected-data", "In production, resources that hold data are protected.", _protected, HOLDS_DATA),
    rule("no-force-destroy", "In production, no resource is destroyed together with its content.", _no_force_destroy),
    rule("no-legacy", "No resource type or field is used that Databricks has replaced.", _no_legacy),
]
