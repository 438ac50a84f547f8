"""Secrets in clear text, recognised by names and values in every input that a program writes."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pulumi_policy import ReportViolation, StackValidationArgs, StackValidationPolicy

from policies.rule import PROVIDER, Violation, mapping, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policies.rule import Resource

# `max_tokens` counts what a model reads or writes, and a `tokenizer` makes tokens of text: neither is a secret.
SECRET_KEY = re.compile(
    r"(?i)password|passwd|pwd|passphrase|secret|token(?!s(?![a-z])|iz)|(?:access|account|api|private)[._-]?key|credential"
    r"|(?<![a-z])sig$"
)
# Names of settings that say where a secret is kept, which class or object of Unity Catalog provides it, or what secrets
# have to be like.
ABOUT_A_SECRET = re.compile(
    r"(?i)(?:scope|name|token[._-]?key|provider(?:\.type.*)?|service[._-]?credential|endpoint|ur[il]|file|folder|path"
    r"|policy|type|length|(?:_|-|\.)(?:days|hours|minutes|seconds))$"
)
# A setting within a text, such as those of connection strings, JAAS and queries of URLs: its name and its value.
ASSIGNMENT = re.compile(r"""(?<![\w.-])([\w.-]+)["']?=["']?([^\s"'&;,]+)""")
# Properties that the provider's schema has for secrets or references to them.
SECRET_FIELD = re.compile(
    r"password|token|clientSecret|privateKey|logAnalyticsPrimaryKey|authSecret|oauthToken"
    r"|\w+(?:Plaintext|ApiKey|ApiToken|AccessToken|RequestToken|SecretAccessKey|ClientSecret)"
)
# Tokens of Databricks, AWS, GitHub and GitLab, tokens in the form of JWT, private keys, passwords in URLs.
SECRET_VALUE = re.compile(
    r"\b(?:dapi|dose)[0-9a-f]{32}|\bA[KS]IA[0-9A-Z]{16}\b|\bgh[oprsu]_[0-9A-Za-z]{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@"
)
REFERENCE = re.compile(r"\{\{\s*secrets/[^/{}]+/[^/{}]+\s*\}\}")
# Properties whose keys and values a program chooses, and which a workspace's pages show.
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
POLICY_DOCUMENTS = {"definition", "policyFamilyDefinitionOverrides"}  # JSON of a cluster policy
SET_BY_POLICY = {"defaultValue", "value", "values"}
CLIENT_SECRET = "clientSecret"  # noqa: S105 (a property's name)
MAKES_CLIENT_SECRETS = "ServicePrincipalSecret"
STORES_SECRETS = {"Secret", "SecretUc"}  # resources that hold the secret itself
# Kinds that take references {{secrets/<scope>/<key>}}, and the remedy for some of the other kinds.
TAKES_REFERENCES = {"Cluster", "ClusterPolicy", "InstancePool", "Job", "ModelServing", "Pipeline", "SqlGlobalConfig"}
OTHER_REMEDIES = {
    PROVIDER: "leave it to the environment of whoever deploys",
    "Connection": "make the connection by CREATE CONNECTION, whose options take secret('<scope>', '<key>')",
}


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields path, name and text of every string at any depth.

    The name is empty where it says nothing about the text being a secret.
    """
    if isinstance(value, str):
        yield path, "", value
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _texts(element, f"{path}[{index}]")
    else:
        for key, inner in mapping(value).items():
            inner_path = f"{path}.{key}" if path else key
            if key in FREE_FORM:
                yield from _free_form(inner, inner_path)
            elif key in POLICY_DOCUMENTS:
                yield from _set_by_policy(inner, inner_path)
            elif key in COMMAND_LINES:
                for line_path, _, line in _texts(inner, inner_path):
                    yield from ((line_path, name, text) for _, name, text in _words(line.split()))
            elif isinstance(inner, str) and SECRET_FIELD.fullmatch(key):
                yield inner_path, key, inner
            else:
                yield from _texts(inner, inner_path)


