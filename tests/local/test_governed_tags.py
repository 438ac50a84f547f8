"""The check of governed tags, through the real engine and provider: a policy would mask nothing without them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from databricks.sdk.service.tags import TagPolicy, Value

from local.settings import REPOSITORY
from tests.local.engine_programs import Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import LocalWorkspace

SOURCE = """
from types import SimpleNamespace

import pulumi
import pulumi_databricks as databricks
from infra.layers.platform.governance import governed

context = SimpleNamespace(workspace=databricks.Provider("workspace", host={host!r}))
pulumi.export("key", governed("secrecy", ("open", "closed"), context, []))
"""


def test_a_tag_that_the_account_governs_otherwise_stops_the_program(workspace: LocalWorkspace, tmp_path: Path) -> None:
    client = workspace.client()
    program = Program.create(tmp_path)
    program.environment.update(DATABRICKS_TOKEN=workspace.token, DATABRICKS_AUTH_TYPE="pat")
    program.environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "workloads" / "src")])
    program.write(SOURCE.format(host=workspace.settings.workspace_url))
    assert "secrecy" in program.preview(succeeds=False), "nobody governs it"
    client.tag_policies.create_tag_policy(TagPolicy(tag_key="secrecy", values=[Value(name="open")]))
    try:
        refused = program.preview(succeeds=False)
        assert "governed tag secrecy: received open; closed lack" in refused
        assert "remedy: deploy the stack of the account first" in refused
        wanted = TagPolicy(tag_key="secrecy", values=[Value(name="open"), Value(name="closed")])
        client.tag_policies.update_tag_policy("secrecy", wanted, "values")
        program.up()
        assert program.run("stack", "output", "key").strip() == "secrecy"
        program.run("destroy", "--yes", "--skip-preview")
    finally:
        client.tag_policies.delete_tag_policy("secrecy")
