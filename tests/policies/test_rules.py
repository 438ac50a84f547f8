"""Each rule, called as the analyzer calls it."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rule import PROVIDER
from tests.policies.cases import CASES, JOB, KNOWN_TOKEN, Case, grants, job, type_of, without
from tests.policies.judging import RULES, judge

INDEX = "https://user:hunter2@example.com/simple"


def violations(rule: str, kind: str, inputs: Any, stack: str, options: str) -> list[str]:
    """What a rule says about one resource with options as they stand in a program."""
    provider = "workspace" if "provider=provider" in options else "default_1_104_0"
    return judge(rule, type_of(kind), inputs, stack, protect="protect=True" in options, provider=provider)


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
        ({"tasks": [{"sparkPythonTask": {"parameters": ["--password", "x"]}}]}, "sparkPythonTask.parameters[1]"),
        ({"tasks": [{"sparkSubmitTask": {"parameters": ["--conf", "db.password=x"]}}]}, "parameters[1]"),
        ({"tasks": [{"runJobTask": {"pythonParams": ["--password=x"]}}]}, "pythonParams[0]"),
        ({"tasks": [{"pythonOperatorTask": {"parameters": [{"name": "token", "value": "x"}]}}]}, "parameters[0]"),
        ({"tasks": [{"notebookTask": {"baseParameters": {"note": KNOWN_TOKEN}}}]}, "baseParameters.note"),
        ({"jobClusters": [{"newCluster": {"sparkEnvVars": {"DB_PASSWORD": "x"}}}]}, "sparkEnvVars.DB_PASSWORD"),
        ({"jobClusters": [{"newCluster": {"sparkConf": {"fs.azure.key.secret": "x"}}}]}, "sparkConf.fs.azure"),
        ({"parameters": [{"name": "api_token", "default": "x{{secrets/churn/crm}}"}]}, "parameters[0]"),
        ({"parameters": [{"name": "note", "default": KNOWN_TOKEN + "{{secrets/churn/crm}}"}]}, "parameters[0]"),
        ({"environments": [{"spec": {"dependencies": [f"--index-url {INDEX}"]}}]}, "spec.dependencies[0]"),
        ({"tasks": [{"libraries": [{"pypi": {"package": "churn", "repo": INDEX}}]}]}, "pypi.repo"),
        ({"tasks": [{"sparkPythonTask": {"parameters": [f"{INDEX}?page=1"]}}]}, "parameters[0]"),
    ],
)
def test_a_secret_is_found_wherever_it_stands_and_never_repeated(inputs: dict[str, Any], path: str) -> None:
    (found,) = violations("no-secrets-in-clear", "Job", job(**inputs), "dev", "provider=provider")
    assert path in found
    assert "'***'" in found
    assert KNOWN_TOKEN not in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("token", True),
        ("api_token", True),
        ("access_token", True),
        ("accessToken", True),
        ("crm-token", True),
        ("TOKEN_VALUE", True),
        ("tokenString", True),
        ("max_tokens", False),
        ("maxTokens", False),
        ("MAX_TOKENS_OUT", False),
        ("tokenizer", False),
    ],
)
def test_a_name_tells_a_secret_token_from_a_count_of_tokens(name: str, secret: bool) -> None:
    for inputs in (
        {"tasks": [{"pythonWheelTask": {"namedParameters": {name: "100"}}}]},
        {"tasks": [{"sparkPythonTask": {"parameters": [f"--{name}=100"]}}]},
        {"tasks": [{"sparkPythonTask": {"parameters": [f"--{name}", "100"]}}]},
    ):
        assert bool(violations("no-secrets-in-clear", "Job", job(**inputs), "dev", "provider=provider")) is secret


@pytest.mark.parametrize(
    "inputs",
    [
        {"tasks": [{"sparkPythonTask": {"parameters": ["--password", "{{secrets/churn/crm}}", "--date", "2026"]}}]},
        {"tasks": [{"sparkPythonTask": {"parameters": ["--use-secrets", "--date=2026", "token"]}}]},
        {"tasks": [{"sparkPythonTask": {"parameters": ["https://crm:{{secrets/churn/crm}}@example.com"]}}]},
        {"environments": [{"spec": {"dependencies": ["git+https://example.com:8443/churn@v1"]}}]},
    ],
)
def test_references_to_secrets_and_plain_words_pass(inputs: dict[str, Any]) -> None:
    assert violations("no-secrets-in-clear", "Job", job(**inputs), "dev", "provider=provider") == []


@pytest.mark.parametrize(
    "inputs",
    [
        grants("account users", ["SELECT", "MODIFY"], name="churn.bronze"),
        grants("Account Users", ["SELECT"]),
        grants("users", ["SELECT"], "catalog", "churn"),
        grants("users", ["BROWSE"]),
        grants("account users", ["CREATE_CATALOG"], "metastore", "main"),
        grants("account users", ["READ_FILES"], "externalLocation", "raw"),
        grants("account users", ["READ_FILES"], "storageCredential", "raw"),
        grants("account users", ["USE_CONNECTION"], "foreignConnection", "crm"),
        grants("account users", ["SELECT"], "table", UNKNOWN_STRING_VALUE),
    ],
)
def test_all_users_get_nothing_of_any_securable(inputs: dict[str, Any]) -> None:
    (found,) = violations("least-privilege", "Grants", inputs, "dev", "provider=provider")
    assert "grants[0].principal" in found
    (single,) = inputs["grants"]
    assert violations("least-privilege", "Grant", {**without(inputs, "grants"), **single}, "dev", "provider=provider")


@pytest.mark.parametrize("name", ["churn", UNKNOWN_STRING_VALUE])
def test_all_users_may_find_a_catalog_and_enter_it(name: str) -> None:
    inputs = grants("account users", ["BROWSE", "USE CATALOG"], "catalog", name)
    assert violations("least-privilege", "Grants", inputs, "dev", "provider=provider") == []


@pytest.mark.parametrize("how", [{}, {"continuous": {"pauseStatus": "UNPAUSED"}}])
def test_runs_may_overlap_in_a_job_that_only_people_start_or_that_the_service_keeps_running(how: Any) -> None:
    inputs = {**without(JOB, "schedule"), "maxConcurrentRuns": 2, **how}
    assert violations("jobs-unattended", "Job", inputs, "dev", "provider=provider") == []


def test_a_default_provider_is_judged_at_what_uses_it() -> None:
    assert judge("explicit-provider", PROVIDER, {}, "dev", name="default_1_104_0") == []


def test_resources_of_other_providers_are_left_alone() -> None:
    for rule in RULES:
        assert judge(rule, "aws:s3/bucket:Bucket", {}, "prod", provider="default_1_0_0") == []
