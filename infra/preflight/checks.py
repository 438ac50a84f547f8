"""All checks, in the order in which they are shown, and their findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.errors.base import DatabricksError

from infra.preflight import identity, names, runs, storage, tags
from infra.preflight.inspection import Finding, Inspection, open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.preflight.inspection import Check
    from infra.written.settings.stack import Settings

LOCK = "lock"
CHECKS: dict[str, tuple[Check, ...]] = {
    "identity": (identity.deployer, identity.administrator, identity.owner),
    "ids": (identity.workspace, identity.account, identity.metastore),
    "groups": (identity.groups,),
    "root": (storage.root,),
    "rights": (storage.metastore_rights, storage.location_rights),
    "tags": (tags.governed, tags.assigning),
    "names": (
        names.catalog,
        names.credentials,
        names.external_locations,
        names.service_principals,
        names.folder,
        names.cluster_policies,
        names.warehouse,
        names.secret_scopes,
        names.pipelines,
        names.jobs,
        names.endpoint,
        names.online_store,
    ),
    "compute": (runs.runtime, runs.nodes),
    LOCK: (runs.lock,),
}


def inspect(settings: Settings, *, offline: bool) -> Iterator[tuple[str, list[Finding]]]:
    """Looks at the workspace of a stack.

    Args:
        settings: The stack's settings.
        offline: Whether to leave out what needs a package registry.

    Yields:
        The title of a group of checks, with its findings.

    Raises:
        NoWorkspaceError: The workspace does not answer, or refuses the credentials.
    """
    inspection = open_workspace(settings)
    for title, checks in CHECKS.items():
        if title == LOCK and offline:
            yield title, [Finding(what="packages of jobs and pipelines", received="--offline", skipped=True)]
        else:
            yield title, [finding for each in checks for finding in findings_of(each, inspection)]


def findings_of(check: Check, inspection: Inspection) -> list[Finding]:
    """Findings of one check. What the workspace refuses to tell is a finding too.

    Args:
        check: The check.
        inspection: What it looks at.
    """
    findings: list[Finding] = []
    try:
        for finding in check(inspection):
            findings.append(finding)  # noqa: PERF402 (those before an error count)
    except DatabricksError as error:
        findings.append(
            Finding(
                what=check.__name__.replace("_", " "),
                received=f"{error.error_code or type(error).__name__}: {error}",
                allowed="an answer",
                remedy=f"let {inspection.name} read it, as administrators of the workspace may",
            )
        )
    return findings
