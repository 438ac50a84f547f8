"""Clusters, pools and warehouses: under a policy, isolated, and off when nobody uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policies.rule import UNKNOWN, Violation, items, mapping, rule, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.rule import Resource

SECURITY_MODES = ("SINGLE_USER", "USER_ISOLATION")  # other spellings of these modes differ in every preview
MAX_CLUSTER_IDLE_MINUTES = 60
MAX_WAREHOUSE_IDLE_MINUTES = 30


def _idle(path: str, minutes: Any, maximum: int) -> Iterator[Violation]:
    """Checks an idle time-out in minutes. 0 means never; without a value the service takes its default of hours."""
    if minutes is not UNKNOWN and not (isinstance(minutes, int | float) and 0 < minutes <= maximum):
        yield Violation(path, minutes, f"set it from 1 to {maximum} minutes")


def _under_policy(path: str, cluster: Mapping[str, Any]) -> Iterator[Violation]:
    policy = cluster.get("policyId")
    if not policy:
        yield Violation(f"{path}policyId", policy, "name the cluster policy that bounds its size and cost")


def _cluster(path: str, cluster: Mapping[str, Any]) -> Iterator[Violation]:
    yield from _under_policy(path, cluster)
    mode = cluster.get("dataSecurityMode")
    if mode is not UNKNOWN and mode not in SECURITY_MODES:
        yield Violation(f"{path}dataSecurityMode", mode, f"use {' or '.join(SECURITY_MODES)}")


def _default_cluster(pipeline: Mapping[str, Any]) -> Iterator[Violation]:
    """Yields classic pipelines without a cluster of their own: the cluster that Databricks adds is under no policy."""
    clusters = pipeline.get("clusters")
    if pipeline.get("serverless") in (True, UNKNOWN) or clusters is UNKNOWN:
        return
    labels = [mapping(cluster).get("label") for cluster in clusters or []]
    if all(label == "maintenance" for label in labels):
        yield Violation("clusters", labels or None, "set serverless to true, or add a default cluster with a policyId")


def _clusters_bounded(resource: Resource) -> Iterator[Violation]:
    if resource.kind == "Cluster":
        yield from _cluster("", resource.inputs)
        minutes = resource.inputs.get("autoterminationMinutes")
        yield from _idle("autoterminationMinutes", minutes, MAX_CLUSTER_IDLE_MINUTES)
    for path, element in [*items(resource.inputs, "jobClusters"), *tasks(resource.inputs)]:
        if cluster := mapping(element.get("newCluster")):
            yield from _cluster(f"{path}.newCluster.", cluster)
    if resource.kind == "Pipeline":
        yield from _default_cluster(resource.inputs)
    for path, cluster in items(resource.inputs, "clusters"):  # clusters of a pipeline have no security mode
        yield from _under_policy(f"{path}.", cluster)


def _pools_drain(resource: Resource) -> Iterator[Violation]:
    idle_instances = resource.inputs.get("minIdleInstances")
    if isinstance(idle_instances, int | float) and idle_instances > 0:
        yield Violation("minIdleInstances", idle_instances, "leave it out: idle instances are paid for")
    minutes = resource.inputs.get("idleInstanceAutoterminationMinutes")
    if minutes != 0:  # in a pool, 0 ends an instance as soon as it is idle
        yield from _idle("idleInstanceAutoterminationMinutes", minutes, MAX_CLUSTER_IDLE_MINUTES)


def _warehouses_stop(resource: Resource) -> Iterator[Violation]:
    yield from _idle("autoStopMins", resource.inputs.get("autoStopMins"), MAX_WAREHOUSE_IDLE_MINUTES)


RULES = [
    rule(
        "clusters-bounded",
        "A cluster has a policy, an isolating security mode and, if it outlives a run, an idle time-out.",
        _clusters_bounded,
        ("Cluster", "Job", "Pipeline"),
    ),
    rule("pools-drain", "A pool keeps no instance that nobody uses.", _pools_drain, ("InstancePool",)),
    rule("warehouses-stop", "A warehouse stops when it is idle.", _warehouses_stop, ("SqlEndpoint",)),
]
