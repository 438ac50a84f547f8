"""The account and the workspace of a new environment, deployed by the real engine to the local cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.service.settings import WorkspaceNetworkOption

from cli import ground as ground_command
from cli import programs
from cli.inventory import in_account, names
from local.settings import REPOSITORY, LocalSettings
from local.workspace.core.context import ACCOUNT_ID
from tests.e2e.programs import ACCOUNT, GROUND, PLATFORM, account_of, configure, program_of, section_of
from tests.local.aws.local_aws import LocalAws
from tests.local.conftest import LocalWorkspace
from tests.local.engine_programs import Program
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.catalog import PrivilegeAssignment

METASTORE_RIGHTS = {
    "CREATE_CATALOG",
    "CREATE_EXTERNAL_LOCATION",
    "CREATE_SERVICE_CREDENTIAL",
    "CREATE_STORAGE_CREDENTIAL",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[LocalWorkspace]:
    """A workspace without Spark and MLflow, which is its own account."""
    local = LocalWorkspace(LocalSettings(tmp_path / "workspace", free_base_port()))
    local.start()
    yield local
    local.stop()


def test_the_account_is_made_changed_and_destroyed(workspace: LocalWorkspace, tmp_path: Path) -> None:
    url = workspace.settings.workspace_url
    program = program_of(workspace, tmp_path / "program", "account")
    deployer = workspace.client().service_principals.create(display_name="deployer")
    section = section_of("account", ACCOUNT) | {
        "members": {"churn-platform": [deployer.application_id]},
        "console": {"host": url, "account_id": ACCOUNT_ID},
        "tags_workspace": url,
        "metastore": {"name": "churn", "region": "eu-west-1"},
    }
    section.pop("metastore_id")
    own = workspace.client().get_workspace_id()
    section["network_policy"] |= {"workspaces": [own]}
    networks = account_of(workspace).workspace_network_configuration
    configure(program, "account", {ACCOUNT: section})
    program.up()
    made = json.loads(program.run("stack", "output", "--json"))
    assert made["metastore_id"] in {found.metastore_id for found in account_of(workspace).metastores.list()}
    (group,) = workspace.client().groups.list(filter='displayName eq "churn-platform"')
    assert [member.value for member in workspace.client().groups.get(group.id or "").members or []] == [deployer.id]
    assert networks.get_workspace_network_option_rpc(own).network_policy_id == "churn-serverless"
    program.preview("--expect-no-changes")
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    # what a directory has made is found under its name, and not made again
    name = "Children's Research and Development"
    workspace.client().groups.create(display_name=name)
    configure(program, "account", {ACCOUNT: section | {"groups": [*section["groups"], name]}})
    assert "already exists" in program.up(succeeds=False)
    configure(program, "account", {ACCOUNT: section | {"existing_groups": [name, "Nobody's group"]}})
    assert "Nobody's group" in program.preview(succeeds=False)
    changed = section | {
        "existing_groups": [name],
        "budget": section["budget"] | {"alerts_usd_per_month": [10, 20]},
        "network_policy": section["network_policy"]
        | {"domains": ["pypi.org"], "buckets": [{"name": "raw-data", "region": "eu-west-1"}], "enforced": False},
    }
    configure(program, "account", {ACCOUNT: changed})
    assert "~ 2 updated" in program.up()
    program.preview("--refresh", "--expect-no-changes")

    networks.update_workspace_network_option_rpc(own, WorkspaceNetworkOption(network_policy_id="default-policy"))
    program.run("destroy", "--yes", "--skip-preview")
    assert {group.display_name for group in workspace.client().groups.list()} == {"admins", "users", name}
    assert list(workspace.client().tag_policies.list_tag_policies()) == []


def granted_to(principal: str, client: WorkspaceClient, metastore: str) -> list[PrivilegeAssignment]:
    """What a principal holds on the metastore, beside whom Databricks itself has given rights."""
    assignments = client.grants.get("metastore", metastore).privilege_assignments or []
    return [each for each in assignments if each.principal == principal]


def test_a_new_environment_makes_its_workspace(
    workspace: LocalWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of its two steps by its command, in which the platform is left out."""
    url = workspace.settings.workspace_url
    aws = LocalAws(LocalSettings(tmp_path / "cloud", free_base_port()))
    aws.settings.home.mkdir()
    aws.start()
    client = workspace.client()
    metastore = client.metastores.current().metastore_id or ""
    client.groups.create(display_name="churn-platform")
    principal = client.service_principals.create(display_name="deployer")
    with workspace.http() as http:
        policy = {"network_policy_id": "churn-serverless", "egress": {}}
        http.post(f"/api/2.0/accounts/{ACCOUNT_ID}/network-policies", json=policy).raise_for_status()
    program = program_of(workspace, tmp_path / "program", "prod")
    section = section_of("prod", GROUND)
    control_plane = section_of("dev", GROUND)["aws"]["network"]["control_plane"]
    section["aws"] |= {"endpoint": aws.url, "network": section["aws"]["network"] | {"control_plane": control_plane}}
    section["aws"]["kafka"] |= {"serverless_link": True}
    section["workspace"] |= {"console": url, "metastore_id": metastore, "deployer": principal.application_id}
    configure(program, "prod", {GROUND: section})
    account, client = account_of(workspace), workspace.client()
    before = names(in_account(account, client))
    try:
        (program.folder / "policies").symlink_to(REPOSITORY / "policies")
        with monkeypatch.context() as shell:
            for module in (ground_command, programs):
                shell.setattr(module, "REPOSITORY", program.folder)
            for name, value in program.environment.items():
                shell.setenv(name, value)
            host, number = ground_command.deploy_ground("prod", yes=True)
        made_kinds = {
            kind for kind, found in names(in_account(account, client)).items() if found - before.get(kind, set())
        }
        assert made_kinds >= {
            "credentials",
            "storage configuration",
            "network",
            "registered endpoint",
            "registered key",
            "private access settings",
            "connectivity configuration",
            "workspace",
        }
        outputs = json.loads(program.run("stack", "output", "--json"))
        assert (host, number) == (outputs["workspace_host"], outputs["workspace_id"])
        assert host == url
        made = account.workspaces.get(int(outputs["workspace_id"]))
        assert made.workspace_name == "churn-prod"
        rules = list(
            account.network_connectivity.list_private_endpoint_rules(made.network_connectivity_config_id or "")
        )
        services = {service["service_name"]: [service["domain"]] for service in outputs["kafka_services"]}
        assert len(services) == 3
        assert {rule.endpoint_service: rule.domain_names for rule in rules} == services, "one for each broker"
        (entry,) = account_of(workspace).workspace_assignment.list(int(outputs["workspace_id"]))
        assert entry.principal
        assert entry.principal.service_principal_name == principal.application_id
        assert [level.value for level in entry.permissions or []] == ["ADMIN"]
        (granted,) = granted_to("churn-platform", client, metastore)
        assert {held.value for held in granted.privileges or []} == METASTORE_RIGHTS
        program.preview("--expect-no-changes")
        program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

        # people are kept out of the internet's side, which the workspace's settings alone have to learn
        (access,) = account.private_access.list()
        assert access.public_access_enabled
        section["workspace"]["public_access"] = False
        configure(program, "prod", {GROUND: section})
        assert "~ 1 updated" in program.up()
        (access,) = account.private_access.list()
        assert not access.public_access_enabled
        program.preview("--refresh", "--expect-no-changes")

        # a platform that would go elsewhere is refused before anything of it is made
        platform = section_of("prod", PLATFORM) | {"metastore_id": None}
        runner = {"deployer": "admin@churn.local"}
        platform["workspace"] = {"host": url.replace("127.0.0.1", "localhost")} | runner
        ground = section | {"workspace": section["workspace"] | runner}
        configure(program, "prod", {GROUND: ground, PLATFORM: platform})
        refused = program.preview(succeeds=False)
        assert f"the workspace of this ground is {url}; remedy: write its host" in refused
    finally:
        configure(program, "prod", {GROUND: section})
        program.run("destroy", "--yes", "--skip-preview")
        aws.stop()
    assert granted_to("churn-platform", client, metastore) == []
    assert names(in_account(account, client)) == before


def test_a_host_that_has_another_id_is_refused(workspace: LocalWorkspace, tmp_path: Path) -> None:
    """The provider compares both before anything is planned."""
    program = Program.create(tmp_path / "program")
    program.environment.update(DATABRICKS_TOKEN=workspace.token, DATABRICKS_AUTH_TYPE="pat")
    own = workspace.client().get_workspace_id()
    source = """
        import pulumi
        import pulumi_databricks as databricks

        provider = databricks.Provider("workspace", host="{host}", workspace_id="{number}")
        databricks.SecretScope("scope", name="scope", opts=pulumi.ResourceOptions(provider=provider))
    """
    program.write(source.format(host=workspace.settings.workspace_url, number=own))
    program.preview()
    program.write(source.format(host=workspace.settings.workspace_url, number=own + 1))
    refused = program.preview(succeeds=False)
    assert str(own + 1) in refused
