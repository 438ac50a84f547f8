"""Each rule, called as the analyzer calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rule import PROVIDER
from tests.policies.cases import (
    CASES,
    CATALOG,
    CLASSIC,
    JOB,
    KNOWN_TOKEN,
    PROVIDERS,
    Case,
    control,
    external,
    fixed,
    grants,
    job,
    policy,
    type_of,
    wheel_task,
    without,
)
from tests.policies.judging import RULES, judge

INDEX = "https://user:hunter2@example.com/simple"


def violations(rule: str, kind: str, inputs: Any, stack: str, options: str) -> list[str]:
    """What a rule says about one resource with options as they stand in a program."""
    called = options.partition("provider=")[2].partition(",")[0]
    provider = PROVIDERS.get(called, "default_1_104_0")
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
        ({"tasks": [{"sparkPythonTask": {"parameters": ["--password", "x_scope=y"]}}]}, "parameters[1]"),
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
        ({"tasks": [wheel_task(secret_scope=KNOWN_TOKEN)]}, "namedParameters.secret_scope"),
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
        ("api-key", True),
        ("aws_secret_key", True),
        ("credential", True),
        ("fs.azure.account.key.example", True),
        ("primary_key", False),
        ("secret_scope", False),
        ("secret-scope", False),
        ("secretScope", False),
        ("token_key", False),
        ("password_key_name", False),
        ("fs.s3a.aws.credentials.provider", False),
        ("churn.kafka.service_credential", False),
        ("databricks.serviceCredential", False),
    ],
)
def test_a_name_tells_a_secret_from_a_count_of_tokens_and_from_where_a_secret_is(name: str, secret: bool) -> None:
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


SECRET = {"type": "unlimited", "defaultValue": "hunter2"}


@pytest.mark.parametrize(
    "inputs",
    [
        policy({"spark_conf.db.password": SECRET}),
        policy({"spark_conf.db.password": {"type": "allowlist", "values": ["{{secrets/churn/db}}", "hunter2"]}}),
        policy({"docker_image.basic_auth.password": fixed("hunter2")}),
        policy({"spark_env_vars.INDEX": fixed(INDEX)}),
        {"name": "jobs", "definition": f"no JSON: {INDEX}"},
        {"name": "jobs", "policyFamilyDefinitionOverrides": json.dumps({"spark_env_vars.API_KEY": SECRET})},
    ],
)
def test_a_secret_is_found_in_a_cluster_policy(inputs: dict[str, Any]) -> None:
    (found,) = violations("no-secrets-in-clear", "ClusterPolicy", inputs, "dev", "provider=provider")
    assert "hunter2" not in found


def test_a_cluster_policy_may_bound_what_has_no_secret() -> None:
    limits = {
        "spark_conf.spark.hadoop.fs.s3a.aws.credentials.provider": fixed("com.example.Provider"),
        "spark_env_vars.DB_PASSWORD": {"type": "forbidden"},
        "spark_env_vars.INDEX": fixed("https://example.com"),
        "spark_env_vars.MAIL": fixed("jo@example.com"),
    }
    inputs = {"name": "jobs", "definition": json.dumps(limits, separators=(",", ":"))}
    assert violations("no-secrets-in-clear", "ClusterPolicy", inputs, "dev", "provider=provider") == []


@pytest.mark.parametrize("field", ["openaiApiKey", "openaiApiKeyPlaintext", "microsoftEntraClientSecretPlaintext"])
def test_a_secret_for_a_model_elsewhere_is_a_reference(field: str) -> None:
    inputs = external("openai", **{field: "hunter2"})
    (found,) = violations("no-secrets-in-clear", "ModelServing", inputs, "dev", "provider=provider")
    assert f"openaiConfig.{field} is '***'" in found
    assert ("in the field without Plaintext" in found) is field.endswith("Plaintext")


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


@pytest.mark.parametrize("group", ["users", "account users", "Account Users"])
@pytest.mark.parametrize(
    "level", ["CAN_ATTACH_TO", "CAN_EDIT", "CAN_MANAGE", "CAN_MANAGE_RUN", "CAN_QUERY", "CAN_RUN", "IS_OWNER"]
)
def test_all_users_neither_change_nor_run_an_object(group: str, level: str) -> None:
    (found,) = violations("least-privilege", "Permissions", control(group, level), "dev", "provider=provider")
    assert f"give {level} to a group" in found


@pytest.mark.parametrize(
    ("group", "level"),
    [
        ("users", "CAN_READ"),
        ("users", "CAN_VIEW"),
        ("users", UNKNOWN_STRING_VALUE),
        (UNKNOWN_STRING_VALUE, "CAN_MANAGE"),
        ("churn-engineers", "CAN_MANAGE"),
    ],
)
def test_all_users_may_look_at_an_object_and_a_group_may_manage_it(group: str, level: str) -> None:
    assert violations("least-privilege", "Permissions", control(group, level), "dev", "provider=provider") == []


@pytest.mark.parametrize("permission", ["READ", "WRITE", "MANAGE", UNKNOWN_STRING_VALUE])
def test_all_users_read_no_secret(permission: str) -> None:
    inputs = {"scope": "churn", "principal": "Users", "permission": permission}
    assert violations("least-privilege", "SecretAcl", inputs, "dev", "provider=provider")


@pytest.mark.parametrize(
    "inputs",
    [
        {"serverless": UNKNOWN_STRING_VALUE},
        {"clusters": UNKNOWN_STRING_VALUE},
        {"clusters": [UNKNOWN_STRING_VALUE]},
        {"clusters": [{"label": UNKNOWN_STRING_VALUE, "policyId": UNKNOWN_STRING_VALUE}]},
    ],
)
def test_a_pipeline_whose_compute_is_not_known_yet_passes(inputs: dict[str, Any]) -> None:
    assert violations("clusters-bounded", "Pipeline", {**CLASSIC, **inputs}, "dev", "provider=provider") == []


@pytest.mark.parametrize("inputs", [{"serverless": False}, {"clusters": []}])
def test_a_classic_pipeline_describes_its_cluster(inputs: dict[str, Any]) -> None:
    assert violations("clusters-bounded", "Pipeline", {**CLASSIC, **inputs}, "dev", "provider=provider")


@pytest.mark.parametrize("how", [{}, {"continuous": {"pauseStatus": "UNPAUSED"}}])
def test_runs_may_overlap_in_a_job_that_only_people_start_or_that_the_service_keeps_running(how: Any) -> None:
    inputs = {**without(JOB, "schedule"), "maxConcurrentRuns": 2, **how}
    assert violations("jobs-unattended", "Job", inputs, "dev", "provider=provider") == []


@pytest.mark.parametrize(
    ("name", "engines"),
    [
        ("default", True),
        ("default_1_104_0", True),
        ("default_1_104_0_alpha_1", True),
        ("default_1_104_0_https_/example.com", True),
        ("default_github_/api.github.com/example", True),
        ("default-workspace", False),
        ("default_workspace", False),
        ("defaults", False),
    ],
)
def test_a_default_provider_of_the_engine_is_judged_at_what_uses_it(name: str, engines: bool) -> None:
    assert bool(judge("explicit-provider", PROVIDER, {}, "dev", name=name)) is not engines
    assert bool(judge("explicit-provider", type_of("Catalog"), CATALOG, "dev", provider=name)) is engines


def test_resources_of_other_providers_are_left_alone() -> None:
    for rule in RULES:
        assert judge(rule, "aws:s3/bucket:Bucket", {}, "prod", provider="default_1_0_0") == []
