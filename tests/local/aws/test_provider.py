"""The provider through the real engine and SDK: what `infra` does with AWS, from the first `up` to `destroy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.local.aws.local_aws import AwsProgram

PROGRAMS = Path(__file__).with_name("programs")


@pytest.mark.shows(
    "aws: networks as resources: VPC, subnets, gateways, routes, security groups, endpoints, load balancers",
    "aws: S3, KMS, IAM, CloudWatch, SNS and Budgets as resources",
    client="pulumi-aws",
)
@pytest.mark.parametrize("name", ["network", "storage"])
def test_what_was_made_is_what_was_asked_for(program: AwsProgram, name: str) -> None:
    program.write((PROGRAMS / f"{name}.py").read_text())
    assert "create" in program.preview()
    program.up()
    program.preview("--expect-no-changes")
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    program.preview("--expect-no-changes")
