"""Checks of what a request asks for: names, limits, and values that exclude each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.postgres.server import VERSION
from local.workspace.core.errors import bad_request, not_built

if TYPE_CHECKING:
    from local.workspace.core.store import Document

RETENTION_SECONDS = (172_800, 3_024_000)
SUSPEND_SECONDS = (60, 604_800)
CREDENTIAL_SECONDS = (300, 3600)
LEAST_CU, MOST_CU, WIDEST_CU = 0.5, 64, 16
DEFAULT_VERSION = 17
MOST_NAME_BYTES = 63  # of PostgreSQL


def check_id(field: str, value: str, *, least: int, letter_first: bool) -> None:
    """Refuses an id that is no name of DNS (RFC 1123).

    Args:
        field: Name of the field.
        value: The id.
        least: Characters that it has at least; at most it has 63.
        letter_first: Whether it must begin with a letter.
    """
    first = "[a-z]" if letter_first else "[a-z0-9]"
    if not least <= len(value) <= 63 or not re.fullmatch(rf"{first}([a-z0-9-]*[a-z0-9])?", value):
        begins = "begin with a lowercase letter and " if letter_first else ""
        rule = f"must have {least} to 63 characters, {begins}hold lowercase letters, digits and hyphens alone"
        raise bad_request(f"{field} is {value!r}; it {rule}, and not end with a hyphen")


def check_identifier(field: str, value: str) -> None:
    """Refuses what cannot be a name in PostgreSQL, or is one of its own."""
    if not value or len(value.encode()) > MOST_NAME_BYTES or "\0" in value:
        raise bad_request(f"{field} is {value!r}; a name in PostgreSQL has 1 to {MOST_NAME_BYTES} bytes")
    if value.startswith(("pg_", "databricks_", "cloud_")) or value in ("postgres", "template0", "template1", "public"):
        raise bad_request(f"{field} is {value!r}, which is reserved")


def seconds(field: str, value: str, bounds: tuple[int, int]) -> int:
    """Reads a duration such as `3600s`, within bounds."""
    match = re.fullmatch(r"(\d+)(?:\.0+)?s", value)
    if match is None or not bounds[0] <= int(match[1]) <= bounds[1]:
        raise bad_request(f"{field} is {value!r}; allowed: {bounds[0]}s to {bounds[1]}s")
    return int(match[1])


def project_status(spec: Document, old: Document) -> Document:
    """What is in force in a project after a request; what `spec` leaves out keeps its value."""
    version = spec.get("pg_version", old.get("pg_version", DEFAULT_VERSION))
    if old and version != old["pg_version"]:
        raise bad_request(f"pg_version is {old['pg_version']} and cannot be changed to {version}")
    if version != VERSION:
        asked = "" if "pg_version" in spec else ", the default where a request says none"
        raise not_built(f"PostgreSQL {version}{asked} (pg_version {VERSION} is): a project of it")
    if spec.get("enable_pg_native_login"):
        raise not_built("login by a password of PostgreSQL (enable_pg_native_login)")
    if not 1 <= len(spec.get("display_name", "x")) <= 256:
        raise bad_request("display_name must have 1 to 256 characters")
    if "history_retention_duration" in spec:
        seconds("history_retention_duration", spec["history_retention_duration"], RETENTION_SECONDS)
    if "default_endpoint_settings" in spec:
        check_compute(spec["default_endpoint_settings"], "default_endpoint_settings.")
    return {"history_retention_duration": "604800s", **old, **spec, "pg_version": version}


def endpoint_status(spec: Document, old: Document) -> Document:
    """What is in force at an endpoint after a request."""
    if spec.get("endpoint_type", "ENDPOINT_TYPE_READ_WRITE") != "ENDPOINT_TYPE_READ_WRITE":
        raise not_built("an endpoint that only reads")
    new = {**old, **{name: value for name, value in spec.items() if name != "no_suspension"}}
    check_compute(spec, "", new)
    if spec.get("no_suspension"):
        new.pop("suspend_timeout_duration", None)
    return new


def check_compute(spec: Document, at: str, new: Document | None = None) -> None:
    """Checks the size and the rest of a compute.

    Args:
        spec: What is asked for.
        at: What precedes names of fields in messages.
        new: What will be in force.
    """
    new = spec if new is None else new
    low, high = new.get("autoscaling_limit_min_cu", LEAST_CU), new.get("autoscaling_limit_max_cu", MOST_CU)
    if "autoscaling_limit_max_cu" not in new:
        high = low
    if not LEAST_CU <= low <= high <= MOST_CU or high - low > WIDEST_CU:
        rule = f"at least {LEAST_CU}, at most {MOST_CU}, and no more than {WIDEST_CU} apart"
        raise bad_request(f"{at}autoscaling_limit_min_cu and _max_cu are {low} and {high}; they must be {rule}")
    if "suspend_timeout_duration" in spec:
        if spec.get("no_suspension"):
            raise bad_request(f"{at}suspend_timeout_duration and no_suspension exclude each other")
        seconds(f"{at}suspend_timeout_duration", spec["suspend_timeout_duration"], SUSPEND_SECONDS)
    group = spec.get("group")
    if group and not 1 <= group["min"] == group["max"]:
        raise bad_request(f"{at}group.min and group.max are {group['min']} and {group['max']}; they must be equal")
