"""Policies that mask columns and filter rows by tags (ABAC), on a catalog, a schema or a table."""

import uuid
from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.authorisation.conditions import check_condition
from local.workspace.core.clock import now_ms
from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind
from local.workspace.unity_catalog import namespaces
from local.workspace.unity_catalog.access import check_privilege, containers
from local.workspace.unity_catalog.documents import CATALOGS, FUNCTIONS, POLICIES, SCHEMAS, PolicyDocument
from local.workspace.unity_catalog.securables import PAGE, UC, changing, check_owner, find, missing, updated

router = APIRouter()
_OF_ONE = f"{UC}/policies/{{kind}}/{{full_name}}"
_ONE = f"{_OF_ONE}/{{name}}"
_KINDS: dict[str, DocumentKind[Any]] = {"CATALOG": CATALOGS, "SCHEMA": SCHEMAS}
_OPTIONS = {"POLICY_TYPE_COLUMN_MASK": "column_mask", "POLICY_TYPE_ROW_FILTER": "row_filter"}
_OTHER_OPTIONS = {"deny", "grant"}
_CHANGEABLE = {
    "column_mask",
    "comment",
    "except_principals",
    "match_columns",
    "row_filter",
    "to_principals",
    "when_condition",
}
_PLACE = ("on_securable_type", "on_securable_fullname", "for_securable_type", "policy_type", "name")
_OUTPUT = {"created_at", "created_by", "governed_tags", "id", "updated_at", "updated_by"}


@router.post(f"{UC}/policies")
def create(request: Annotated[Document, body(catalog.PolicyInfo)], workspace: WorkspaceDep, caller: Caller) -> Document:
    """Creates a policy."""
    for field in ("name", "on_securable_type", "on_securable_fullname"):
        if not request.get(field):
            raise bad_request(f"missing field {field}")
    with changing:
        kind, full_name = _place(workspace, caller, request["on_securable_type"], request["on_securable_fullname"])
        if workspace.store.get(POLICIES, f"{kind}/{full_name}/{request['name']}"):
            raise bad_request(f"Policy '{request['name']}' already exists", "POLICY_ALREADY_EXISTS")
        given = {field: value for field, value in request.items() if field not in _OUTPUT}
        new = {"id": str(uuid.uuid4()), "created_at": now_ms(), "created_by": caller.name, **updated(caller)}
        place = {"on_securable_type": kind, "on_securable_fullname": full_name}
        return {**_put(workspace, POLICIES.document(given | place | new))}


@router.get(_OF_ONE)
def list_all(
    kind: str,
    full_name: str,
    workspace: WorkspaceDep,
    caller: Caller,
    include_inherited: bool = False,
    max_results: int = 0,
    page_token: str = "",
) -> Document:
    """Returns the policies of a securable, and on request those of what contains it."""
    kind, full_name = _place(workspace, caller, kind, full_name)
    above = containers(full_name) if include_inherited else []
    places = [f"{kind}/{full_name}/", *(f"{place.upper()}/{name}/" for place, name in above)]
    found = [document for place in places for _, document in workspace.store.items(POLICIES, place)]
    return page(found, "policies", max_results or PAGE, page_token, most=PAGE)


