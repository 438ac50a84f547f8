"""Stacks on what others have made: a ground that adopts everything, and a platform over another stack's ground."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from cli.aws_inventory import AWS_KINDS, in_aws
from cli.inventory import Found, names
from cli.wheel import build_wheel
from local.settings import LocalSettings
from local.workspace.core.context import ACCOUNT_ID
from tests.e2e.programs import (
    GROUND,
    PLATFORM,
    configure,
    join,
    platform_section,
    prepare,
    program_of,
    section_of,
    targets,
)
from tests.local.aws.local_aws import LocalAws
from tests.local.conftest import LocalWorkspace
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.engine_programs import Program

# What only a private link to Kafka or a way to the internet has, and policies that are no role's own.
UNUSED = {"internet gateway", "NAT gateway", "address", "endpoint service", "load balancer", "target group", "policy"}
# What a ground that adopts everything still has of its own.
OWN = {"role", "log group", "topic of notifications", "subscription", "budget of AWS"}


@dataclass(frozen=True)
class Cloud:
    """A workspace and AWS, and the program whose first stack has made a ground in AWS.

    Attributes:
        workspace: The workspace.
        aws: AWS.
        program: The program; its stacks share a backend.
        ground: Section `churn:ground` of the first stack, `first`.
        before: What AWS had before any stack.
    """

    workspace: LocalWorkspace
    aws: LocalAws
    program: Program
    ground: dict[str, Any]
    before: Found

    def stack(self, name: str, sections: dict[str, dict[str, Any]]) -> Program:
        """The program with this stack selected, which has these settings."""
        self.program.run("stack", "select", "--create", name)
        configure(self.program, name, sections)
        return self.program

    def outputs(self) -> dict[str, Any]:
        """Outputs of the stack that is selected."""
        found: dict[str, Any] = json.loads(self.program.run("stack", "output", "--json"))
        return found

    def platform(self, **workspace: str) -> dict[str, Any]:
        """Section `churn:platform` of a stack for this workspace."""
        return platform_section(self.workspace, **workspace)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("adopted")
    settings = LocalSettings(folder / "cloud", free_base_port())
    settings.home.mkdir()
    build_wheel(settings.logs / "install-wheel.log", lambda _: None)
    workspace, aws = LocalWorkspace(settings), LocalAws(settings)
    try:
        aws.start()
        workspace.start()
        prepare(workspace)
        ground = section_of("dev", GROUND)
        ground["aws"] |= {"endpoint": aws.url, "github": {"subject": "repo:example/churn-platform:environment:first"}}
        ground["aws"]["kafka"]["serverless_link"] = False
        before = names(in_aws(settings))
        cloud = Cloud(workspace, aws, program_of(workspace, folder / "program", "first"), ground, before)
        cloud.stack("first", {GROUND: ground}).up()
        yield cloud
    finally:
        workspace.stop()
        aws.stop()


def more(now: Found, before: Found) -> set[str]:
    """Kinds of which there is something new."""
    return {kind for kind, found in now.items() if found - before.get(kind, set())}


def adopting(cloud: Cloud, made: dict[str, Any], before: Found) -> dict[str, Any]:
    """Section `churn:ground` of a stack that makes nothing which another stack has made."""
    (listed,) = cloud.aws.client("kafka").list_clusters_v2()["ClusterInfoList"]
    (provider,) = before["identity provider"]
    kept = {name: cloud.ground["aws"][name] for name in ("account_id", "region", "endpoint", "tags", "watch")}
    aws = kept | {
        "databricks_account_id": ACCOUNT_ID,
        "adopted_network": {name: made[name] for name in ("vpc_id", "subnet_ids", "nodes_group_id")},
        "keys": made["key_arns"],
        "buckets": {
            "catalog": made["catalog_url"].removeprefix("s3://"),
            "raw": made["raw_url"].removeprefix("s3://"),
            "checkpoints": made["checkpoints_url"].removeprefix("s3://"),
            "workspace": made["workspace_bucket"],
            "logs": made["logs_bucket"],
        },
        "adopted_kafka": {"cluster_arn": listed["ClusterArn"], "topics": made["kafka_topics"]},
        "github": {"subject": "repo:example/churn-platform:environment:second", "provider_arn": provider},
    }
    return {"protect_data": False, "aws": aws}


def test_a_second_stack_adopts_all_that_the_first_has_made(cloud: Cloud) -> None:
    cloud.stack("first", {GROUND: cloud.ground})
    made, before = cloud.outputs(), names(in_aws(cloud.aws.settings))
    program = cloud.stack("second", {GROUND: adopting(cloud, made, before)})
    program.up()
    now = names(in_aws(cloud.aws.settings))
    assert more(now, before) == OWN
    adopted = cloud.outputs()
    assert {name: adopted[name] for name in made if name not in ("role_arns", "control_plane_endpoint_ids")} == {
        name: made[name] for name in made if name not in ("role_arns", "control_plane_endpoint_ids")
    }
    assert set(adopted["role_arns"]) == set(made["role_arns"])
    assert not set(adopted["role_arns"].values()) & set(made["role_arns"].values()), "each stack has roles of its own"
    trust = cloud.aws.client("iam").get_role(RoleName="churn-second-ci")["Role"]["AssumeRolePolicyDocument"]
    (provider,) = before["identity provider"]
    assert trust["Statement"][0]["Principal"] == {"Federated": provider}
    program.preview("--refresh", "--expect-no-changes")

    program.run("destroy", "--yes", "--skip-preview")
    assert names(in_aws(cloud.aws.settings)) == before
    cloud.stack("first", {GROUND: cloud.ground}).preview("--refresh", "--expect-no-changes")


def test_a_platform_stands_on_the_ground_of_another_stack(cloud: Cloud) -> None:
    client = cloud.workspace.client()
    cloud.stack("first", {GROUND: cloud.ground})
    ground = cloud.outputs()
    over = {"stack": "organization/churn/first", "kafka": True, "protect_data": False}
    program = cloud.stack("third", {GROUND: over, PLATFORM: cloud.platform(deployer="another@churn.local")})
    refused = program.preview(succeeds=False)
    assert "deployer: received another@churn.local; Pulumi runs as admin@churn.local" in refused
    configure(program, "third", {GROUND: over, PLATFORM: cloud.platform()})
    refused = program.up(*targets("Identities"), succeeds=False)
    assert "groups.platform: received churn-platform, of which the deployer admin@churn.local is no member" in refused

    join(cloud.workspace, "churn-platform", client.current_user.me().id or "")
    program.up(*targets("Identities", "CloudStorage"))
    locations = {found.name: found.url for found in client.external_locations.list()}
    assert locations["churn-third-catalog"] == ground["catalog_url"]
    assert locations["churn-third-landing-support"] == f"{ground['raw_url']}/support"
    credential = client.storage_credentials.get("churn-third-storage").aws_iam_role
    assert credential is not None
    assert credential.role_arn == ground["role_arns"]["storage"]
    program.up(*targets("Identities", "KafkaCredential"))
    kafka = client.credentials.get_credential("churn-third-kafka").aws_iam_role
    assert kafka is not None
    assert kafka.role_arn == ground["role_arns"]["kafka_client"]
    plan = json.loads(program.preview("--json", *targets("Storage")))
    (catalog,) = [step for step in plan["steps"] if step["urn"].endswith("Catalog::catalog")]
    assert catalog["newState"]["inputs"]["storageRoot"] == ground["storage_root"]
    program.run("destroy", "--yes", "--skip-preview")


def test_a_platform_without_a_ground_names_storage_that_exists(cloud: Cloud) -> None:
    """Where it does, tests/e2e/test_deployers.py deploys it."""
    cloud.workspace.storage("given")
    platform = {PLATFORM: cloud.platform()}
    program = cloud.stack("fourth", {GROUND: {"storage_root": None}, **platform})
    assert "storage_root: received null; the metastore has no storage root" in program.preview(succeeds=False)
    configure(program, "fourth", {GROUND: {"storage_root": "s3://nowhere/churn"}, **platform})
    refused = program.preview(succeeds=False)
    another = cloud.platform() | {"metastore_id": "00000000-0000-0000-0000-00000000000f"}
    configure(program, "fourth", {GROUND: {"storage_root": None}, PLATFORM: another})
    assert "metastore_id: received 00000000-0000-0000-0000-00000000000f; the workspace is attached to" in (
        program.preview(succeeds=False)
    )
    assert "received s3://nowhere/churn; allowed: below an external location" in refused
    assert "s3://given" in refused


def test_a_ground_without_kafka_on_a_bucket_of_others(cloud: Cloud) -> None:
    """One of its five buckets exists, and a platform that wants its Kafka is refused before anything is made."""
    cloud.stack("first", {GROUND: cloud.ground})
    bucket, before = cloud.outputs()["checkpoints_url"].removeprefix("s3://"), names(in_aws(cloud.aws.settings))
    without = {name: value for name, value in cloud.ground["aws"].items() if name not in ("github", "kafka")}
    ground = cloud.ground | {"aws": without | {"buckets": {"checkpoints": bucket}}}
    program = cloud.stack("fifth", {GROUND: ground})
    program.up()
    made, now = cloud.outputs(), names(in_aws(cloud.aws.settings))
    assert made["checkpoints_url"] == f"s3://{bucket}"
    assert set(made["role_arns"]) == {"cross_account", "storage"}
    assert len(now["bucket"]) == len(before["bucket"]) + 4
    assert "Kafka cluster" not in more(now, before)
    program.preview("--refresh", "--expect-no-changes")
    over = {"stack": "organization/churn/fifth", "kafka": True, "protect_data": False}
    refused = cloud.stack("sixth", {GROUND: over, PLATFORM: cloud.platform()}).preview(succeeds=False)
    assert "kafka: received true; the ground of organization/churn/fifth has no Kafka" in refused

    cloud.stack("fifth", {GROUND: ground}).run("destroy", "--yes", "--skip-preview")
    assert names(in_aws(cloud.aws.settings)) == before


def test_a_destroyed_ground_leaves_nothing(cloud: Cloud) -> None:
    made = names(in_aws(cloud.aws.settings))
    assert AWS_KINDS - more(made, cloud.before) == UNUSED
    cloud.stack("first", {GROUND: cloud.ground}).run("destroy", "--yes", "--skip-preview")
    assert names(in_aws(cloud.aws.settings)) == cloud.before
