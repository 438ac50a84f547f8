"""The provider through the real engine and SDK: what `infra` does with AWS, from the first `up` to `destroy`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.settings import cache_folder
from tests.local.aws.local_aws import AwsProgram

if TYPE_CHECKING:
    from tests.local.aws.local_aws import LocalAws

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
