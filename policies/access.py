"""Who gets what: no blanket grants, no secrets in clear."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from policies.rule import Violation, items, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

EVERYBODY = ("account users", "users")
FOR_EVERYBODY = {"BROWSE", "USE_CATALOG"}  # on a catalog: people find what they may ask for
# A plural counts what models read and write, and a tokenizer makes it: neither is a secret.
SECRET_KEY = re.compile(
    r"(?i)password|passwd|secret|token(?!s(?![a-z])|iz)|api_?key|access_?key|private_?key|credential"
)
SECRET_VALUE = re.compile(
    r"\bdapi[0-9a-f]{32}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@"
)
REFERENCE = re.compile(r"\{\{\s*secrets/[^/{}]+/[^/{}]+\s*\}\}")
# Properties whose keys and values a program chooses, and that show in a workspace's pages.
FREE_FORM = {
    "baseParameters",
    "configuration",
    "environmentVars",
    "jarParams",
    "jobParameters",
    "namedParameters",
    "notebookParams",
    "parameters",
    "pythonNamedParams",
    "pythonParams",
    "sparkConf",
    "sparkEnvVars",
    "sparkSubmitParams",
    "sqlParams",
}


def _least_privilege(resource: Resource) -> Iterator[Violation]:
    single = resource.kind == "Grant"
    grants = [("", resource.inputs)] if single else items(resource.inputs, "grants")
    for_everybody = FOR_EVERYBODY if resource.inputs.get("catalog") is not None else set()
    for path, grant in grants:
        dot = f"{path}." if path else ""
        given = grant.get("privileges")
        known = [privilege for privilege in given if isinstance(privilege, str)] if isinstance(given, list) else []
        privileges = [privilege.replace(" ", "_").upper() for privilege in known]
        if "ALL_PRIVILEGES" in privileges:
            yield Violation(f"{dot}privileges", privileges, "list the privileges that the principal needs")
        principal = grant.get("principal")
        refused = sorted(set(privileges) - for_everybody)
        if isinstance(principal, str) and principal.casefold() in EVERYBODY and refused:
            yield Violation(
                f"{dot}principal",
                principal,
                f"grant {', '.join(refused)} to a group; all users may have "
                f"{' and '.join(sorted(FOR_EVERYBODY))} on a catalog only",
            )


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, name and text of every text at any depth; the name is empty outside free-form properties."""
    if isinstance(value, str):
        yield path, "", value
    elif isinstance(value, list):
        for place, element in enumerate(value):
            yield from _texts(element, f"{path}[{place}]")
    else:
        for key, inner in mapping(value).items():
            here = f"{path}.{key}" if path else key
            yield from _free_form(inner, here) if key in FREE_FORM else _texts(inner, here)


def _free_form(value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """The same of a free-form property: an object, a list of names with values, or a command line."""
    if not isinstance(value, list):
        named = [(f"{path}.{name}", name, text) for name, text in mapping(value).items()]
    elif any(isinstance(element, dict) for element in value):
        named = [
            (f"{path}[{place}]", str(element.get("name")), element.get("default", element.get("value")))
            for place, element in enumerate(value)
            if isinstance(element, dict)
        ]
    else:
        named = [(f"{path}[{place}]", name, text) for place, name, text in _words(value)]
    yield from ((here, name, text) for here, name, text in named if isinstance(text, str))


def _words(words: list[Any]) -> Iterator[tuple[int, str, str]]:
    """Place, name and value of a task's words: `--name=value`, `name=value`, or `--name` and its value as two."""
    known = [word if isinstance(word, str) else "" for word in words]
    for place, (before, word) in enumerate(pairwise(["", *known])):
        name, assigns, value = word.partition("=")
        option = before if before.startswith("--") and "=" not in before and not word.startswith("--") else ""
        yield (place, f"{option} {name}", value) if assigns else (place, option, word)


def _is_secret(name: str, text: str) -> bool:
    if text and SECRET_KEY.search(name) and not REFERENCE.fullmatch(text):
        return True
    return bool(SECRET_VALUE.search(REFERENCE.sub("", f"{name}={text}")))


def _no_secrets(resource: Resource) -> Iterator[Violation]:
    for path, name, text in _texts(resource.inputs):
        if _is_secret(name, text):
            yield Violation(
                path,
                "***",
                "store it in a secret scope, and write {{secrets/<scope>/<key>}} here or read it where it is used",
            )


RULES = [
    rule(
        "least-privilege",
        "No ALL_PRIVILEGES anywhere, and nothing for all users but to find a catalog and enter it.",
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
