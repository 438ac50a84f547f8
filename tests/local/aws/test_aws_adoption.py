"""What an interrupted deployment has made in AWS: killed engines and lost answers, by the real engine."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from infra.adoption.adoption import adopt
from infra.adoption.cloud import Deployer
from infra.adoption.engine import Engine
from local.aws.provider.types import TYPES
from local.faults import Fault
from tests.adoption import adopt_as_told

if TYPE_CHECKING:
    from tests.local.aws.local_aws import AwsProgram, LocalAws

DEPLOYER = Deployer(frozenset(), None)
PROGRAM = """
class Part(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("proof:index:Part", "part")
        child = pulumi.ResourceOptions(parent=self, provider=provider, protect=True)
        vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", tags={"Name": "adopted"}, opts=child)
        aws.kms.Key("key", enable_key_rotation=True, tags={"Name": "adopted"}, opts=child)
        aws.s3.Bucket("bucket", bucket="adopted", opts=child)
        aws.sns.Topic("topic", name="adopted", opts=child)
        aws.ec2.SecurityGroup("group", name="adopted", vpc_id=vpc.id, tags={"Name": "adopted"}, opts=child)

Part()
"""


@pytest.fixture
def engine(program: AwsProgram, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine in the environment of a person who deploys."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in (program.environment | keys).items():
        monkeypatch.setenv(name, value)
    program.write(PROGRAM)
    return Engine("test", program.folder / "Pulumi.test.yaml", program.folder)


def counts(aws: LocalAws) -> dict[str, int]:
    """How many objects of the program there are."""
    tagged = [{"Name": "tag:Name", "Values": ["adopted"]}]
    kms = aws.client("kms")
    described = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    return {
        "vpc": len(aws.client("ec2").describe_vpcs(Filters=tagged)["Vpcs"]),
        "group": len(aws.client("ec2").describe_security_groups(Filters=tagged)["SecurityGroups"]),
        "key": sum(key["KeyState"] == "Enabled" and bool(_named(kms, key)) for key in described),
        "bucket": sum(bucket["Name"] == "adopted" for bucket in aws.client("s3").list_buckets()["Buckets"]),
        "topic": sum(t["TopicArn"].endswith(":adopted") for t in aws.client("sns").list_topics()["Topics"]),
    }


def _named(kms: Any, key: dict[str, Any]) -> list[Any]:
    tags = kms.list_resource_tags(KeyId=key["KeyId"])["Tags"]
    return [tag for tag in tags if tag["TagKey"] == "Name" and tag["TagValue"] == "adopted"]


def made_without_the_state(aws: LocalAws, type_: str, inputs: dict[str, Any], tags: dict[str, str]) -> None:
    """Does what a killed engine had its provider do."""
    resource = TYPES[type_]
    resource.make_it(aws.client(resource.service), inputs, tags)


def test_what_is_known_by_tags_or_name_is_not_made_twice(aws: LocalAws, program: AwsProgram, engine: Engine) -> None:
    before = counts(aws)
    program.up("--target", "urn:pulumi:test::tiny::proof:index:Part::part", "--target", "**local**")
    tags = {"stack": "test", "Name": "adopted"}
    for _ in range(2):  # as by a client that sends its request again
        made_without_the_state(aws, "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, tags)
    made_without_the_state(aws, "aws:kms/key:Key", {}, tags)
    made_without_the_state(aws, "aws:s3/bucket:Bucket", {"bucket": "adopted"}, tags)
    made_without_the_state(aws, "aws:sns/topic:Topic", {"name": "adopted"}, {"stack": "test"})
    (unsure,) = adopt(engine, DEPLOYER)
    assert unsure.endswith("platform adopt test --mine bucket"), "it has no tags"
    assert adopt(engine, DEPLOYER, ["bucket"]) == []
    assert counts(aws)["vpc"] - before["vpc"] == 2
    program.up()  # which deletes the second VPC
    once = dict.fromkeys(before, 1)
    assert {kind: count - before[kind] for kind, count in counts(aws).items()} == once
    program.preview("--refresh", "--expect-no-changes")
    resources = engine.export()["deployment"]["resources"]
    vpc = next(each for each in resources if each["type"] == "aws:ec2/vpc:Vpc")
    assert (vpc["parent"].rpartition("::")[2], vpc["protect"]) == ("part", True)
    assert adopt(engine, DEPLOYER) == []


@pytest.mark.parametrize("lines", [2, 6])
def test_a_killed_engine_leaves_nothing_behind(aws: LocalAws, program: AwsProgram, engine: Engine, lines: int) -> None:
    before = counts(aws)
    process = program.start("up", "--yes", "--skip-preview")
    assert process.stdout
    for line in process.stdout:
        lines -= "creating" in line
        if lines == 0:
            break
    started = psutil.Process(process.pid)
    for each in [started, *started.children(recursive=True)]:
        os.kill(each.pid, signal.SIGKILL)
    process.communicate()
    assert adopt(engine, DEPLOYER) == []
    program.up()
    program.preview("--refresh", "--expect-no-changes")
    assert {kind: count - before[kind] for kind, count in counts(aws).items()} == dict.fromkeys(before, 1)


UPS = 12  # at most, until one ends well


def test_lost_answers_leave_nothing_behind(aws: LocalAws, program: AwsProgram, engine: Engine) -> None:
    """A fifth of all requests is done, and the connection ends before the answer."""
    before, tags = counts(aws), {"stack": "test", "Name": "adopted"}
    made_without_the_state(aws, "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}, tags)  # one that is lost for certain
    try:
        for seed in range(UPS):
            ask = {"rate": 0.2, "seed": seed, "kinds": [Fault.LOST_ANSWER]}
            aws.settings.faults.write_text(json.dumps(ask))
            process = program.start("up", "--yes", "--skip-preview")
            output, _ = process.communicate(timeout=300)
            aws.settings.faults.unlink()
            assert adopt_as_told(engine, DEPLOYER) == [], output
            if process.returncode == 0:
                break
        else:
            pytest.fail(f"no `up` has ended well in {UPS}: {output}")
    finally:
        aws.settings.faults.unlink(missing_ok=True)
    program.up()
    program.preview("--refresh", "--expect-no-changes")
    assert {kind: count - before[kind] for kind, count in counts(aws).items()} == dict.fromkeys(before, 1)


@pytest.fixture(autouse=True)
def emptied(aws: LocalAws, program: AwsProgram) -> Any:
    """Removes what a test has made, so that the next one begins with nothing."""
    yield
    program.run("state", "unprotect", "--all", "--yes")
    program.run("destroy", "--yes", "--skip-preview")
