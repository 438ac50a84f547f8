"""Objects of the stream in a workspace: the alert, and what lies in a project of Lakebase.

The provider gives objects of Lakebase no ids of their own: it finds them again by their full names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from databricks.sdk.errors import NotFound

from infra.adoption.cloud import Found, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from infra.adoption.cloud import Cloud, Finder, Inputs

NO_ID = "missing ID"  # what the provider writes


def _projects(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    name = f"projects/{inputs['projectId']}"
    if _exists(cloud.workspace.postgres.get_project, name):
        holders = cloud.managers("database-projects", inputs["projectId"])
        yield replace(cloud.judged(NO_ID, holders, inputs), outputs={"name": name})


def _within(kind: str, identifier: str) -> Finder:
    """A finder of what a project holds; who has the project has all of it."""

    def find(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
        name = f"{inputs['parent']}/{kind}s/{inputs[identifier]}"
        if _exists(getattr(cloud.workspace.postgres, f"get_{kind}"), name):
            yield Found(NO_ID, own=True, outputs={"name": name})

    return find


def _exists(get: Callable[[str], Any], name: str) -> bool:
    try:
        get(name)
    except NotFound:
        return False
    return True


def _alerts(cloud: Cloud, inputs: Inputs) -> Iterator[Found]:
    """Alerts in the stack's own folder, which are the stack's.

    The provider reads an adopted alert without its names, which the state has again after the next deployment. Others
    of its names were looked for when it was adopted.
    """
    names = inputs.get("displayName"), inputs.get("parentPath")
    for alert in cloud.workspace.alerts_v2.list_alerts():
        if (alert.display_name, alert.parent_path) == names:
            yield Found(str(alert.id), own=True)


ROWS = {
    "AlertV2": Row(_alerts, unique=False),
    "PostgresDatabase": Row(_within("database", "databaseId")),
    "PostgresEndpoint": Row(again="`replace_existing` takes the one that a branch has"),
    "PostgresProject": Row(_projects),
    "PostgresRole": Row(_within("role", "roleId")),
}
