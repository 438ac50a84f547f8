"""No secrets in clear."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from policies.rule import PROVIDER, Violation, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

# A plural counts what models read and write, and a tokenizer makes it: neither is a secret.
SECRET_KEY = re.compile(
    r"(?i)password|passwd|secret|token(?!s(?![a-z])|iz)|(?:access|api|private)[._-]?key|account\.key|credential"
)
# Names of what says where a secret is, or which class or object of Unity Catalog provides it.
WHERE_A_SECRET_IS = re.compile(
    r"(?i)(?:scope|name|token[._-]?key|provider(?:\.type.*)?|service[._-]?credential|endpoint|ur[il])$"
)
# Properties that the provider's schema has for secrets or references to them.
SECRET_FIELD = re.compile(
    r"password|token|clientSecret|privateKey|logAnalyticsPrimaryKey|authSecret|oauthToken"
    r"|\w+(?:Plaintext|ApiKey|ApiToken|AccessToken|RequestToken|SecretAccessKey|ClientSecret)"
)
SECRET_VALUE = re.compile(
    r"\b(?:dapi|dose)[0-9a-f]{32}|\bAKIA[0-9A-Z]{16}\b|\bgh[oprsu]_[0-9A-Za-z]{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@"
)
REFERENCE = re.compile(r"\{\{\s*secrets/[^/{}]+/[^/{}]+\s*\}\}")
# Properties whose keys and values a program chooses, and that show in a workspace's pages.
FREE_FORM = {
    "baseParameters",
    "configuration",
    "dataAccessConfig",
    "environmentVars",
    "jarParams",
    "jobParameters",
    "namedParameters",
    "notebookParams",
    "options",
    "parameters",
    "pythonNamedParams",
    "pythonParams",
    "sparkConf",
    "sparkEnvVars",
    "sparkSubmitParams",
    "sqlConfigParams",
    "sqlParams",
}
COMMAND_LINES = {"command", "commands", "dbtCommands"}
POLICY_DOCUMENTS = {"definition", "policyFamilyDefinitionOverrides"}  # of a cluster policy: JSON
SET_BY_POLICY = {"defaultValue", "value", "values"}
STORES_SECRETS = {"Secret", "SecretUc"}  # they have to have what they store
# What takes {{secrets/<scope>/<key>}}, and what to do about some of the rest.
TAKES_REFERENCES = {"Cluster", "ClusterPolicy", "InstancePool", "Job", "ModelServing", "Pipeline", "SqlGlobalConfig"}
KEPT_OUT = {
    PROVIDER: "leave it to the environment of whoever deploys",
    "Connection": "make the connection by CREATE CONNECTION, whose options take secret('<scope>', '<key>')",
}


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, name and text of every text at any depth; the name is empty where it cannot tell a secret."""
    if isinstance(value, str):
        yield path, "", value
    elif isinstance(value, list):
        for place, element in enumerate(value):
            yield from _texts(element, f"{path}[{place}]")
    else:
        for key, inner in mapping(value).items():
            here = f"{path}.{key}" if path else key
            if key in FREE_FORM:
                yield from _free_form(inner, here)
            elif key in POLICY_DOCUMENTS:
                yield from _set_by_policy(inner, here)
            elif key in COMMAND_LINES:
                for where, _, line in _texts(inner, here):
                    yield from ((where, name, text) for _, name, text in _words(line.split()))
            elif isinstance(inner, str) and SECRET_FIELD.fullmatch(key):
                yield here, key, inner
            else:
                yield from _texts(inner, here)


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


def _set_by_policy(document: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """The same of a cluster policy's document; what is not JSON is one text."""
    try:
        limits = json.loads(document) if isinstance(document, str) else None
    except ValueError:
        yield path, "", document
        return
    for attribute, limit in mapping(limits).items():
        for key, value in mapping(limit).items():
            name = attribute if key in SET_BY_POLICY else ""
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    yield f"{path}.{attribute}.{key}", name, text


def _names_secret(word: str) -> bool:
    if SECRET_FIELD.fullmatch(word):
        return True
    return bool(SECRET_KEY.search(word)) and not WHERE_A_SECRET_IS.search(word)


def _is_secret(name: str, text: str) -> bool:
    says_something = text.casefold() not in ("", "true", "false")  # a setting about secrets, as `secret.required`
    if says_something and not REFERENCE.fullmatch(text) and any(map(_names_secret, name.split())):
        return True
    return bool(SECRET_VALUE.search(REFERENCE.sub("", f"{name}={text}")))


def _no_secrets(resource: Resource) -> Iterator[Violation]:
    if resource.kind in STORES_SECRETS:
        return
    for path, name, text in _texts(resource.inputs):
        if _is_secret(name, text):
            where = "in the field without Plaintext" if path.endswith("Plaintext") else "here"
            remedy = KEPT_OUT.get(resource.kind, "have whoever owns it enter it where it is used")
            if resource.kind in TAKES_REFERENCES:
                remedy = (
                    f"store it in a secret scope, and write {{{{secrets/<scope>/<key>}}}} {where} "
                    "or read it where it is used"
                )
            yield Violation(path, "***", remedy)


RULES = [
    rule(
        "no-secrets-in-clear",
        "Parameters, configuration, environments and fields for secrets hold references to secrets, never secrets; "
        "providers and connections hold none.",
        _no_secrets,
    ),
]
