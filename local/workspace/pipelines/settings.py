"""Settings of pipelines and of updates: what a request may contain, and what a pipeline keeps of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import already_exists, bad_request, not_built
from local.workspace.pipelines.documents import PIPELINES

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

# Fields of a request that are not part of the spec.
_OPTIONS = ("allow_duplicate_names", "dry_run", "expected_last_modified", "id", "pipeline_id", "run_as")
_NOT_BUILT = (
    "deployment",
    "event_log",
    "filters",
    "gateway_definition",
    "ingestion_definition",
    "parameters",
    "restart_window",
    "storage",
    "trigger",
)
_RETRIES = "pipelines.numUpdateRetryAttempts"
_FLOW_RETRIES = "pipelines.maxFlowRetryAttempts"
# Of a triggered pipeline; a continuous one has no limit: https://docs.databricks.com/aws/en/ldp/properties
_DEFAULT_RETRIES = 5
_UPDATE_OPTIONS = ("full_refresh", "full_refresh_selection", "refresh_selection", "validate_only")


def checked_spec(workspace: Workspace, request: Document, pipeline_id: str) -> Document:
    """Checks a request that creates or edits a pipeline.

    Args:
        workspace: The workspace, in which a pipeline's name is unique.
        request: The body, as the SDK's `create` or `update` sends it.
        pipeline_id: Id of the pipeline.

    Returns:
        The pipeline's spec.

    Raises:
        ApiError: A 400, 409 or 501 that names the field.
    """
    for name in _NOT_BUILT:
        if name in request:
            raise not_built(f"{name} of a pipeline")
    for name in ("name", "catalog", "libraries"):
        if not request.get(name):
            raise bad_request(f"missing field {name}")
    if bool(request.get("schema")) == bool(request.get("target")):
        raise bad_request("give either schema or target")
    for index, library in enumerate(request["libraries"]):
        if list(library) not in (["file"], ["glob"]):
            raise not_built(f"libraries[{index}] with {sorted(library)} (file or glob can be used)")
    _check_name(workspace, request, pipeline_id)
    update_retries(request)
    _whole_number(request, _FLOW_RETRIES)  # which the runner reads
    spec = {name: value for name, value in request.items() if name not in _OPTIONS}
    return {"id": pipeline_id, "continuous": False, **spec}


def update_retries(spec: Document) -> int | None:
    """Reads how often the service retries a failed update; None for no limit, and never in development mode.

    Raises:
        ApiError: A 400, because the setting is no number from 0 on.
    """
    text = _whole_number(spec, _RETRIES)
    if spec.get("development"):
        return 0
    if text is not None:
        return int(text)
    return None if spec.get("continuous") else _DEFAULT_RETRIES


def _whole_number(spec: Document, setting: str) -> str | None:
    """A setting of the configuration that is a number; None where the spec does not have it."""
    text: str | None = spec.get("configuration", {}).get(setting)
    if text is not None and not text.isdecimal():
        raise bad_request(f"configuration.{setting} is {text!r}; allowed: a whole number from 0 on")
    return text


def checked_update(request: Document) -> Document:
    """Checks a request that starts an update, and returns its options.

    Raises:
        ApiError: A 400 or 501 that names the option.
    """
    unknown = request.keys() - {*_UPDATE_OPTIONS}
    if unknown:
        raise not_built(f"{min(unknown)} of an update")
    if request.get("full_refresh") and (request.keys() & {"full_refresh_selection", "refresh_selection"}):
        raise bad_request("full_refresh cannot be combined with a selection")
    return request


def _check_name(workspace: Workspace, request: Document, pipeline_id: str) -> None:
    for other_id, other in workspace.store.items(PIPELINES):
        if other["name"] == request["name"] and other_id != pipeline_id and not request.get("allow_duplicate_names"):
            raise already_exists(
                f"The pipeline name '{request['name']}' is already used by another pipeline. "
                "This check can be skipped by setting `allow_duplicate_names = true` in the request.",
                "RESOURCE_CONFLICT",
            )
