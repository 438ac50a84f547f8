"""The parts of an IAM document, and the principals of Databricks that documents name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Statement = dict[str, Any]
Condition = dict[str, dict[str, Any]]

# Databricks' own AWS accounts and roles, from its documentation: "Create a storage credential for S3",
# "Configure customer-managed keys" and "Configure private connectivity to resources in your VPC".
DATABRICKS_ROOT = "arn:aws:iam::414351767826:root"
UNITY_CATALOG_ROLE = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"
SERVERLESS_LINK_ROLE = "arn:aws:iam::565502421330:role/private-connectivity-role-{region}"


def allow(
    sid: str,
    actions: Iterable[str],
    resources: Iterable[str] = (),
    *,
    principal: Mapping[str, str] | str | None = None,
    condition: Condition | None = None,
) -> Statement:
    """A statement that allows actions.

    Args:
        sid: Name of the statement, letters and digits.
        actions: Names such as `s3:GetObject`.
        resources: ARNs; none in a trust policy, which is about its role alone.
        principal: Whom it allows; None in a policy of a role, which allows its role.
        condition: Operators with keys and values.
    """
    return _statement("Allow", sid, actions, resources, principal, condition)


def deny(
    sid: str,
    actions: Iterable[str],
    resources: Iterable[str],
    *,
    principal: Mapping[str, str] | str | None = None,
    condition: Condition | None = None,
) -> Statement:
    """A statement that forbids actions, whatever else allows them; arguments as those of `allow`."""
    return _statement("Deny", sid, actions, resources, principal, condition)


def _statement(
    effect: str,
    sid: str,
    actions: Iterable[str],
    resources: Iterable[str],
    principal: Mapping[str, str] | str | None,
    condition: Condition | None,
) -> Statement:
    optional = {
        "Principal": dict(principal) if isinstance(principal, dict) else principal,
        "Resource": list(resources),
        "Condition": condition,
    }
    statement = {"Sid": sid, "Effect": effect, "Action": sorted(actions)}
    return statement | {key: value for key, value in optional.items() if value}


def document(statements: Iterable[Statement]) -> str:
    """The document as JSON text, without blanks: AWS counts characters."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
