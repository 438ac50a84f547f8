"""Rules of cluster policies, applied to clusters: https://docs.databricks.com/aws/en/admin/clusters/policy-definition.

A rule stands for one attribute, written with dots: `num_workers`, `custom_tags.team`, `cluster_type`. A fixed value is
put where the cluster has none; a default is put there only by `apply_policy_default_values`. Any other attribute with
a rule has to be there unless the rule is optional.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

from local.workspace.compute.documents import DBUS_PER_CORE, NODE_TYPES, POLICIES
from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        value = _calculated(result, attribute, cluster_type)
        if value is None:
            value = _put(result, attribute, rule, defaults=bool(cluster.get(_FLAG)))
        if fault := _fault(rule, value):
            raise bad_request(f"{path}Cluster validation error: Validation failed for {attribute}, {fault}")
    return result


def _calculated(cluster: Document, attribute: str, cluster_type: ClusterType) -> Any:
    """The value of an attribute, which for two of them is no setting."""
    if attribute == "cluster_type":
        return cluster_type
    return _dbus_per_hour(cluster) if attribute == "dbus_per_hour" else _value(cluster, attribute)


def _dbus_per_hour(cluster: Document) -> float:
    """DBU an hour of a driver and of all workers that it may have, by their cores; real prices differ a little."""
    scaled: Document = cluster.get("autoscale") or {}
    workers = scaled.get("max_workers") or cluster.get("num_workers") or 0
    node = cluster.get("node_type_id")
    driver = cluster.get("driver_node_type_id", node)
    return _dbus(driver) + int(workers) * _dbus(node)


def _dbus(node_type: str | None) -> float:
    return sum(cores * DBUS_PER_CORE for name, _, cores in NODE_TYPES if name == node_type)


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
    """The value of an attribute; None where the cluster has none. A star stands for any item: the first that has it."""
    return next(_values(cluster, _parts(attribute)), None)


def _values(value: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield from () if value is None else (value,)
        return
    head, *rest = parts
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        for item in value.values() if head == "*" else (value.get(head),):
            yield from _values(item, rest)


def _parts(attribute: str) -> list[str]:
    head, _, rest = attribute.partition(".")
    return [head, rest] if head in _MAPS else attribute.split(".")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
