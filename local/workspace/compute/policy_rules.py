"""Rules of cluster policies, applied to clusters: https://docs.databricks.com/aws/en/admin/clusters/policy-definition.

A rule stands for one attribute, written with dots: `num_workers`, `custom_tags.team`, `cluster_type`. A fixed value is
put where the cluster has none; a default is put there only by `apply_policy_default_values`. Any other attribute with
a rule has to be there unless the rule is optional.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from local.workspace.compute.documents import POLICIES
from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

ClusterType = Literal["all-purpose", "job"]
_FLAG = "apply_policy_default_values"
_MAPS = ("custom_tags", "spark_conf", "spark_env_vars")  # whose keys may have dots


def enforced(workspace: Workspace, cluster: Document, cluster_type: ClusterType, path: str = "") -> Document:
    """Applies the policy of a cluster.

    Args:
        workspace: The workspace.
        cluster: The cluster's settings, as requested.
        cluster_type: What the cluster is for.
        path: Place of the settings in the request, with a dot at its end, for messages.

    Returns:
        The settings with the policy's values; the same where no policy is named.

    Raises:
        ApiError: There is no such policy, or an attribute breaks it; the text names the attribute.
    """
    if "policy_id" not in cluster:
        return cluster
    policy = workspace.store.get(POLICIES, cluster["policy_id"])
    if policy is None:
        raise bad_request(f"{path}policy_id: there is no cluster policy {cluster['policy_id']!r}")
    result: Document = json.loads(json.dumps(cluster))
    for attribute, rule in json.loads(policy["definition"]).items():
        value = cluster_type if attribute == "cluster_type" else _value(result, attribute)
        if value is None:
            value = _put(result, attribute, rule, defaults=bool(cluster.get(_FLAG)))
        if fault := _fault(rule, value):
            raise bad_request(f"{path}Cluster validation error: Validation failed for {attribute}, {fault}")
    return result


def _put(cluster: Document, attribute: str, rule: Document, *, defaults: bool) -> Any:
    """Puts the policy's own value of an attribute where it has one, and returns it."""
    value = rule["value"] if rule["type"] == "fixed" else rule.get("defaultValue") if defaults else None
    if value is not None:
        *parents, last = _parts(attribute)
        place = cluster
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = value
    return value


def _fault(rule: Document, value: Any) -> str:
    """Why a value breaks a rule; empty if it does not."""
    if value is None:
        return "" if rule["type"] == "forbidden" or rule.get("isOptional") else "the value must be present"
    must = _must(rule, value)
    return f"the value must {must} (is {json.dumps(value)})" if must else ""


def _must(rule: Document, value: Any) -> str:
    """What a rule asks for that a value does not meet; empty if it meets all."""
    kind, text, values = rule["type"], _text(value), [_text(other) for other in rule.get("values", [])]
    if kind == "forbidden":
        return "not be present"
    if kind == "fixed" and text != _text(rule["value"]):
        return f"be {_text(rule['value'])}"
    if kind == "allowlist" and text not in values:
        return f"be one of {', '.join(values)}"
    if kind == "blocklist" and text in values:
        return f"not be one of {', '.join(values)}"
    if kind == "regex" and not re.fullmatch(rule["pattern"], text):
        return f"match the regex {rule['pattern']}"
    if kind == "range" and float(value) < rule.get("minValue", float("-inf")):
        return f"be at least {rule['minValue']}"
    if kind == "range" and float(value) > rule.get("maxValue", float("inf")):
        return f"be at most {rule['maxValue']}"
    return ""


def _value(cluster: Document, attribute: str) -> Any:
    """The value of an attribute; None where the cluster has none."""
    value: Any = cluster
    for name in _parts(attribute):
        if isinstance(value, list):
            value = {str(index): item for index, item in enumerate(value)}
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _parts(attribute: str) -> list[str]:
    head, _, rest = attribute.partition(".")
    return [head, rest] if head in _MAPS else attribute.split(".")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
