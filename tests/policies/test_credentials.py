"""The rule on secrets in clear text: the inputs that it reads, the names and values that it recognises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pulumi_policy import PolicyCustomTimeouts, PolicyResource, PolicyResourceOptions, StackValidationArgs

from policies.credentials import STACK_RULES
from policies.rule import PROVIDER
from tests.policies.cases.inputs import PIPELINE, external, fixed, job, policy, wheel_task
from tests.policies.judging import violations

KNOWN_TOKEN = "dapi" + "0" * 32
INDEX = "https://user:hunter2@example.com/simple"


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
        ({"tasks": [{"runJobTask": {"dbtCommands": ["dbt run --token=x"]}}]}, "dbtCommands[0]"),
        ({"tasks": [{"genAiComputeTask": {"command": "train --password x"}}]}, "genAiComputeTask.command"),
        ({"tasks": [wheel_task(secret_scope=KNOWN_TOKEN)]}, "namedParameters.secret_scope"),
    ],
)
def test_a_secret_is_found_wherever_it_stands_and_never_repeated(inputs: dict[str, Any], path: str) -> None:
    (violation,) = violations("no-secrets-in-clear", "Job", job(**inputs), "dev", "provider=provider")
    assert path in violation
    assert "'***'" in violation
    assert KNOWN_TOKEN not in violation
    assert "hunter2" not in violation


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
        ("credential_name", False),
        ("secret_name", False),
        ("token_endpoint", False),
        ("fs.s3a.tokenProvider", False),
        ("fs.azure.sas.token.provider.type.example", False),
        ("fs.azure.sas.fixed.token.example", True),
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
def test_names_of_secrets_differ_from_counts_of_tokens_and_from_locations(name: str, secret: bool) -> None:
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


JAAS = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="churn" password="{}";'
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjaHVybiJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize("kind", ["Job", "Pipeline"])
@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("url", "jdbc:postgresql://h/crm?user=churn&password=x9", True),
        ("url", "jdbc:sqlserver://h:1433;database=crm;password=X9;", True),
        ("url", "jdbc:postgresql://h/crm?user=churn&password={{secrets/churn/crm}}", False),
        ("kafka.sasl.jaas.config", JAAS.format("x9"), True),
        ("kafka.sasl.jaas.config", JAAS.format("{{secrets/churn/kafka}}"), False),
        ("storage", "DefaultEndpointsProtocol=https;AccountName=crm;AccountKey=aGlkZGVu==", True),
        ("storage", "https://crm.blob.core.windows.net/a?sv=2024-11-04&sig=aGlkZGVu%3D", True),
        ("storage", "https://crm.blob.core.windows.net/a?page=2&max_tokens=5", False),
        ("db_pwd", "x9", True),
        ("passphrase", "x9", True),
        ("note", JWT, True),
        ("note", "ASIA" + "Z" * 16, True),
        ("password_policy", "strict", False),
        ("credential_file", "/Volumes/churn/bronze/raw/crm.json", False),
        ("password_length", "12", False),
        ("token_ttl_minutes", "30", False),
    ],
)
def test_a_secret_within_a_text_is_found_and_what_is_about_secrets_passes(
    kind: str, name: str, text: str, secret: bool
) -> None:
    for inputs in (
        [{**PIPELINE, "configuration": {name: text}}]
        if kind == "Pipeline"
        else [
            job(parameters=[{"name": name, "default": text}]),
            job(tasks=[wheel_task(**{name: text})]),
            job(tasks=[{"sparkPythonTask": {"parameters": [f"--{name}={text}"]}}]),
        ]
    ):
        found = violations("no-secrets-in-clear", kind, inputs, "dev", "provider=provider")
        assert bool(found) is secret, inputs
        assert not any("x9" in violation for violation in found)


@pytest.mark.parametrize("key", ["spark.authenticate.secret.required", "spark.kafka.token.enabled"])
def test_a_switch_is_no_secret(key: str) -> None:
    inputs = {"jobClusters": [{"newCluster": {"sparkConf": {key: "true"}}}]}
    assert violations("no-secrets-in-clear", "Job", job(**inputs), "dev", "provider=provider") == []


@pytest.mark.parametrize(
    "token", [KNOWN_TOKEN, "dose" + "0" * 32, "ghp_" + "0" * 36, "github_pat_" + "0" * 22, "glpat-" + "0" * 20]
)
def test_a_known_kind_of_token_is_found_under_any_name(token: str) -> None:
    inputs = job(description=f"reads with {token}")
    assert violations("no-secrets-in-clear", "Job", inputs, "dev", "provider=provider")


@pytest.mark.parametrize("field", ["token", "password", "azureClientSecret", "actionsIdTokenRequestToken"])
def test_a_provider_has_no_credentials(field: str) -> None:
    inputs = {"host": "https://example.com", field: "hunter2"}
    (violation,) = violations("no-secrets-in-clear", PROVIDER, inputs, "dev", "provider=provider")
    assert f"{field} is '***'" in violation


def test_what_stores_a_secret_has_it() -> None:
    inputs = {"scope": "churn", "key": "crm", "stringValue": KNOWN_TOKEN}
    assert violations("no-secrets-in-clear", "Secret", inputs, "dev", "provider=provider") == []


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
    (violation,) = violations("no-secrets-in-clear", "ClusterPolicy", inputs, "dev", "provider=provider")
    assert "hunter2" not in violation


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
    (violation,) = violations("no-secrets-in-clear", "ModelServing", inputs, "dev", "provider=provider")
    assert f"openaiConfig.{field} is '***'" in violation
    assert ("in the field without Plaintext" in violation) is field.endswith("Plaintext")


@pytest.mark.parametrize("maker", [None, "databricks:index/servicePrincipal:ServicePrincipal"])
def test_a_client_secret_is_made_by_the_stack(maker: str | None) -> None:
    assert len(stack_violations(maker)) == 1
    (text,) = stack_violations(maker)
    assert "hunter2" not in text
    assert "ServicePrincipalSecret of the same stack" in text


def test_a_client_secret_of_the_stack_passes() -> None:
    assert stack_violations("databricks:index/servicePrincipalSecret:ServicePrincipalSecret") == []


def stack_violations(maker: str | None) -> list[str]:
    """Applies the rule on whole stacks to a provider whose client secret a resource of a type has made, if any."""
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])

    def resource(type_: str, name: str, props: dict[str, str], made_by: list[PolicyResource]) -> PolicyResource:
        made = {"clientSecret": made_by} if made_by else {}
        return PolicyResource(type_, props, name, name, options, None, None, made_by, made)

    makers = [resource(maker, "maker", {}, [])] if maker else []
    provider = resource(PROVIDER, "server", {"clientSecret": "hunter2"}, makers)
    texts: list[str] = []
    (rule,) = STACK_RULES
    rule.validate(StackValidationArgs([*makers, provider], {}), lambda text, _urn=None: texts.append(text))
    return texts
