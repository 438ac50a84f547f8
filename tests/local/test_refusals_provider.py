"""What the real engine and the real provider say of a refusal, what `platform` adds, and that the next `up` goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.catalog import PermissionsChange, Privilege

from cli.remedies import explained
from local.workspace.core.context import ACCOUNT_ID
from tests.local.engine_programs import Program

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.local.conftest import LocalWorkspace

PROGRAM = Path(__file__).parent / "programs" / "refusals"
ADMINISTERED = """
import pulumi
import pulumi_databricks as databricks

account = databricks.Provider("account", host={host!r}, account_id={account!r}, token={token!r}, auth_type="pat")
databricks.MwsNetworkConnectivityConfig(
    "connectivity", name="refused", region="eu-west-1", opts=pulumi.ResourceOptions(provider=account)
)
"""


@pytest.mark.shows("engine: a refusal is mended and the next deployment goes on", client="Databricks provider")
@pytest.mark.shows("unity catalog: quotas of objects, lowered on request", client="Databricks provider")
def test_each_refusal_is_explained_and_the_next_up_goes_on(
    lakehouse: LocalWorkspace, pulumi: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    client = lakehouse.client()
    lakehouse.catalog("refused")
    deployer = client.service_principals.create(display_name="deployer").application_id or ""

    def refused(*parts: str) -> None:
        said = explained(pulumi("up", "--yes", "--skip-preview", fails=True).stdout)
        assert said.count("remedy: ") == 1, said
        for part in (*parts, "the next deployment goes on from there"):
            assert part in said, said

    try:
        pulumi("config", "set", "--secret", "token", "wrong")
        refused("Schema gold: ", "no valid bearer token", "remedy: the credentials are missing, wrong or too old")
        pulumi("config", "set", "--secret", "token", lakehouse.token_of(deployer))
        entry = PermissionsChange(add=[Privilege.USE_CATALOG], principal=deployer)
        client.grants.update("catalog", "refused", changes=[entry])
        refused(
            "Schema gold: cannot create schema: User does not have CREATE SCHEMA on Catalog 'refused'.",
            "runs: GRANT CREATE SCHEMA ON Catalog 'refused' TO the deployer",
        )
        right = PermissionsChange(add=[Privilege.CREATE_SCHEMA], principal=deployer)
        client.grants.update("catalog", "refused", changes=[right])
        client.schemas.create("gold", "refused")
        refused("Schema gold: cannot create schema: Schema 'refused.gold' already exists", "the name is taken")
        client.schemas.delete("refused.gold")
        lakehouse.settings.quotas.write_text(json.dumps({"schema": 2}))  # `default` and one more
        refused("Schema silver: cannot create schema: Cannot create 1 Schema(s) in Catalog refused", "quota is reached")
        lakehouse.settings.quotas.unlink()
        assert "+ 1 created" in pulumi("up", "--yes", "--skip-preview").stdout, "gold was kept"
        pulumi("preview", "--expect-no-changes")
    finally:
        lakehouse.settings.quotas.unlink(missing_ok=True)
        client.catalogs.delete("refused", force=True)


def test_who_administers_nothing_is_told_so(workspace: LocalWorkspace, tmp_path: Path) -> None:
    client = workspace.client()
    stranger = client.service_principals.create(display_name="stranger")
    program = Program.create(tmp_path)
    named = {"host": workspace.settings.workspace_url, "account": ACCOUNT_ID}
    program.write(ADMINISTERED.format(token=workspace.token_of(stranger.application_id or ""), **named))
    try:
        cause, remedy, _ = explained(program.up(succeeds=False)).splitlines()
        assert cause.startswith("MwsNetworkConnectivityConfig connectivity: ")
        assert f"is not an administrator of account {ACCOUNT_ID}" in cause
        assert remedy.startswith("  remedy: the deployer lacks a right of the workspace or the account")
        program.write(ADMINISTERED.format(token=workspace.token, **named))
        program.up()
        program.run("destroy", "--yes", "--skip-preview")
    finally:
        client.service_principals.delete(stranger.id or "")
