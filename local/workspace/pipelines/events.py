"""The event log of a pipeline: events that the runner prints, in the form in which Databricks answers them."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from local.workspace.core.clock import timestamp
from local.workspace.core.errors import bad_request
from local.workspace.pipelines.documents import BATCHES, EVENTS, BatchDocument

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.pipelines.documents import PipelineDocument

KEPT_METRICS = 2000  # events of a pipeline, at least
FLOW_STATES = frozenset({"QUEUED", "STARTING", "RUNNING", "COMPLETED", "FAILED", "SKIPPED", "STOPPED", "EXCLUDED"})

_TEST = re.compile(r"\s*(level|id|timestamp)\s*(=|!=|<=|>=|<|>|in)\s*(\([^)]*\)|'[^']*')\s*", re.IGNORECASE)
_COMPARE: dict[str, Callable[[str, list[str]], bool]] = {
    "=": lambda value, wanted: value == wanted[0],
    "!=": lambda value, wanted: value != wanted[0],
    "<": lambda value, wanted: value < wanted[0],
    "<=": lambda value, wanted: value <= wanted[0],
    ">": lambda value, wanted: value > wanted[0],
    ">=": lambda value, wanted: value >= wanted[0],
    "in": lambda value, wanted: value in wanted,
}


def append(
    workspace: Workspace,
    pipeline: PipelineDocument,
    update_id: str,
    event_type: str,
    message: str,
    details: dict[str, Any],
    *,
    level: str = "INFO",
    flow: str | None = None,
    at: datetime | None = None,
) -> None:
    """Adds an event to a pipeline's log.

    Args:
        workspace: The workspace.
        pipeline: The pipeline.
        update_id: The update that the event belongs to.
        event_type: Such as `update_progress` or `flow_progress`.
        message: For people.
        details: For programs, under the event type's name.
        level: `INFO`, `METRICS`, `WARN` or `ERROR`.
        flow: Name of the flow that the event is about.
        at: Time of the event; now if left out.
    """
    number = workspace.store.next_id(EVENTS)
    origin: Document = {
        "pipeline_id": pipeline["pipeline_id"],
        "pipeline_name": pipeline["name"],
        "update_id": update_id,
        "org_id": workspace.workspace_id,
    }
    if flow is not None:
        origin |= {"flow_name": flow, "dataset_name": flow}
    event: Document = {
        "id": str(uuid.uuid4()),
        "sequence": {"control_plane_seq_no": number},
        "origin": origin,
        "timestamp": timestamp(at),
        "message": message,
        "level": level,
        "event_type": event_type,
        "maturity_level": "STABLE",
        "details": {event_type: details},
    }
    if level == "ERROR":
        event["error"] = {
            "fatal": True,
            "exceptions": [{"class_name": details.get("error_class", ""), "message": message}],
        }
    workspace.store.put(EVENTS, f"{pipeline['pipeline_id']}/{number:016d}", event)
    if number % KEPT_METRICS == 0:
        _forget_metrics(workspace, pipeline["pipeline_id"])


def _forget_metrics(workspace: Workspace, pipeline_id: str) -> None:
    """Removes the oldest figures of batches: a continuous pipeline has thousands a day."""
    events = workspace.store.items(EVENTS, f"{pipeline_id}/")
    for key in [key for key, event in events if event["level"] == "METRICS"][:-KEPT_METRICS]:
        workspace.store.delete(EVENTS, key)


def record(workspace: Workspace, pipeline: PipelineDocument, update_id: str, line: Document) -> None:
    """Adds an event that the runner printed; a batch that the runner reports a second time is left out."""
    at, kind = datetime.fromisoformat(line["timestamp"]), line["event_type"]
    if kind == "update_progress":
        state = line["state"]
        level = "ERROR" if state == "FAILED" else "INFO"
        text = line.get("message") or f"Update {update_id} is {state}."
        details = {"state": state, "error_class": line.get("error_class", "")} if level == "ERROR" else {"state": state}
        append(workspace, pipeline, update_id, kind, text, details, level=level, at=at)
    elif kind == "flow_progress" and line["state"] in FLOW_STATES:
        level = "ERROR" if line["state"] == "FAILED" else "INFO"
        details = {"status": line["state"]}
        append(workspace, pipeline, update_id, kind, line["message"], details, level=level, flow=line["flow"], at=at)
    elif kind == "flow_metrics":
        workspace.store.retry_briefly(lambda: _record_metrics(workspace, pipeline, update_id, line, at))


def _record_metrics(
    workspace: Workspace, pipeline: PipelineDocument, update_id: str, line: Document, at: datetime
) -> None:
    flow = line["flow"]
    query, _, batch = line["key"].partition("/")  # a view has no batches
    key = f"{pipeline['pipeline_id']}/{flow}/{query}"
    with workspace.store.transaction():
        if batch:
            known = workspace.store.get(BATCHES, key)
            if known is not None and known.get("batch", -1) >= int(batch):
                return
            workspace.store.put(BATCHES, key, BatchDocument(batch=int(batch)))
        expectations = [
            {"name": item["name"], "dataset": flow, "passed_records": item["passed"], "failed_records": item["failed"]}
            for item in line["expectations"]
        ]
        details: Document = {"status": "RUNNING", "metrics": {"num_output_rows": line["output_rows"]}}
        if expectations:
            details["data_quality"] = {"dropped_records": line["dropped_rows"], "expectations": expectations}
        message = f"Flow '{flow}' wrote {line['output_rows']} rows."
        append(workspace, pipeline, update_id, "flow_progress", message, details, level="METRICS", flow=flow, at=at)


def matching(events: list[Document], text: str) -> list[Document]:
    """Returns the events that pass a filter, such as `level in ('WARN', 'ERROR') and timestamp > '2026-01-31'`.

    Raises:
        ApiError: The filter has another form.
    """
    for test in re.split(r"\band\b", text, flags=re.IGNORECASE) if text.strip() else []:
        match = _TEST.fullmatch(test)
        if match is None:
            raise bad_request(f"filter: {test.strip()!r} is not a comparison of level, id or timestamp with a 'text'")
        field, operator, values = match[1].lower(), match[2].lower(), re.findall(r"'([^']*)'", match[3])
        if not values or (operator == "in") != match[3].startswith("("):
            raise bad_request(f"filter: {test.strip()!r} must compare with a 'text', or after 'in' with a list of them")
        events = [event for event in events if _COMPARE[operator](event[field], values)]
    return events
