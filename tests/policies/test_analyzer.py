"""The real analyzer, started by the real engine: each rule stops a program, and lets another pass."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.settings import REPOSITORY
from policies.rule import PROVIDER
from tests.local.engine_programs import Program, empty_workspace
from tests.policies.cases import CASES
from tests.policies.cases.case import PROVIDERS, type_of
from tests.policies.cases.inputs import CLUSTER, JOB

if TYPE_CHECKING:
    from collections.abc import Iterator

PACK = ("--policy-pack", str(REPOSITORY / "policies"))
FIRST_OF_EACH_RULE = list({case.rule: case for case in reversed(CASES)}.values())

HEAD = """
import pulumi
opts = pulumi.ResourceOptions(version="1.104.0")
inputs = {{"host": {host!r}}}
""" + "".join(
    f'{variable} = pulumi.ProviderResource("databricks", {name!r}, inputs, opts)\n'
    for variable, name in PROVIDERS.items()
)


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with empty_workspace() as address:
        yield address


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, host: str) -> Program:
    program = Program.create(tmp_path_factory.mktemp("policies"), name="judged", stack="dev")
    program.run("stack", "init", "prod")
    # The token of every provider, and the host of the default one, which the rule on explicit providers refuses.
    return Program(program.folder, program.environment | {"DATABRICKS_HOST": host, "DATABRICKS_TOKEN": "none"})


def resource(kind: str, inputs: dict[str, Any], options: str, name: str = "subject") -> str:
    return f"pulumi.CustomResource({type_of(kind)!r}, {name!r}, {inputs!r}, pulumi.ResourceOptions({options}))\n"


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_preview_is_stopped_by_each_rule(program: Program, host: str, stack: str) -> None:
    broken = {f"broken{n}": case for n, case in enumerate(CASES) if case.stack == stack}
    lines = [resource(case.kind, case.bad, case.bad_options, name) for name, case in broken.items()]
    program.write(HEAD.format(host=host) + "".join(lines))
    policies = program.preview("--stack", stack, *PACK, succeeds=False).partition("Policies:")[2]
    for name, case in broken.items():
        kind = case.kind if case.kind == PROVIDER else f"databricks:index:{case.kind}"
        stopped = policies.partition(f"[mandatory]  {case.rule}  ({kind}: {name})")[2]
        assert case.says in stopped.partition("- [")[0], policies


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_a_preview_of_what_keeps_every_rule_passes(program: Program, host: str, stack: str) -> None:
    kept = [case for case in CASES if case.stack == stack]
    lines = [resource(c.good_kind or c.kind, c.good, c.good_options, f"subject{n}") for n, c in enumerate(kept)]
    program.write(HEAD.format(host=host) + "".join(lines))
    output = program.preview("--stack", stack, *PACK)
    assert "✅ churn@" in output
    # Two more: the stack and a provider. The engine leaves out the provider whose name begins like those of its own.
    assert f"+ {len(kept) + 2} to create" in output


def test_a_preview_passes_where_a_value_is_not_known_yet(program: Program, host: str) -> None:
    definition = json.dumps({"cluster_type": {"type": "fixed", "value": "job"}})
    policy = resource("ClusterPolicy", {"name": "jobs", "definition": definition}, "provider=provider", "policy")
    job = JOB | {"jobClusters": [{"jobClusterKey": "main", "newCluster": CLUSTER | {"policyId": "POLICY"}}]}
    source = "policy = " + policy + resource("Job", job, "provider=provider").replace("'POLICY'", "policy.id")
    program.write(HEAD.format(host=host) + source)
    output = program.preview("--stack", "dev", *PACK)
    assert "✅ churn@" in output


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_an_update_is_stopped_by_each_rule_before_it_makes_anything(program: Program, host: str, stack: str) -> None:
    # One rule an update: a preview judges all resources, an update ends at the first one that breaks a rule.
    for case in FIRST_OF_EACH_RULE:
        if case.stack == stack:
            program.write(HEAD.format(host=host) + resource(case.kind, case.bad, case.bad_options))
            output = program.up("--stack", stack, *PACK, succeeds=False)
            assert case.says in output.partition(f"[mandatory]  {case.rule}  ")[2], output
    deployed = json.loads(program.run("stack", "export", "--stack", stack))["deployment"].get("resources", [])
    assert not [made for made in deployed if made["type"].startswith("databricks:")]


def test_a_preview_is_stopped_by_a_client_secret_that_the_stack_has_not_made(program: Program, host: str) -> None:
    inputs = {"host": host, "authType": "oauth-m2m", "clientId": "server", "clientSecret": "hunter2"}
    server = f'pulumi.ProviderResource("databricks", "server", {inputs!r}, opts)\n'
    program.write(HEAD.format(host=host) + server)
    output = program.preview("--stack", "dev", *PACK, succeeds=False)
    assert "client-secrets-made-here" in output
    assert "hunter2" not in output.partition("Policies:")[2]
