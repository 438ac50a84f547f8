"""SQL functions: one expression each, which a query that calls the function has inside.

A function is made by the API or by `CREATE FUNCTION … RETURN`.
"""

from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.authorisation.dialect import function_body, type_name
from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog.access import check_create, check_manage, check_privilege
from local.workspace.unity_catalog.documents import FUNCTIONS, MODELS, SCHEMAS, FunctionDocument
from local.workspace.unity_catalog.securables import PAGE, UC, change, changing, created, exists, find, forget, named

router = APIRouter()
_FIXED = {"routine_body": "SQL", "security_type": "DEFINER", "parameter_style": "S"}
_NOT_BUILT = ("external_language", "external_name", "return_params", "routine_dependencies", "sql_path")


@router.post(f"{UC}/functions")
def create(
    request: Annotated[Document, body(catalog.FunctionsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a function."""
    given = request["function_info"]
    for field in _NOT_BUILT:
        if given.get(field):
            raise not_built(f"{field} of a function")
    for field, known in _FIXED.items():
        if given[field] != known:
            raise not_built(f"{field} {given[field]} of a function")
    schema = ".".join(named(given[field], field) for field in ("catalog_name", "schema_name"))
    parameters = given["input_params"].get("parameters", [])
    return {**add(workspace, caller, f"{schema}.{named(given['name'])}", parameters, given)}


@router.get(f"{UC}/functions")
def list_all(
    catalog_name: str, schema_name: str, workspace: WorkspaceDep, max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns all functions of a schema."""
    schema = find(workspace, SCHEMAS, f"{catalog_name}.{schema_name}")["full_name"]
    functions = [document for _, document in workspace.store.items(FUNCTIONS, f"{schema}.")]
    return page(functions, "functions", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/functions/{{full_name}}")
def get(full_name: str, workspace: WorkspaceDep) -> Document:
    """Returns a function."""
    return {**find(workspace, FUNCTIONS, full_name)}


@router.patch(f"{UC}/functions/{{full_name}}")
def update(
    full_name: str,
    request: Annotated[Document, body(catalog.FunctionsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Gives a function to another owner."""
    return {**change(workspace, caller, FUNCTIONS, full_name, request)}


@router.delete(f"{UC}/functions/{{full_name}}")
def delete(full_name: str, workspace: WorkspaceDep, caller: Caller, force: bool = False) -> Document:  # noqa: ARG001 (SDK)
    """Deletes a function; a table that is masked by it can be read by nobody, until it has another mask."""
    remove(workspace, caller, full_name)
    return {}


def add(
    workspace: Workspace,
    caller: Principal,
    full_name: str,
    parameters: list[Document],
    given: Document,
    replace: bool = False,
) -> FunctionDocument:
    """Creates a function.

    Args:
        workspace: The workspace.
        caller: Who creates it, and will own it.
        full_name: Its name with those of its containers.
        parameters: `name` and `type_text` of each.
        given: `full_data_type` of its result, `routine_definition`, and what else the API takes.
        replace: Whether one of the same name is replaced, which keeps its owner and the grants on it.

    Raises:
        ApiError: The caller may not, the name is taken, or the body is no single expression over its parameters.
    """
    catalog_name, schema_name, name = full_name.split(".")
    names = [named(parameter["name"], "name of a parameter") for parameter in parameters]
    if len(set(names)) < len(names):
        raise bad_request(f"parameters are {names}; each name may be there once")
    function_body(given["routine_definition"], tuple(names))
    with changing:
        find(workspace, SCHEMAS, f"{catalog_name}.{schema_name}")
        old = workspace.store.get(FUNCTIONS, full_name)
        if workspace.store.get(MODELS, full_name) or (old and not replace):
            raise exists("function", full_name)
        if old:
            check_privilege(workspace, caller, "function", full_name, "MANAGE")
        else:
            check_create(workspace, caller, "schema", f"{catalog_name}.{schema_name}", "CREATE_FUNCTION")
        document: FunctionDocument = {
            **FUNCTIONS.document({name: value for name, value in given.items() if name == "comment"}),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "name": name,
            "catalog_name": catalog_name,
            "schema_name": schema_name,
            "full_name": full_name,
            "function_id": str(workspace.store.next_id(FUNCTIONS)),
            "input_params": {"parameters": [_parameter(*item) for item in enumerate(parameters)]},
            "data_type": type_name(given["full_data_type"]),
            "full_data_type": given["full_data_type"],
            "routine_body": "SQL",
            "routine_definition": given["routine_definition"],
            "parameter_style": "S",
            "is_deterministic": given.get("is_deterministic", True),
            "is_null_call": given.get("is_null_call", False),
            "security_type": "DEFINER",
            "sql_data_access": given.get("sql_data_access", "CONTAINS_SQL"),
            "specific_name": given.get("specific_name", name),
        }
        if old:
            document = {**document, "owner": old["owner"], "created_at": old["created_at"]}
        workspace.store.put(FUNCTIONS, full_name, document)
        return document


def remove(workspace: Workspace, caller: Principal, full_name: str) -> None:
    """Deletes a function with the grants on it; raises ApiError if there is none, or the caller may not."""
    with changing:
        name = find(workspace, FUNCTIONS, full_name)["full_name"]
        check_manage(workspace, caller, "function", name)
        workspace.store.delete(FUNCTIONS, name)
        forget(workspace, "function", name)


def _parameter(position: int, parameter: Document) -> Document:
    shown = {"parameter_mode": "IN", "parameter_type": "PARAM", "type_json": f'"{parameter["type_text"]}"'} | parameter
    return shown | {
        "name": parameter["name"].lower(),
        "position": position,
        "type_name": type_name(parameter["type_text"]),
    }
