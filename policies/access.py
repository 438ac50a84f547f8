"""Who gets what: no blanket grants, no secrets in clear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from policies.rule import Violation, items, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from policies.rule import Resource

EVERYBODY = ("account users", "users")
FOR_EVERYBODY = {"BROWSE", "USE_CATALOG"}
GUARDED_SCHEMAS = ("silver", "gold")
SECRET_KEY = re.compile(r"(?i)(password|passwd|secret|token|api_?key|access_?key|private_?key|credential)")
SECRET_VALUE = re.compile(r"\bdapi[0-9a-f]{32}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY")
REFERENCE = re.compile(r"\{\{\s*secrets/[^/{}]+/[^/{}]+\s*\}\}")
# Properties whose keys and values a program chooses, and that show in a workspace's pages.
FREE_FORM = {
    "baseParameters",
    "configuration",
    "environmentVars",
    "jobParameters",
    "namedParameters",
    "parameters",
    "sparkConf",
    "sparkEnvVars",
}


def _securable(inputs: Mapping[str, Any]) -> tuple[str, str] | None:
    """Property and full name of what is granted on, if it is a catalog or lies in a schema of customers' data."""
    for kind in ("catalog", "schema", "table", "volume", "function", "model"):
        name = inputs.get(kind)
        if isinstance(name, str):
            parts = name.split(".")
            return (kind, name) if len(parts) == 1 or parts[1] in GUARDED_SCHEMAS else None
    return None


def _least_privilege(resource: Resource) -> Iterator[Violation]:
    single = resource.kind == "Grant"
    grants = [("", resource.inputs)] if single else items(resource.inputs, "grants")
    guarded = _securable(resource.inputs)
    for path, grant in grants:
        dot = f"{path}." if path else ""
        given = grant.get("privileges")
        privileges = [privilege for privilege in given if isinstance(privilege, str)] if isinstance(given, list) else []
        if any(privilege.replace(" ", "_").upper() == "ALL_PRIVILEGES" for privilege in privileges):
            yield Violation(f"{dot}privileges", privileges, "list the privileges that the principal needs")
        everybody = grant.get("principal") in EVERYBODY
        if everybody and guarded and not FOR_EVERYBODY.issuperset(privileges):
            yield Violation(
                f"{dot}principal",
                grant.get("principal"),
                f"grant {', '.join(privileges)} on {guarded[0]} {guarded[1]} to a group; all users may have "
                f"{' and '.join(sorted(FOR_EVERYBODY))} on the catalog only",
            )


def _free_form(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, key and text of every value in a free-form property, at any depth."""
    if isinstance(value, list):
        for place, element in enumerate(value):
            yield from _free_form(element, f"{path}[{place}]")
        return
    for key, inner in mapping(value).items():
        here = f"{path}.{key}" if path else key
        if key not in FREE_FORM:
            yield from _free_form(inner, here)
        elif isinstance(inner, list):
            for place, element in enumerate(inner):
                # A job's parameters are a list of names with defaults, a task's a list of words `--name=value`.
                text = element.get("default") if isinstance(element, dict) else element
                name = element.get("name") if isinstance(element, dict) else str(element).partition("=")[0]
                if isinstance(text, str):
                    yield f"{here}[{place}]", str(name), text.partition("=")[2] if text.startswith("--") else text
        else:
            for name, text in mapping(inner).items():
                if isinstance(text, str):
                    yield f"{here}.{name}", name, text


def _no_secrets(resource: Resource) -> Iterator[Violation]:
    for path, key, text in _free_form(resource.inputs):
        if not text or REFERENCE.search(text):
            continue
        if SECRET_KEY.search(key) or SECRET_VALUE.search(text):
            yield Violation(path, "***", "store it in a secret scope and write {{secrets/<scope>/<key>}} here")


RULES = [
    rule(
        "least-privilege",
        "No ALL_PRIVILEGES anywhere, and no grant to all users on silver or gold.",
        _least_privilege,
        ("Grants", "Grant"),
    ),
    rule(
        "no-secrets-in-clear",
        "Parameters, configuration and environments hold references to secrets, never secrets.",
        _no_secrets,
        ("Cluster", "Job", "ModelServing", "Pipeline"),
    ),
]
