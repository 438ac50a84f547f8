"""Cluster policies, enforced on clusters and on job clusters, through the official SDK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import errors
from databricks.sdk.service import compute, jobs

from tests.local.job_tasks import MINUTE, WHEEL, failed, task, with_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import LocalWorkspace

RULES = {
    "num_workers": {"type": "range", "minValue": 1, "maxValue": 2},
    "node_type_id": {"type": "allowlist", "values": ["m7g.large", "m7g.xlarge"], "defaultValue": "m7g.large"},
    "spark_version": {"type": "regex", "pattern": "1[78]\\..*"},
    "custom_tags.team": {"type": "fixed", "value": "churn"},
    "spark_conf.spark.sql.shuffle.partitions": {"type": "fixed", "value": "3"},
    "driver_node_type_id": {"type": "blocklist", "values": ["m7g.2xlarge"], "isOptional": True},
    "ssh_public_keys.0": {"type": "forbidden"},
    "init_scripts.*.workspace.destination": {"type": "forbidden"},
    "dbus_per_hour": {"type": "range", "maxValue": 2},
    "autotermination_minutes": {"type": "unlimited", "defaultValue": 15},
}
GOOD = {
    "num_workers": 2,
    "node_type_id": "m7g.large",
    "spark_version": "18.0.x-scala2.13",
    "autotermination_minutes": 9,
}
CASES = [
    ({"num_workers": 9}, "num_workers, the value must be at most 2 (is 9)"),
    ({"num_workers": 0}, "num_workers, the value must be at least 1 (is 0)"),
    ({"num_workers": None}, "num_workers, the value must be present"),
    ({"node_type_id": "m7g.2xlarge"}, "node_type_id, the value must be one of m7g.large, m7g.xlarge (is"),
    ({"node_type_id": None}, "node_type_id, the value must be present"),
    ({"spark_version": "16.4.x"}, "spark_version, the value must match the regex"),
    ({"custom_tags": {"team": "x"}}, 'custom_tags.team, the value must be churn (is "x")'),
    ({"driver_node_type_id": "m7g.2xlarge"}, "driver_node_type_id, the value must not be one of m7g.2xlarge"),
    ({"ssh_public_keys": ["k"]}, 'ssh_public_keys.0, the value must not be present (is "k")'),
    (
        {"init_scripts": [{"s3": {"destination": "s"}}, {"workspace": {"destination": "/w"}}]},
        'init_scripts.*.workspace.destination, the value must not be present (is "/w")',
    ),
    ({"node_type_id": "m7g.xlarge"}, "dbus_per_hour, the value must be at most 2 (is 3.0)"),
    ({"autotermination_minutes": None}, "autotermination_minutes, the value must be present"),
    ({"spark_conf": {"spark.sql.shuffle.partitions": "4"}}, "spark_conf.spark.sql.shuffle.partitions, the value must"),
]


@pytest.fixture(scope="module")
def cloud(workspace: LocalWorkspace) -> LocalWorkspace:
    return with_tasks(workspace)


@pytest.fixture
def policy(cloud: LocalWorkspace, request: pytest.FixtureRequest) -> Iterator[str]:
    policies = cloud.client().cluster_policies
    policy_id = policies.create(name=request.node.name, definition=json.dumps(RULES)).policy_id
    yield policy_id
    policies.delete(policy_id)


def create(cloud: LocalWorkspace, settings: dict[str, Any]) -> Any:
    sent = {name: value for name, value in settings.items() if value is not None}
    return cloud.http().post("/api/2.1/clusters/create", json=sent)


@pytest.mark.shows("compute: cluster policies refuse what breaks a rule", client="databricks-sdk")
@pytest.mark.shows("compute: cluster policies over items of lists, and DBU an hour", client="databricks-sdk")
def test_a_cluster_that_breaks_its_policy_is_refused(cloud: LocalWorkspace, policy: str) -> None:
    for changes, said in CASES:
        answer = create(cloud, {**GOOD, "policy_id": policy, **changes})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), changes
        assert f"Cluster validation error: Validation failed for {said}" in answer.json()["message"]


@pytest.mark.shows("compute: cluster policies put in fixed values, and defaults on request", client="databricks-sdk")
def test_fixed_values_are_put_in_and_defaults_only_on_request(cloud: LocalWorkspace, policy: str) -> None:
    made = create(cloud, {**GOOD, "policy_id": policy}).json()["cluster_id"]
    found = cloud.client().clusters.get(made)
    assert (found.custom_tags, found.autotermination_minutes) == ({"team": "churn"}, 9)
    assert found.spark_conf == {"spark.sql.shuffle.partitions": "3"}
    short = {"num_workers": 1, "spark_version": "18.0.x-scala2.13", "apply_policy_default_values": True}
    other = create(cloud, {**short, "policy_id": policy}).json()["cluster_id"]
    found = cloud.client().clusters.get(other)
    assert (found.node_type_id, found.autotermination_minutes) == ("m7g.large", 15)
    for cluster_id in (made, other):
        cloud.client().clusters.permanent_delete(cluster_id)


@pytest.mark.shows("compute: cluster policies bind job clusters, written and run", client="databricks-sdk")
def test_job_clusters_keep_to_their_policy_when_written_and_when_run(cloud: LocalWorkspace, policy: str) -> None:
    client = cloud.client()
    kind = {"cluster_type": {"type": "fixed", "value": "job"}}
    client.cluster_policies.edit(policy, name="jobs", definition=json.dumps(RULES | kind))
    answer = create(cloud, {**GOOD, "policy_id": policy})
    assert 'cluster_type, the value must be job (is "all-purpose")' in answer.json()["message"]

    def cluster(workers: int) -> jobs.JobCluster:
        spec = compute.ClusterSpec.from_dict({**GOOD, "num_workers": workers, "policy_id": policy})
        return jobs.JobCluster("main", spec)

    show = task("one", "show", parameters={"a": "1"}, libraries=[compute.Library(whl=WHEEL)])
    show.environment_key, show.job_cluster_key = None, "main"
    said = r"job_clusters\[0\]\.new_cluster\..*num_workers, the value must be at most 2 \(is 9\)"
    with pytest.raises(errors.BadRequest, match=said):
        client.jobs.create(name="policed", tasks=[show], job_clusters=[cluster(9)])
    job_id = client.jobs.create(name="policed", tasks=[show], job_clusters=[cluster(2)]).job_id
    client.cluster_policies.edit(
        policy, name="jobs", definition=json.dumps({"num_workers": RULES["num_workers"] | {"maxValue": 1}})
    )
    waiter = client.jobs.run_now(job_id)
    assert "the value must be at most 1 (is 2)" in failed(lambda: waiter.result(MINUTE))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"type": "fixed"}, "definition.a is fixed and needs value"),
        ({"type": "range"}, "needs minValue or maxValue"),
        ({"type": "regex"}, "needs pattern"),
        ({"type": "most"}, "definition.a.type is 'most'"),
    ],
)
def test_a_rule_without_what_it_needs_is_refused(cloud: LocalWorkspace, rule: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.BadRequest, match=said):
        cloud.client().cluster_policies.create(name="bad", definition=json.dumps({"a": rule}))


def test_rules_that_are_not_built_are_refused_by_name(cloud: LocalWorkspace) -> None:
    policies = cloud.client().cluster_policies
    definition = json.dumps({"init_scripts.*.workspace.destination": {"type": "fixed", "value": "/w"}})
    with pytest.raises(errors.NotImplemented, match=r"init_scripts\.\*"):
        policies.create(name="wide", definition=definition)
    with pytest.raises(errors.BadRequest, match="allowed: range"):
        policies.create(name="wide", definition=json.dumps({"dbus_per_hour": {"type": "forbidden"}}))
