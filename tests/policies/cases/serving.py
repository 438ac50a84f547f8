"""Endpoints."""

from __future__ import annotations

from tests.policies.cases.case import Case
from tests.policies.cases.inputs import endpoint

CASES = [
    Case("endpoints-pinned", "ModelServing", endpoint(entityVersion="latest"), "entityVersion is 'latest'", endpoint()),
    Case("endpoints-pinned", "ModelServing", endpoint(scaleToZeroEnabled=False), "is False", endpoint()),
]
