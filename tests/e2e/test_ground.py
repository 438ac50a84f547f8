"""The ground of `dev` and of `prod`, deployed by the real engine to the local AWS with a real broker."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from local.settings import REPOSITORY, LocalSettings
from tests.local.aws.local_aws import LocalAws
from tests.local.engine_programs import Program
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = """
import runpy

runpy.run_module("infra", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS that runs."""
    server = LocalAws(LocalSettings(tmp_path / "cloud", free_base_port()))
    server.settings.home.mkdir()
    server.start()
    yield server
    server.stop()


def write_settings(program: Program, stack: str, url: str, **changes: Any) -> dict[str, Any]:
    """Writes the ground of a stack's file, with the endpoint of the local AWS, as the program's settings.

    Args:
        program: Gets the file.
        stack: Name of the stack whose file is read.
        url: Address of the local AWS.
        changes: Values of `churn:ground.aws.watch`.

    Returns:
        The section `churn:ground`.
    """
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())
    ground: dict[str, Any] = document["config"]["churn:ground"] | {"protect_data": False}
    ground["aws"] |= {"endpoint": url, "watch": ground["aws"]["watch"] | changes}
    file = program.folder / f"Pulumi.{stack}.yaml"
    kept = yaml.safe_load(file.read_text()) if file.exists() else {}
    file.write_text(yaml.safe_dump({**kept, "config": {"churn:ground": ground}}))
    return ground


@pytest.mark.shows("aws: the ground of a stack is made, changed and destroyed", client="pulumi-aws")
@pytest.mark.shows("kafka: topics of a stack's ground have their partitions", client="confluent-kafka")
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_ground_is_made_changed_and_destroyed(
    aws: LocalAws, tmp_path: Path, stack: str, request: pytest.FixtureRequest
) -> None:
    if stack == "prod" and not request.config.getoption("--soak"):
        pytest.skip("sampled: with --soak")
    program = Program.create(tmp_path / "program", name="churn", stack=stack)
    program.environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "workloads" / "src")])
    program.write(PROGRAM)
    ground = write_settings(program, stack, aws.url)
    program.up()
    try:
        program.preview("--expect-no-changes")
        outputs = json.loads(program.run("stack", "output", "--json"))
        assert outputs["catalog_url"].startswith(f"s3://churn-{stack}-")
        brokers = AdminClient({"bootstrap.servers": outputs["kafka_bootstrap_brokers"]})
        topics = brokers.list_topics(timeout=30).topics
        wanted = {topic["name"]: topic["partitions"] for topic in ground["aws"]["kafka"]["topics"]}
        assert {name: len(topics[name].partitions) for name in wanted} == wanted

        write_settings(program, stack, aws.url, budget_usd_per_month=77)
        changed = program.up()
        assert "aws:budgets:Budget" in changed
        assert "~ 1 updated" in changed
        program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    finally:
        program.run("destroy", "--yes", "--skip-preview")
    assert aws.client("s3").list_buckets()["Buckets"] == []
    assert aws.client("kafka").list_clusters_v2()["ClusterInfoList"] == []
