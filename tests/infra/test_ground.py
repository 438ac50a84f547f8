"""What holds for everything of the ground in AWS: components, provider, tags, names, protection, adoption."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from infra.layers.ground.environment import Environment
from infra.layers.ground.outputs import GroundOutputs
from infra.written.paths import REPOSITORY
from tests.infra.ground import ADOPT, ADOPTED_CLUSTER, ADOPTED_KEY, aws_settings, run_ground
from tests.infra.program import run, without_a_stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.infra.program import Program, Registered

# Classes whose objects hold data, or without which data cannot be read or reached.
HOLD_DATA = {"aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:msk/cluster:Cluster", "aws:msk/topic:Topic"}
HOLD_DATA_IF_PRIVATE = {"aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"}
# The inputs that name an object; what has none of them has a tag Name, or belongs to an object that is named.
NAMES = ("bucket", "clusterName", "name")
# Classes that are known by what they belong to.
PARTS = {
    "BucketLifecycleConfiguration",
    "BucketOwnershipControls",
    "BucketPolicy",
    "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
    "Listener",
    "OpenIdConnectProvider",
    "Route",
    "RouteTableAssociation",
    "Target",
    "TargetGroupAttachment",
    "TopicPolicy",
    "TopicSubscription",
}


def of_aws(program: Program) -> list[Registered]:
    return [r for r in program.resources if r.type.startswith("aws:")]


def class_name(resource: Registered) -> str:
    return resource.type.rsplit(":", 1)[-1]


def test_every_resource_lies_in_a_component_with_outputs(ground: Program) -> None:
    components = {r.urn for r in ground.resources if r.type.startswith("churn:")}
    assert [r.urn for r in of_aws(ground) if r.parent not in components] == []
    assert components == ground.finished & components


def test_everything_goes_to_one_account_and_carries_the_tags(ground: Program) -> None:
    (provider,) = (r for r in ground.resources if r.type == "pulumi:providers:aws")
    settings = aws_settings(ground.stack)
    tags = {"project": "churn", "stack": ground.stack, "owner": settings.tags.owner}
    assert provider.inputs["allowedAccountIds"] == f'["{settings.account_id}"]'
    for key, value in (tags | {"cost_center": settings.tags.cost_center}).items():
        assert f'"{key}": "{value}"' in provider.inputs["defaultTags"]
    assert {r.provider.split("::")[-2] for r in of_aws(ground)} == {"aws"}
    assert {call.provider.split("::")[-2] for call in ground.calls} <= {"aws"}


def test_no_resource_takes_a_mandatory_tag_away(ground: Program) -> None:
    for resource in of_aws(ground):
        assert set(resource.inputs.get("tags", {})) <= {"Name"}, resource.urn


def test_an_endpoint_takes_the_place_of_every_service() -> None:
    program = run_ground("prod", {"endpoint": "http://127.0.0.1:5000"})
    (provider,) = (r for r in program.resources if r.type == "pulumi:providers:aws")
    assert provider.inputs["endpoints"].count("http://127.0.0.1:5000") == 12
    assert provider.inputs["s3UsePathStyle"] == "true"


def test_names_carry_the_stack(ground: Program) -> None:
    for resource in of_aws(ground):
        if class_name(resource) in PARTS or resource.type == "aws:msk/topic:Topic":
            continue
        name = next((resource.inputs[key] for key in NAMES if key in resource.inputs), None)
        name = name or resource.inputs.get("tags", {}).get("Name")
        assert name, resource.urn
        assert name.removeprefix("alias/").startswith(f"churn-{ground.stack}"), resource.urn


def test_two_stacks_can_lie_in_one_account(grounds: Mapping[str, Program]) -> None:
    def names(program: Program) -> set[tuple[str, str]]:
        return {(r.type, r.inputs[key]) for r in of_aws(program) for key in NAMES if key in r.inputs}

    shared = {type_ for type_, _ in names(grounds["dev"]) & names(grounds["prod"])}
    assert shared <= {"aws:msk/topic:Topic"}, "topics are in a cluster of the stack's own"


def test_the_name_of_a_stack_may_have_underscores() -> None:
    environment = Environment("123456789012", "eu-west-1", "prod_eu")
    assert environment.bucket("raw") == "churn-prod-eu-raw-123456789012"
    assert environment.name("kafka_client") == "churn-prod-eu-kafka-client"


def test_what_holds_data_is_protected_by_setting(grounds: Mapping[str, Program]) -> None:
    for stack, protect in (("prod", True), ("dev", False)):
        for resource in of_aws(grounds[stack]):
            private = resource.type in HOLD_DATA_IF_PRIVATE and not resource.name.startswith("public")
            assert resource.protect == (protect and (resource.type in HOLD_DATA or private)), resource.urn
            assert resource.inputs.get("forceDestroy", not protect) == (not protect), resource.urn


def test_adoption_makes_nothing_of_its_kind(grounds: Mapping[str, Program]) -> None:
    made = {r.type.split(":")[1].split("/")[0] for r in of_aws(grounds["adopted"])}
    assert made == {"budgets", "cloudwatch", "iam", "sns"}
    assert grounds["adopted"].of("OpenIdConnectProvider") == {}
    existing = {ADOPTED_CLUSTER, ADOPTED_KEY, *ADOPT["buckets"].values(), "vpc-0a", "sg-0a", "subnet-0a"}
    ids = {value for r in of_aws(grounds["adopted"]) for value in r.inputs.values() if isinstance(value, str)}
    assert ids & existing == {ADOPTED_KEY}, "logs and messages are encrypted by it, and nothing else belongs to one"


def test_what_is_adopted_is_handed_on_like_what_is_made(grounds: Mapping[str, Program]) -> None:
    outputs = grounds["adopted"].outputs
    assert outputs["catalog_url"] == "s3://existing-catalog"
    assert outputs["vpc_id"] == "vpc-0a"
    assert outputs["nodes_group_id"] == "sg-0a"
    assert outputs["subnet_ids"] == ["subnet-0a", "subnet-0b", "subnet-0c"]
    assert set(outputs["key_arns"].values()) == {ADOPTED_KEY}
    assert outputs["kafka_bootstrap_brokers"] == "b-1.adopted.example:9098"


@pytest.mark.parametrize("part", ["keys.storage", "buckets.catalog"])
def test_one_of_a_kind_can_be_adopted(grounds: Mapping[str, Program], part: str) -> None:
    section, _, name = part.partition(".")
    again = run_ground("prod", {part: ADOPT[section][name]})
    gone = {r.name for r in of_aws(grounds["prod"])} - {r.name for r in of_aws(again)}
    assert gone
    assert all(resource.startswith(f"{name}") for resource in gone)


def test_every_output_has_a_name_of_the_class(grounds: Mapping[str, Program]) -> None:
    # The workspace is made after everything in AWS.
    known = {field.name for field in fields(GroundOutputs)} - {"workspace_host", "workspace_id"}
    assert {name for program in grounds.values() for name in program.outputs} == known


@pytest.mark.parametrize(("ground", "imported"), [({"churn:ground": '{"storage_root": null}'}, False), ({}, True)])
def test_only_a_stack_with_a_ground_in_aws_imports_its_sdk(
    wheels: Path, ground: dict[str, str], imported: bool
) -> None:
    code = (
        "import pathlib, sys\n"
        "from infra.written import paths\n"
        "from tests.infra.program import run, without_a_stream\n"
        f"paths.WHEELS = pathlib.Path({str(wheels)!r})\n"
        f"run('local', without_a_stream('local') | {ground!r})\n"
        "print('pulumi_aws' in sys.modules)"
    )
    # As pytest has it, and not as an installed package: tests are none.
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'workloads' / 'src'}"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, env=environment, check=False
    )
    assert done.stdout.strip() == str(imported), done.stderr


def test_a_ground_of_another_stack_is_read_as_a_whole(wheels: Path) -> None:
    program = run("local", without_a_stream("local") | {"churn:ground": json.dumps({"stack": "example/churn/dev"})})
    assert {field.name for field in fields(GroundOutputs)} <= set(program.outputs)
    assert program.outputs["storage_root"] == "s3://dev/churn"
    assert program.outputs["vpc_id"] is None, "that stack does not export any"
