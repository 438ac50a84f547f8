"""Cases of the rules on clusters, pools and warehouses."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import CLASSIC, CLUSTER, EXPLORE, PIPELINE, POOL, TASK, job, without

CASES = [
    Case("clusters-bounded", "Cluster", without(EXPLORE, "policyId"), "policyId is not set", EXPLORE),
    Case("clusters-bounded", "Cluster", {**EXPLORE, "policyId": ""}, "policyId is ''", EXPLORE),
    Case(
        "clusters-bounded",
        "Job",
        job(jobClusters=[{"jobClusterKey": "main", "newCluster": {**CLUSTER, "dataSecurityMode": "NONE"}}]),
        "jobClusters[0].newCluster.dataSecurityMode is 'NONE'",
        job(jobClusters=[{"jobClusterKey": "main", "newCluster": CLUSTER}]),
    ),
    Case(
        "clusters-bounded",
        "Job",
        job(
            tasks=[
                {
                    **TASK,
                    "forEachTask": {"inputs": "[1]", "task": {**TASK, "newCluster": without(CLUSTER, "policyId")}},
                }
            ]
        ),
        "tasks[0].forEachTask.task.newCluster.policyId is not set",
        job(tasks=[{**TASK, "forEachTask": {"inputs": "[1]", "task": {**TASK, "taskKey": "each"}}}]),
    ),
    Case(
        "clusters-bounded",
        "Pipeline",
        {**CLASSIC, "clusters": [{"label": "default", "numWorkers": 1}]},
        "clusters[0].policyId is not set",
        {**CLASSIC, "clusters": [{"label": "default", "numWorkers": 1, "policyId": "policy"}]},
    ),
    Case("clusters-bounded", "Pipeline", CLASSIC, "clusters is not set", PIPELINE),
    Case(
        "clusters-bounded",
        "Pipeline",
        {**CLASSIC, "clusters": [{"label": "maintenance", "policyId": "policy"}]},
        "clusters is ['maintenance']",
        {**CLASSIC, "clusters": [{"label": "maintenance", "policyId": "policy"}, {"policyId": "policy"}]},
    ),
    Case(
        "warehouses-stop",
        "SqlEndpoint",
        {"name": "churn", "clusterSize": "2X-Small"},
        "autoStopMins is ",
        {"name": "churn", "clusterSize": "2X-Small", "autoStopMins": 10},
    ),
    Case("pools-drain", "InstancePool", {**POOL, "minIdleInstances": 4}, "minIdleInstances is 4", POOL),
    Case(
        "pools-drain",
        "InstancePool",
        {**POOL, "idleInstanceAutoterminationMinutes": 600},
        "idleInstanceAutoterminationMinutes is 600",
        {**POOL, "idleInstanceAutoterminationMinutes": 0},
    ),
]
