"""The policy pack lets an update pass that keeps its rules, on a real workspace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY
from tests.local.engine_programs import Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import LocalWorkspace


@pytest.mark.shows("engine: policy packs judge an update", client="Pulumi engine")
def test_an_update_of_what_keeps_the_rules_passes(workspace: LocalWorkspace, tmp_path: Path) -> None:
    program = Program.create(tmp_path)
    definition = json.dumps({"cluster_type": {"type": "fixed", "value": "job"}})
    host = workspace.settings.workspace_url
    program = Program(program.folder, program.environment | {"DATABRICKS_TOKEN": workspace.token})
    program.write(
        f"""
        import pulumi
        import pulumi_databricks as databricks
        provider = databricks.Provider("workspace", host={host!r})
        opts = pulumi.ResourceOptions(provider=provider)
        databricks.ClusterPolicy("policy", name="kept", definition={definition!r}, opts=opts)
        """
    )
    pack = ("--policy-pack", str(REPOSITORY / "policies"))
    assert "✅ churn@" in program.up(*pack)
    assert [policy.name for policy in workspace.client().cluster_policies.list()].count("kept") == 1
    program.preview("--expect-no-changes", *pack)
    program.run("destroy", "--yes", "--skip-preview")
