"""The provider that runs here takes what the published one takes, so what passes here passes there."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from typing import Any

import pulumi
import pulumi_databricks
import pytest

from infra.resource_options import WITHOUT_UPDATE
from local.engine import install
from local.engine.installation import ENGINE_SOURCES, GO_BUILD
from local.settings import REPOSITORY
from tests.infra.test_account import MADE_FIRST
from tests.local.provider_schema import differences

# Nested ids that the bridge cannot make strings (`provider.go`), and that the program has no use for.
UNUSED = ("AccountNetworkPolicy.ingress.", "AccountNetworkPolicy.ingressDryRun.")


def used_by_infra() -> list[str]:
    """Resource classes of the SDK that the infrastructure program names."""
    text = "\n".join(path.read_text() for path in (REPOSITORY / "infra").rglob("*.py"))
    named = set(re.findall(r"\b(?:pulumi_)?databricks\.([A-Z]\w+)\(", text))
    classes = {name: getattr(pulumi_databricks, name) for name in named}
    return sorted(
        name for name, cls in classes.items() if issubclass(cls, pulumi.CustomResource) and name != "Provider"
    )


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(install().schema.read_text())
    return found


def test_infra_uses_what_the_comparison_looks_at() -> None:
    assert {"Catalog", "Grants", "Job", "ModelServing", "Pipeline"} <= set(used_by_infra())


@pytest.mark.parametrize("resource", used_by_infra())
def test_provider_and_sdk_agree(schema: dict[str, Any], resource: str) -> None:
    found = [line for line in differences(schema, resource) if not line.startswith(UNUSED)]
    assert found == []


def test_infra_leaves_alone_what_differs() -> None:
    """An ingress policy would reach the locally built provider with numbers where the released one has text."""
    source = (REPOSITORY / "infra" / "layers" / "account" / "network_policy.py").read_text()
    assert "ingress" not in source


def test_a_difference_is_found(schema: dict[str, Any]) -> None:
    doctored = copy.deepcopy(schema)
    job = doctored["resources"]["databricks:index/job:Job"]
    del job["properties"]["timeoutSeconds"]
    job["properties"]["maxConcurrentRuns"] = {"type": "string"}
    job["inputProperties"]["invented"] = {"type": "string"}
    del doctored["types"]["databricks:index/JobTask:JobTask"]["properties"]["taskKey"]
    assert set(differences(doctored, "Job")) == {
        "Job.timeoutSeconds: only in the SDK",
        "Job.maxConcurrentRuns: string in the provider, integer in the SDK",
        "Job.invented: an input only in the provider",
        "Job.tasks.taskKey: only in the SDK",
    }


# Without an update function or with a fixed key in the provider's Go source, which its schema does not show.
WITHOUT_UPDATE_IN_SOURCE = {
    "CatalogWorkspaceBinding",
    "DatabaseSyncedDatabaseTable",
    "EntityTagAssignment",
    "LakehouseMonitor",
    "Library",
    "MetastoreAssignment",
    "MetastoreDataAccess",
    "MwsNetworkConnectivityConfig",
    "PostgresSyncedTable",
    "SecretScope",
    "ServicePrincipalFederationPolicy",
    "ServicePrincipalSecret",
    "Token",
    "WorkspaceBinding",
}


def never_updated(resource: dict[str, Any]) -> bool:
    """Whether a change of any input replaces an object, whichever workspace it lies in."""
    place = ("api", "providerConfig")
    inputs = {name: value for name, value in resource.get("inputProperties", {}).items() if name not in place}
    return bool(inputs) and all(value.get("willReplaceOnChanges") for value in inputs.values())


def test_infra_knows_the_classes_without_update(schema: dict[str, Any]) -> None:
    classes = {token.rsplit(":", 1)[-1]: resource for token, resource in schema["resources"].items()}
    found = {name for name, resource in classes.items() if never_updated(resource)}
    assert {"GroupMember", "SecretAcl"} <= found
    assert found.isdisjoint(WITHOUT_UPDATE_IN_SOURCE), "the schema shows them now"
    assert (found | WITHOUT_UPDATE_IN_SOURCE) - MADE_FIRST == WITHOUT_UPDATE
    assert set(classes) >= WITHOUT_UPDATE


def test_wide_ids_are_strings(schema: dict[str, Any]) -> None:
    """64-bit ids do not fit the engine's floating-point numbers."""
    for token, resource in schema["resources"].items():
        for name in ("workspaceId", "principalId"):
            found = resource.get("properties", {}).get(name)
            assert found is None or found["type"] == "string", f"{token}.{name}"


@pytest.mark.skipif(not shutil.which("go"), reason="without Go, the provider is the published one")
@pytest.mark.timeout(2_000)  # compiles the provider, on a machine whose own one is the published one from nothing
def test_ids_are_made_as_the_published_provider_makes_them() -> None:
    command = ["go", "test", *GO_BUILD[2:], "-ldflags", "-s -w", "./"]
    done = subprocess.run(
        command, cwd=ENGINE_SOURCES / "databricks_provider", capture_output=True, text=True, check=False, timeout=1_800
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