def _free_form(value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Yields the same triples for a free-form property: an object, a list of names with values, or a command line."""
    if not isinstance(value, list):
        named = [(f"{path}.{name}", name, text) for name, text in mapping(value).items()]
    elif any(isinstance(element, dict) for element in value):
        named = [
            (f"{path}[{index}]", str(element.get("name")), element.get("default", element.get("value")))
            for index, element in enumerate(value)
            if isinstance(element, dict)
        ]
    else:
        named = [(f"{path}[{index}]", name, text) for index, name, text in _words(value)]
    yield from ((text_path, name, text) for text_path, name, text in named if isinstance(text, str))


def _words(words: list[Any]) -> Iterator[tuple[int, str, str]]:
    """Yields index, name and value of a task's words: `--name=value`, `name=value`, or `--name` and its value."""
    known = [word if isinstance(word, str) else "" for word in words]
    for index, (before, word) in enumerate(pairwise(["", *known])):
        name, assigns, value = word.partition("=")
        option = before if before.startswith("--") and "=" not in before and not word.startswith("--") else ""
        yield (index, f"{option} {name}", value) if assigns else (index, option, word)


def _set_by_policy(document: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Yields the same triples for the JSON of a cluster policy; a document that is not JSON is one text."""
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
    return bool(SECRET_KEY.search(word)) and not ABOUT_A_SECRET.search(word)


def _is_secret(name: str, text: str) -> bool:
    if _says_something(text) and not REFERENCE.fullmatch(text) and any(map(_names_secret, name.split())):
        return True
    plain = REFERENCE.sub("", f"{name}={text}")
    inside = any(_names_secret(found[1]) and _says_something(found[2]) for found in ASSIGNMENT.finditer(plain))
    return inside or bool(SECRET_VALUE.search(plain))


def _says_something(text: str) -> bool:
    return text.casefold() not in ("", "true", "false")  # values of a setting about secrets, as `secret.required`


def _no_secrets(resource: Resource) -> Iterator[Violation]:
    if resource.kind in STORES_SECRETS:
        return
    for path, name, text in _texts(resource.inputs):
        if (resource.kind, path) == (PROVIDER, CLIENT_SECRET):
            continue  # only the whole stack shows where it comes from
        if _is_secret(name, text):
            where = "in the field without Plaintext" if path.endswith("Plaintext") else "here"
            remedy = OTHER_REMEDIES.get(resource.kind, "have whoever owns it enter it where it is used")
            if resource.kind in TAKES_REFERENCES:
                remedy = (
                    f"store it in a secret scope, and write {{{{secrets/<scope>/<key>}}}} {where} "
                    "or read it where it is used"
                )
            yield Violation(path, "***", remedy)


def _made_by_the_stack(args: StackValidationArgs, report: ReportViolation) -> None:
    for resource in args.resources:
        if resource.resource_type == PROVIDER and CLIENT_SECRET in resource.props:
            makers = resource.property_dependencies.get(CLIENT_SECRET, [])
            if not any(maker.resource_type.endswith(f":{MAKES_CLIENT_SECRETS}") for maker in makers):
                report(
                    f"{PROVIDER} `{resource.name}`: {CLIENT_SECRET} is '***'. Remedy: {OTHER_REMEDIES[PROVIDER]}, or "
                    f"take it from a {MAKES_CLIENT_SECRETS} of the same stack.",
                    resource.urn,
                )


STACK_RULES = [
    StackValidationPolicy(
        name="client-secrets-made-here",
        description=f"A provider's {CLIENT_SECRET} comes from a {MAKES_CLIENT_SECRETS} of the same stack.",
        validate=_made_by_the_stack,
    )
]
RULES = [
    rule(
        "no-secrets-in-clear",
        "Parameters, configuration, environments and fields for secrets hold references to secrets, never secrets; "
        "providers and connections hold none.",
        _no_secrets,
    ),
]
