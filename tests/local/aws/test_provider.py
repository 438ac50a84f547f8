"""The provider through the real engine and SDK: what `infra` does with AWS, from the first `up` to `destroy`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.aws.provider.types import TYPES
from local.settings import cache_folder
from tests.local.aws import test_kafka
from tests.local.aws.local_aws import AwsProgram

if TYPE_CHECKING:
    from tests.local.aws.local_aws import LocalAws

PROGRAMS = Path(__file__).with_name("programs")

# One change for each type that can be changed, in the words of the programs.
CHANGED = {
    "network": {
        "enable_dns_hostnames=True": "enable_dns_hostnames=False",
        "map_public_ip_on_launch=True": "map_public_ip_on_launch=False",
        "gateway_id=internet.id": "nat_gateway_id=nat.id",
        "from_port=0": "from_port=1",
        'cidr_ipv4="0.0.0.0/0"': 'cidr_ipv4="10.1.0.0/16"',
        "enable_cross_zone_load_balancing=True": "enable_cross_zone_load_balancing=False",
        'health_check={"protocol": "TCP"}': 'health_check={"protocol": "HTTP"}',
        "load_balancer_arn=balancer.arn,\n    port=9098": "load_balancer_arn=balancer.arn,\n    port=9099",
        "acceptance_required=True": "acceptance_required=False",
    },
    "storage": {
        "enable_key_rotation=True": "enable_key_rotation=False",
        "target_key_id=key.key_id": 'target_key_id=aws.kms.Key("other", opts=opts).key_id',
        "BucketOwnerEnforced": "BucketOwnerPreferred",
        "block_public_acls=True": "block_public_acls=False",
        '"bucket_key_enabled": True': '"bucket_key_enabled": False',
        "access/raw/": "access/first/",
        '"status": "Enabled"}, opts': '"status": "Suspended"}, opts',
        '"days": 400': '"days": 500',
        '"Sid": "tls"': '"Sid": "encrypted"',
        'ExternalId": "1234"': 'ExternalId": "5678"',
        'description="Storage", assume_role_policy': 'description="Files", assume_role_policy',
        '["s3:GetObject"]': '["s3:PutObject"]',
        'client_id_lists=["sts.amazonaws.com"]': 'client_id_lists=["sts.amazonaws.com"], thumbprint_lists=["1f" * 20]',
        "retention_in_days=90": "retention_in_days=30",
        'name="churn-test-alarms"': 'name="churn-test-alarms", display_name="alarms"',
        "budgets.amazonaws.com": "cloudwatch.amazonaws.com",
        'endpoint="team@example.com"': 'endpoint="team@example.com", filter_policy=json.dumps({"severity": ["high"]})',
        "period=300": "period=60",
        'limit_amount="500"': 'limit_amount="600"',
    },
}
# Setters of these are shown elsewhere: a gateway goes to another network in none of the programs.
UNCHANGED = {"aws:ec2/internetGateway:InternetGateway"}


def types(source: str) -> set[str]:
    """Types of the provider that a program names."""
    return {kind for kind in TYPES if f"aws.{kind[4:].partition('/')[0]}.{kind.rpartition(':')[2]}(" in source}


@pytest.mark.shows(
    "aws: networks as resources: VPC, subnets, gateways, routes, security groups, endpoints, load balancers",
    "aws: S3, KMS, IAM, CloudWatch, SNS and Budgets as resources",
    client="pulumi-aws",
)
@pytest.mark.parametrize("name", ["network", "storage"])
def test_what_was_made_is_what_was_asked_for(program: AwsProgram, name: str) -> None:
    source = (PROGRAMS / f"{name}.py").read_text()
    program.write(source)
    assert "create" in program.preview()
    program.up()
    program.preview("--expect-no-changes")
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert program.imports_what_it_has_made() == types(source)

    for old, new in CHANGED[name].items():
        assert old in source, old
        source = source.replace(old, new)
    program.write(source)
    steps = json.loads(program.preview("--json"))["steps"]
    assert {step["op"] for step in steps} <= {"same", "create", "update"}
    changed = {step["oldState"]["type"] for step in steps if step["op"] == "update"}
    assert changed >= {kind for kind in types(source) - UNCHANGED if TYPES[kind].put or TYPES[kind].upsert}
    program.up()
    program.preview("--refresh", "--expect-no-changes")


def test_every_type_of_the_provider_is_in_a_program() -> None:
    sources = [(PROGRAMS / f"{name}.py").read_text() for name in CHANGED]
    assert types("\n".join([*sources, test_kafka.PROGRAM])) == TYPES.keys()


def test_the_plugin_is_in_the_folder_of_the_local_stack_alone(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another stack of whoever uses this machine, with the real AWS, must never find it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder().parent))  # engine and provider stay where they are
    person = tmp_path / "person"
    person.mkdir()
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    before = os.environ.get("PATH", "")
    program = AwsProgram.of(aws, tmp_path / "local")
    program.write('aws.sns.Topic("topic", name="only-here", opts=opts)')
    program.up()
    program.run("destroy", "--yes", "--skip-preview")
    (plugin,) = (tmp_path / "local").rglob("pulumi-resource-aws")
    assert plugin.is_relative_to(Path(program.environment["PULUMI_HOME"]) / "plugins")
    assert [str(found) for found in person.rglob("*") if "pulumi" in found.name] == []
    for path in (before, program.environment["PATH"]):
        found = shutil.which("pulumi-resource-aws", path=path)
        assert found is None or not Path(found).read_bytes().count(b"local.aws.provider")
