"""Cases of the rule on serving endpoints."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import ENTITY, endpoint, provisioned, without

CASES = [
    Case("endpoints-pinned", "ModelServing", endpoint(entityVersion="latest"), "entityVersion is 'latest'", endpoint()),
    Case("endpoints-pinned", "ModelServing", endpoint(scaleToZeroEnabled=False), "is False", endpoint()),
    Case(
        "endpoints-pinned",
        "ModelServing",
        endpoint(entityVersion="champion"),
        "entityVersion is 'champion'",
        {"name": "churn-features", "config": {"servedEntities": [without(ENTITY, "entityVersion")]}},
    ),
    Case(
        "endpoints-pinned",
        "ModelServingProvisionedThroughput",
        provisioned(entityVersion="3"),
        "Remedy: use a ModelServing outside production",
        endpoint(),
        good_kind="ModelServing",
    ),
]
