"""The rules, each called as the analyzer calls it."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from policies.rule import PROVIDER
from tests.policies.cases import CASES
from tests.policies.cases.case import Case, type_of
from tests.policies.cases.inputs import CATALOG, CLASSIC, JOB, PIPELINE, control, grants, provisioned, without
from tests.policies.judging import RULES, judge, violations


def bad_inputs(case: Case) -> dict[str, Any]:
    """Inputs as the analyzer gets them: the provider has filled in a name that the program left out."""
    fills_in = case.rule == "explicit-name" and case.kind != "Cluster"
    return {"name": "subject-0a1b2c3", **case.bad} if fills_in else case.bad


def test_every_rule_has_a_case() -> None:
    assert len(RULES) >= 10
    assert {case.rule for case in CASES} == set(RULES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_violation_names_resource_property_value_and_remedy(case: Case) -> None:
    (violation,) = violations(case.rule, case.kind, bad_inputs(case), case.stack, case.bad_options)
    assert violation.startswith(f"{case.kind} `subject`: ")
    assert case.says in violation
    assert "Remedy: " in violation


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_lets_pass_what_keeps_it(case: Case) -> None:
    kind = case.good_kind or case.kind
    assert violations(case.rule, kind, case.good, case.stack, case.good_options) == []


@pytest.mark.parametrize("case", [case for case in CASES if case.stack == "prod"], ids=str)
def test_what_is_asked_of_production_alone_is_not_asked_elsewhere(case: Case) -> None:
    assert violations(case.rule, case.kind, case.bad, "local", case.bad_options) == []


@pytest.mark.parametrize(
    ("stack", "production"),
    [
        ("prod", True),
        ("prod_eu", True),
        ("prod-eu", True),
        ("dev", False),
        ("preprod", False),
        ("dev_prod", False),
        ("products", False),
    ],
)
def test_production_may_be_several_stacks(stack: str, production: bool) -> None:
    assert bool(violations("protected-data", "Catalog", CATALOG, stack, "provider=provider")) is production


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
    (violation,) = violations("least-privilege", "Grants", inputs, "dev", "provider=provider")
    assert "grants[0].principal" in violation
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
    (violation,) = violations("least-privilege", "Permissions", control(group, level), "dev", "provider=provider")
    assert f"give {level} to a group" in violation


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
def test_runs_may_overlap_in_a_job_without_schedule_or_trigger(how: Any) -> None:
    inputs = {**without(JOB, "schedule"), "maxConcurrentRuns": 2, **how}
    assert violations("jobs-unattended", "Job", inputs, "dev", "provider=provider") == []


def test_only_a_pipeline_that_starts_by_itself_needs_notifications() -> None:
    assert violations("jobs-unattended", "Pipeline", PIPELINE, "prod", "provider=provider") == []


@pytest.mark.parametrize(("version", "pinned"), [("3", True), ("latest", False)])
def test_what_is_provisioned_in_production_is_pinned(version: str, pinned: bool) -> None:
    inputs = provisioned(entityVersion=version)
    broken = violations("endpoints-pinned", "ModelServingProvisionedThroughput", inputs, "prod", "provider=provider")
    assert (broken == []) is pinned


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
