"""People's grants go before what is classified changes, and come back last: by the real engine and provider."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY, LocalSettings
from tests.local.conftest import LocalWorkspace
from tests.local.engine_programs import Program
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READERS, LOCATION = "readers", "tests"
# The list, a step that stands for code, runs and tags, and a grant that waits for it: on a location, which is no table.
PROGRAM = f"""
import pulumi
import pulumi_databricks as databricks
from infra.once.classified_tables import ClassifiedTables
from infra.resource_options import add_options_of_class
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

config = pulumi.Config()
pulumi.runtime.register_stack_transformation(add_options_of_class)


class StepProvider(ResourceProvider):
    def create(self, props):
        if props["ends"] == "no":
            raise RuntimeError("ended here")
        return CreateResult("step", props)

    def diff(self, _id, olds, news):
        from pulumi.dynamic import DiffResult
        changed = olds.get("places") != news.get("places")
        return DiffResult(changes=changed, replaces=["places"] if changed else [])


class Step(Resource):
    pass


workspace = databricks.Provider("workspace", host=config.require("host"))
classified = ClassifiedTables("list", ["{LOCATION}"], [config.require("places")], pulumi.ResourceOptions())
properties = {{"places": config.require("places"), "ends": config.require("ends")}}
step = Step(StepProvider(), "step", properties, pulumi.ResourceOptions(depends_on=[classified]))
databricks.Grants(
    "grants",
    external_location=classified.table("{LOCATION}"),
    grants=[{{"principal": "{READERS}", "privileges": ["READ_FILES"]}}],
    opts=pulumi.ResourceOptions(provider=workspace, depends_on=[step]),
)
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[LocalWorkspace]:
    """A workspace without Spark, with a location and a group."""
    local = LocalWorkspace(LocalSettings(tmp_path / "workspace", free_base_port()))
    try:
        local.start()
        local.client().groups.create(display_name=READERS)
        assert local.storage(LOCATION)
        yield local
    finally:
        local.stop()


def test_a_deployment_that_ends_on_its_way_leaves_people_without_tables(
    workspace: LocalWorkspace, tmp_path: Path
) -> None:
    program = Program.create(tmp_path / "program")
    program.environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "workloads" / "src")])
    program.environment.update(DATABRICKS_TOKEN=workspace.token, DATABRICKS_AUTH_TYPE="pat")
    program.write(PROGRAM)

    def readers() -> list[str]:
        held = workspace.client().grants.get("external_location", LOCATION).privilege_assignments or []
        return [each.principal or "" for each in held if each.principal == READERS]

    def configure(places: str, ends: str) -> None:
        for key, value in (("host", workspace.settings.workspace_url), ("places", places), ("ends", ends)):
            program.run("config", "set", key, value)

    configure("email: public", "yes")
    program.up()
    assert readers() == [READERS]
    configure("email: pii.email", "no")
    assert "ended here" in program.up(succeeds=False)
    assert readers() == [], "taken away before the step"
    configure("email: pii.email", "yes")
    program.up()
    assert readers() == [READERS]
    program.preview("--expect-no-changes")