@router.get(_ONE)
def get(kind: str, full_name: str, name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns a policy."""
    return {**_find(workspace, *_place(workspace, caller, kind, full_name), name)}


@router.patch(_ONE)
def update(
    kind: str,
    full_name: str,
    name: str,
    request: Annotated[Document, body(catalog.PolicyInfo)],
    workspace: WorkspaceDep,
    caller: Caller,
    update_mask: str = "",
) -> Document:
    """Changes a policy."""
    named = {field.strip() for field in update_mask.split(",")} - {"", "*"}
    if named - _CHANGEABLE - set(_PLACE) - _OTHER_OPTIONS:  # the provider names all fields that it knows
        raise bad_request(f"update_mask is {update_mask!r}; allowed: {', '.join(sorted(_CHANGEABLE))}")
    with changing:
        place = _place(workspace, caller, kind, full_name)
        old = _find(workspace, *place, name)
        before: Document = {**old}
        for field in _PLACE:
            if field in request and str(request[field]).lower() != str(before[field]).lower():
                raise not_built(f"a change of {field} of a policy")
        fields = (named or set(request)) & _CHANGEABLE
        kept = {field: value for field, value in old.items() if field not in fields}
        changed = {field: value for field, value in request.items() if field in fields}
        return {**_put(workspace, POLICIES.document(kept | changed | updated(caller)))}


@router.delete(_ONE)
def delete(kind: str, full_name: str, name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a policy."""
    with changing:
        place = _place(workspace, caller, kind, full_name)
        _find(workspace, *place, name)
        workspace.store.delete(POLICIES, "/".join((*place, name)))
        return {}


def _place(workspace: Workspace, caller: Principal, kind: str, full_name: str) -> tuple[str, str]:
    """The kind and the name of a securable whose policies the caller may manage, in the form of the store."""
    kind, full_name = kind.upper(), full_name.lower()
    if kind in _KINDS:
        find(workspace, _KINDS[kind], full_name)
    elif kind != "TABLE":
        raise bad_request(f"on_securable_type is {kind!r}; allowed: CATALOG, SCHEMA, TABLE")
    elif not namespaces.has_table(workspace, full_name):
        raise missing("table", full_name)
    check_privilege(workspace, caller, kind.lower(), full_name, "MANAGE")
    return kind, full_name


def _find(workspace: Workspace, kind: str, full_name: str, name: str) -> PolicyDocument:
    message = f"Policy '{name}' does not exist on {kind.title()} '{full_name}'."
    found = workspace.store.get(POLICIES, f"{kind}/{full_name}/{name}")
    if found is None:
        raise not_found(message, "POLICY_DOES_NOT_EXIST")
    return found


def _put(workspace: Workspace, document: PolicyDocument) -> PolicyDocument:
    """Writes a policy, once everything in it can be applied."""
    if document["policy_type"] not in _OPTIONS or _OTHER_OPTIONS & set(document):
        raise not_built("a policy that grants or denies")
    if document["for_securable_type"] != "TABLE":
        raise bad_request(f"for_securable_type is {document['for_securable_type']}; allowed: TABLE")
    option = _OPTIONS[document["policy_type"]]
    for known in _OPTIONS.values():
        if (known == option) != (known in document):
            raise bad_request(f"a policy of type {document['policy_type']} has {option}, and no other options")
    if not document["to_principals"]:
        raise bad_request("to_principals is empty")
    for name in [*document["to_principals"], *document.get("except_principals", [])]:
        check_owner(workspace, name)
    fields: Document = {**document}
    _check_options(workspace, document, fields[option])
    key = f"{document['on_securable_type']}/{document['on_securable_fullname']}/{document['name']}"
    workspace.store.put(POLICIES, key, document)
    return document


def _check_options(workspace: Workspace, document: PolicyDocument, options: Document) -> None:
    """Refuses a mask or a filter whose function does not exist, or is given what it does not take."""
    aliases = _aliases(document)
    function = find(workspace, FUNCTIONS, options["function_name"])
    on_column, using = [options["on_column"]] if "on_column" in options else [], options.get("using", [])
    for argument in using:
        if "function_arg_expression" in argument or len(argument) != 1:
            raise not_built("an argument of a policy's function that is neither alias nor constant")
    used = [*on_column, *(argument["alias"] for argument in using if "alias" in argument)]
    if unknown := sorted(set(used) - aliases):
        raise bad_request(f"alias {unknown[0]} is in no match_columns; there: {', '.join(sorted(aliases)) or 'none'}")
    given, taken = len(on_column) + len(using), len(function["input_params"]["parameters"])
    if given != taken:
        raise bad_request(f"{function['full_name']} takes {taken} arguments; the policy gives {given}")


def _aliases(document: PolicyDocument) -> set[str]:
    """The aliases of the matched columns; raises ApiError where a condition cannot be judged."""
    if "when_condition" in document:
        check_condition(document["when_condition"], "when_condition")
    for index, match in enumerate(document.get("match_columns", [])):
        if not match.get("condition"):
            raise bad_request(f"missing field match_columns[{index}].condition")
        check_condition(match["condition"], f"match_columns[{index}].condition")
    return {match["alias"] for match in document.get("match_columns", []) if "alias" in match}
