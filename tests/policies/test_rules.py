"""Each rule, called as the analyzer calls it."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies import access, compute, data, jobs, naming, serving
from tests.policies.cases import CASES, KNOWN_TOKEN, Case, job

RULES: dict[str, ResourceValidationPolicy] = {
    rule.name: rule for module in (access, compute, data, jobs, naming, serving) for rule in module.RULES
}


def violations(rule: str, kind: str, inputs: Any, stack: str, options: str) -> list[str]:
    """What a rule says about one resource."""
    found: list[str] = []
    default = "provider=provider" not in options
    provider_name = "default_1_104_0" if default else "workspace"
    args = ResourceValidationArgs(
        resource_type=f"databricks:index/{kind[0].lower()}{kind[1:]}:{kind}",
        props=unknown_checking_proxy(inputs),
        urn=f"urn:pulumi:{stack}::churn::databricks:index/x:{kind}::subject",
        name="subject",
        opts=PolicyResourceOptions("protect=True" in options, [], None, [], PolicyCustomTimeouts(0, 0, 0), []),
        provider=PolicyProviderResource("pulumi:providers:databricks", {}, "", provider_name),
    )
    RULES[rule].validate(args, lambda message, _urn=None: found.append(message))
    return found


def bad_inputs(case: Case) -> dict[str, Any]:
    """As the analyzer gets them: the provider has filled in a name that the program left out."""
    return {"name": "subject-0a1b2c3", **case.bad} if case.rule == "explicit-name" else case.bad


def test_every_rule_has_a_case() -> None:
    assert len(RULES) >= 10
    assert {case.rule for case in CASES} == set(RULES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_stops_what_breaks_it_and_names_resource_property_value_and_remedy(case: Case) -> None:
    found = violations(case.rule, case.kind, bad_inputs(case), case.stack, case.bad_options)
    assert len(found) == 1
    assert found[0].startswith(f"{case.kind} `subject`: ")
    assert case.says in found[0]
    assert "Remedy: " in found[0]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_lets_pass_what_keeps_it(case: Case) -> None:
    kind = case.good_kind or case.kind
    assert violations(case.rule, kind, case.good, case.stack, case.good_options) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.stack == "prod"], ids=str)
def test_what_is_asked_of_production_alone_is_not_asked_elsewhere(case: Case) -> None:
    assert violations(case.rule, case.kind, case.bad, "local", case.bad_options) == []


def with_unknowns(value: Any, depth: int) -> Any:
    """The inputs with everything below a depth unknown."""
    if depth == 0:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, dict):
        return {key: with_unknowns(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_unknowns(inner, depth - 1) for inner in value]
    return value


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_preview_cannot_know_is_no_violation(case: Case, depth: int) -> None:
    kind = case.good_kind or case.kind
    assert violations(case.rule, kind, with_unknowns(case.good, depth), case.stack, case.good_options) == []


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"parameters": [{"name": "password", "default": "x"}]}, "parameters[0]"),
        ({"tasks": [{"sparkPythonTask": {"parameters": ["--crm-token=x"]}}]}, "sparkPythonTask.parameters[0]"),
        ({"tasks": [{"notebookTask": {"baseParameters": {"note": KNOWN_TOKEN}}}]}, "baseParameters.note"),
        ({"jobClusters": [{"newCluster": {"sparkEnvVars": {"DB_PASSWORD": "x"}}}]}, "sparkEnvVars.DB_PASSWORD"),
        ({"jobClusters": [{"newCluster": {"sparkConf": {"fs.azure.key.secret": "x"}}}]}, "sparkConf.fs.azure"),
    ],
)
def test_a_secret_is_found_wherever_it_stands_and_never_repeated(inputs: dict[str, Any], path: str) -> None:
    (found,) = violations("no-secrets-in-clear", "Job", job(**inputs), "dev", "provider=provider")
    assert path in found
    assert "'***'" in found
    assert KNOWN_TOKEN not in found


def test_resources_of_other_providers_are_left_alone() -> None:
    for rule in RULES.values():
        args = ResourceValidationArgs(
            "aws:s3/bucket:Bucket",
            {},
            "urn:pulumi:prod::churn::aws:s3/bucket:Bucket::b",
            "b",
            PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), []),
            None,
        )
        rule.validate(args, lambda message, _urn=None: pytest.fail(message))
