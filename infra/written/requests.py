"""Requests of teams: a workspace area each, `requests/<team>/<schema>.yaml`.

`python -m infra.written.requests` writes the JSON schema that editors
use.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints

from churn.core.faults import Fault, FaultsError, choices
from churn.core.field_faults import examine
from churn.core.files import Document, files_to_read, read_document
from infra.names import SCHEMAS
from infra.written.paths import REPOSITORY, REQUESTS
from infra.written.sections import Section
from infra.written.settings.values import GroupName
from infra.written.stacks import platform_stacks

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from churn.core.files import Place

SCHEMA_FILE = REQUESTS / "workspace_area.schema.json"
MADE_BY_DATABRICKS = ("default", "information_schema")  # in each catalog

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Team = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]


class AreaPrivilege(StrEnum):
    """Privileges that other groups may have on an area; only its owner manages it."""

    SELECT = "SELECT"
    MODIFY = "MODIFY"
    CREATE_TABLE = "CREATE_TABLE"
    CREATE_MATERIALIZED_VIEW = "CREATE_MATERIALIZED_VIEW"
    CREATE_FUNCTION = "CREATE_FUNCTION"
    CREATE_MODEL = "CREATE_MODEL"
    EXECUTE = "EXECUTE"
    READ_VOLUME = "READ_VOLUME"
    WRITE_VOLUME = "WRITE_VOLUME"


class AreaGrant(Section):
    """Privileges of one group on the area."""

    group: GroupName = Field(description="display name of a group of the account")
    privileges: tuple[AreaPrivilege, ...] = Field(min_length=1, description="privileges on the whole area")


class WorkspaceArea(Section):
    """A team's workspace area: a schema with a volume, owned by a group."""

    kind: Literal["workspace_area"] = Field(description="kind of the request")
    team: Team = Field(description="the team that asks; the folder's name")
    schema_name: Name = Field(alias="schema", description="name of the schema; the file's name")
    purpose: str = Field(
        min_length=10, max_length=250, description="its purpose in a sentence, which becomes its comment"
    )
    owner_group: GroupName = Field(description="display name of the group that owns it")
    volume: Name = Field(default="files", description="name of the volume for files")
    stacks: tuple[Name, ...] = Field(min_length=1, description="stacks that have it, such as local, dev, prod")
    grants: tuple[AreaGrant, ...] = Field(default=(), description="privileges of other groups")


def read_requests(stack: str, groups: Collection[str] | None, folder: Path = REQUESTS) -> tuple[WorkspaceArea, ...]:
    """The workspace areas that teams have requested for a stack, by team and schema.

    All files are checked, those for other stacks too; but groups only for this stack, since stacks may know others.

    Args:
        stack: Name of the stack.
        groups: Display names of the groups that requests may name; None takes any.
        folder: Where the requests lie.

    Raises:
        FaultsError: With every fault of every file.
    """
    stacks = platform_stacks() | {stack}
    paths, faults = files_to_read(folder, "*/*.yaml", f"{folder.name}/<team>/<schema>.yaml", {SCHEMA_FILE.name})
    areas: list[tuple[Document, WorkspaceArea]] = []
    for path in paths:
        file = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            area, document, wrong = examine(WorkspaceArea, read_document(path, file))
        except FaultsError as error:
            faults += error.faults
            continue
        faults += wrong
        if area is None:
            continue
        areas.append((document, area))
        faults += _place_faults(path, document, area)
        faults += _stack_faults(document, area, stacks)
        if groups is not None and stack in area.stacks:
            faults += _group_faults(document, area, groups)
    faults += _duplicates(areas)
    if faults:
        raise FaultsError(faults)
    return tuple(area for _, area in areas if stack in area.stacks)


def _place_faults(path: Path, document: Document, area: WorkspaceArea) -> list[Fault]:
    """Refuses a folder or a file that is named otherwise than team or schema."""
    faults = []
    team, schema = path.parent.name, area.schema_name
    if team != area.team:
        allowed, remedy = f"the folder's name, {team}", f"move it to {area.team}/"
        faults.append(document.fault(("team",), received=f'"{area.team}"', allowed=allowed, remedy=remedy))
    if path.stem != schema:
        allowed, remedy = f"the file's name, {path.stem}", f"rename the file to {schema}.yaml"
        faults.append(document.fault(("schema",), received=f'"{schema}"', allowed=allowed, remedy=remedy))
    return faults


def _stack_faults(document: Document, area: WorkspaceArea, known: Collection[str]) -> list[Fault]:
    """Refuses stacks that are missing or have no platform."""
    return [
        document.fault(
            ("stacks", index),
            received=f'"{stack}"',
            allowed=choices(known),
            remedy=f"correct the name, or add Pulumi.{stack}.yaml with churn:platform",
        )
        for index, stack in enumerate(area.stacks)
        if stack not in known
    ]


def _group_faults(document: Document, area: WorkspaceArea, known: Collection[str]) -> list[Fault]:
    """Refuses an owner and other groups that are unknown."""
    named: list[tuple[Place, str]] = [(("owner_group",), area.owner_group)]
    named += [(("grants", index, "group"), grant.group) for index, grant in enumerate(area.grants)]
    remedy = "correct the name, or add it to churn:platform.team_groups"
    return [
        document.fault(place, received=f'"{group}"', allowed=choices(known), remedy=remedy)
        for place, group in named
        if group not in known
    ]


def _duplicates(areas: Iterable[tuple[Document, WorkspaceArea]]) -> list[Fault]:
    """Refuses a schema that another area, the platform or Databricks has."""
    faults = []
    holders = dict.fromkeys(SCHEMAS, "the platform") | dict.fromkeys(MADE_BY_DATABRICKS, "Databricks")
    for document, area in areas:
        schema = area.schema_name
        if schema in holders:
            allowed = f"a name that is free; {holders[schema]} has this one"
            faults.append(
                document.fault(("schema",), received=f'"{schema}"', allowed=allowed, remedy="choose another name")
            )
        holders.setdefault(schema, document.file)
    return faults


def json_schema() -> str:
    """The JSON schema of a request, as the text of `SCHEMA_FILE`."""
    return json.dumps(WorkspaceArea.model_json_schema(by_alias=True), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema(), encoding="utf-8")
    print(f"wrote {SCHEMA_FILE.relative_to(REPOSITORY)}")
