"""Registered models and their versions, as the workspace keeps them for both of their APIs."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Final

import yaml

from local.workspace.core.errors import already_exists, bad_request, not_found
from local.workspace.unity_catalog import securables
from local.workspace.unity_catalog.access import check_create, check_manage, check_owner, check_privilege
from local.workspace.unity_catalog.documents import (
    CATALOGS,
    MODELS,
    SCHEMAS,
    VERSIONS,
    ModelDocument,
    VersionDocument,
)
from local.workspace.unity_catalog.quotas import check_quota
from local.workspace.unity_catalog.securables import changing, created, forget, named, updated
from local.workspace.unity_catalog.tags import tagged

if TYPE_CHECKING:
    from pathlib import Path

    from local.workspace.core.context import Principal, Workspace

PENDING: Final = "PENDING_REGISTRATION"
READY: Final = "READY"
_UNSIGNED = "All models in the Unity Catalog must be logged with a model signature of both inputs and outputs"


def find(workspace: Workspace, full_name: str) -> ModelDocument:
    """Returns a registered model, whatever the case of its name; raises ApiError if there is none."""
    message = f"Registered Model '{full_name}' does not exist."
    return workspace.find(MODELS, full_name.lower(), message)


def find_version(workspace: Workspace, full_name: str, number: int | str) -> VersionDocument:
    """Returns a version of a registered model; raises ApiError if there is none."""
    name = find(workspace, full_name)["full_name"]
    message = f"Model Version '{name}' version '{number}' does not exist."
    return workspace.find(VERSIONS, f"{name}/{number}", message)


def changeable(workspace: Workspace, caller: Principal, full_name: str, privilege: str = "MANAGE") -> ModelDocument:
    """Returns a registered model that a caller owns or holds a privilege on; raises ApiError otherwise."""
    model = find(workspace, full_name)
    check_privilege(workspace, caller, "function", model["full_name"], privilege)
    return model


def manageable(workspace: Workspace, caller: Principal, full_name: str) -> ModelDocument:
    """Returns a registered model that a caller may delete or give to another owner; raises ApiError otherwise."""
    model = find(workspace, full_name)
    check_manage(workspace, caller, "function", model["full_name"])
    return model


def owned(workspace: Workspace, caller: Principal, full_name: str) -> ModelDocument:
    """Returns a registered model that a caller owns, as changes of aliases and versions need; or raises ApiError."""
    model = find(workspace, full_name)
    check_owner(workspace, caller, "function", model["full_name"])
    return model


def aliased(workspace: Workspace, full_name: str, alias: str) -> VersionDocument:
    """Returns the version that an alias points to; raises ApiError if there is none."""
    model = find(workspace, full_name)
    if alias.lower() not in model["aliases"]:
        raise not_found(f"Alias '{alias}' does not exist for model '{model['full_name']}'.")
    return find_version(workspace, full_name, model["aliases"][alias.lower()])


def models(workspace: Workspace, prefix: str = "") -> list[ModelDocument]:
    """Returns the registered models whose full names begin with `prefix`."""
    return [model for _, model in workspace.store.items(MODELS, prefix)]


def versions(workspace: Workspace, full_name: str) -> list[VersionDocument]:
    """Returns the versions of a registered model, newest first."""
    kept = [version for _, version in workspace.store.items(VERSIONS, f"{full_name}/")]
    return sorted(kept, key=lambda item: item["version"], reverse=True)


def create(
    workspace: Workspace, caller: Principal, full_name: str, comment: str, tags: dict[str, str]
) -> ModelDocument:
    """Creates a registered model.

    Args:
        workspace: The workspace.
        caller: Its owner.
        full_name: Names of catalog, schema and model.
        comment: Its description, or empty.
        tags: Values by key.

    Raises:
        ApiError: The name is none of three levels, its schema is missing, or it is taken.
    """
    parts = full_name.split(".")
    if len(parts) != 3:
        raise bad_request(f"name {full_name!r}: specify all three levels, as catalog.schema.model")
    with changing:
        securables.find(workspace, CATALOGS, parts[0])
        schema = securables.find(workspace, SCHEMAS, f"{parts[0]}.{parts[1]}")
        check_create(workspace, caller, "schema", schema["full_name"], "CREATE_MODEL", "CREATE_FUNCTION")
        name = named(parts[2])
        model: ModelDocument = {
            **MODELS.document({"comment": comment} if comment else {}),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "name": name,
            "catalog_name": schema["catalog_name"],
            "schema_name": schema["name"],
            "full_name": f"{schema['full_name']}.{name}",
            "tags": tagged({}, tags),
            "aliases": {},
            "last_version": 0,
        }
        if workspace.store.get(MODELS, model["full_name"]):
            raise already_exists(f"Registered Model '{model['full_name']}' already exists.")
        check_quota(workspace, "function", "Metastore", workspace.metastore_id)
        save(workspace, model)
    return model


def create_version(
    workspace: Workspace, caller: Principal, full_name: str, fields: dict[str, str], tags: dict[str, str]
) -> VersionDocument:
    """Creates the next version of a registered model, whose files are still to come.

    Args:
        workspace: The workspace.
        caller: Who registers it.
        full_name: Name of the model.
        fields: `source`, `run_id`, `run_workspace_id`, `model_id`, and `comment` if it has one.
        tags: Values by key.

    Raises:
        ApiError: There is no such model, the caller may not add to it, or a tag breaks a limit.
    """
    with changing:
        model = changeable(workspace, caller, full_name, "CREATE_MODEL_VERSION")
        model["last_version"] += 1
        document = {
            **created(caller),
            **fields,
            "metastore_id": workspace.metastore_id,
            "model": model["full_name"],
            "version": model["last_version"],
            "status": PENDING,
            "tags": tagged({}, tags),
        }
        version = VERSIONS.document(document)
        folder_of(workspace, version).mkdir(parents=True, exist_ok=True)
        with workspace.store.transaction():
            save(workspace, model)
            save_version(workspace, version)
    return version


def finalize(workspace: Workspace, caller: Principal, full_name: str, number: str) -> None:
    """Makes a version whose files have come READY; from now on they stay as they are.

    Raises:
        ApiError: There is no such version, the caller may not add to the model, or the version lacks the file MLmodel
            or a signature in it.
    """
    with changing:
        changeable(workspace, caller, full_name, "CREATE_MODEL_VERSION")
        version = find_version(workspace, full_name, number)
        try:
            described = yaml.safe_load((folder_of(workspace, version) / "MLmodel").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise bad_request(f"version {version['version']} of {version['model']} has no file MLmodel") from error
        signature = described.get("signature") or {}
        if not (signature.get("inputs") and signature.get("outputs")):
            raise bad_request(_UNSIGNED)
        version["status"] = READY
        save_version(workspace, version, caller)


def set_alias(workspace: Workspace, caller: Principal, full_name: str, alias: str, number: int) -> str:
    """Points an alias to a version, and returns it as it is kept: the case of an alias does not count.

    Raises:
        ApiError: The model or the version is missing, the caller does not own it, or no alias can have this name.
    """
    with changing:
        model = owned(workspace, caller, full_name)
        version = find_version(workspace, full_name, number)
        name = named(alias, "alias")
        if re.fullmatch(r"latest|v\d+", name):
            raise bad_request(f"alias is {alias!r}: `latest` and numbers of versions, such as v1, are reserved")
        model["aliases"][name] = version["version"]
        save(workspace, model, caller)
    return name


def delete_alias(workspace: Workspace, caller: Principal, full_name: str, alias: str) -> None:
    """Deletes an alias.

    Raises:
        ApiError: The caller does not own the model, or the model has no such alias.
    """
    with changing:
        model = owned(workspace, caller, full_name)
        aliased(workspace, full_name, alias)
        del model["aliases"][alias.lower()]
        save(workspace, model, caller)


def save(workspace: Workspace, model: ModelDocument, caller: Principal | None = None) -> None:
    """Writes a registered model, with the time and the author of a change."""
    changed = MODELS.document({**model, **(updated(caller) if caller else {})})
    workspace.store.put(MODELS, model["full_name"], changed)


def save_version(workspace: Workspace, version: VersionDocument, caller: Principal | None = None) -> None:
    """Writes a version, with the time and the author of a change."""
    changed = VERSIONS.document({**version, **(updated(caller) if caller else {})})
    workspace.store.put(VERSIONS, f"{version['model']}/{version['version']}", changed)


def remove(workspace: Workspace, full_name: str) -> None:
    """Deletes a registered model with its versions."""
    with changing:
        for version in versions(workspace, full_name):
            remove_version(workspace, version)
        workspace.store.delete(MODELS, full_name)
        forget(workspace, "function", full_name)


def remove_version(workspace: Workspace, version: VersionDocument) -> None:
    """Deletes a version with its files and aliases."""
    with changing:
        # The files first: a removal that was stopped can be repeated.
        shutil.rmtree(folder_of(workspace, version), ignore_errors=True)
        model = find(workspace, version["model"])
        model["aliases"] = {name: number for name, number in model["aliases"].items() if number != version["version"]}
        with workspace.store.transaction():
            save(workspace, model)
            workspace.store.delete(VERSIONS, f"{version['model']}/{version['version']}")


def folder_of(workspace: Workspace, version: VersionDocument) -> Path:
    """Returns the folder of a version's files on this machine."""
    return workspace.settings.models.joinpath(*version["model"].split("."), str(version["version"]))
