"""The page of a published dashboard: its widgets in their grid, with the present results of its queries."""

import html
import json
from datetime import date
from decimal import Decimal
from typing import Any

from fastapi.responses import HTMLResponse
from pyspark.errors import PySparkException

from local.workspace.authorisation.statements import prepare_query
from local.workspace.core.context import ADMIN, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError
from local.workspace.core.web_pages import document, pages_router, row, table
from local.workspace.dashboards.charts import MARKS, draw
from local.workspace.dashboards.documents import PUBLISHED

ROWS_READ = 1000
ROW_PIXELS, COLUMN_PIXELS = 52, 170  # of the grid that positions are given in
AXES_PIXELS = 110

pages = pages_router()
Rows = list[dict[str, Any]]


@pages.get("/dashboardsv3/{dashboard_id}/published", response_class=HTMLResponse)
def published(dashboard_id: str, workspace: WorkspaceDep) -> str:
    """Returns the page; a widget whose query fails shows the error."""
    missing = f"Dashboard {dashboard_id} does not exist or is not published."
    dashboard = workspace.find(PUBLISHED, dashboard_id, missing)
    content = json.loads(dashboard["serialized_dashboard"])
    # The page has no login: who looks at it on this machine is its administrator.
    reader = workspace.principal(dashboard["publisher_name"] if dashboard["embed_credentials"] else ADMIN)
    results = {dataset["name"]: _result(workspace, reader, dataset) for dataset in content.get("datasets", [])}
    grids = [
        f'<div class="grid" style="grid-auto-rows: {ROW_PIXELS}px">'
        + "".join(_placed(item["widget"], item["position"], results) for item in page.get("layout", []))
        + "</div>"
        for page in content.get("pages", [])
    ]
    return document(dashboard["display_name"], '<a href="/">Workspace</a>', grids or ["<p>Nothing on it yet.</p>"])


def _result(workspace: Workspace, reader: Principal, dataset: dict[str, Any]) -> Rows | str:
    """The rows of a dataset as its reader may see them, or the error of its query."""
    try:
        prepared = prepare_query(workspace, reader, "".join(dataset["queryLines"]))
    except ApiError as error:
        return error.message
    try:
        frame = workspace.spark.session().sql(prepared.sql).limit(ROWS_READ)
        return [{name: _plain(value) for name, value in read.asDict().items()} for read in frame.collect()]
    except PySparkException as error:
        return prepared.shown(str(error).split("JVM stacktrace")[0], error.getCondition())


def _plain(value: object) -> object:
    """A value in a type that JSON has."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def _placed(widget: dict[str, Any], position: dict[str, int], results: dict[str, Rows | str]) -> str:
    """A widget in its cell of the grid."""
    spec = widget.get("spec")
    column, line = position["x"] + 1, position["y"] + 1
    area = f"grid-area: {line} / {column} / span {position['height']} / span {position['width']}"
    if spec is None:
        lines = "".join(widget.get("multilineTextboxSpec", {}).get("lines", []))
        return f'<section style="{area}">{html.escape(lines)}</section>'
    title = html.escape(spec.get("frame", {}).get("title", ""))
    return f'<section style="{area}"><h2>{title}</h2>{_content(widget, spec, position, results)}</section>'


def _content(
    widget: dict[str, Any], spec: dict[str, Any], position: dict[str, int], results: dict[str, Rows | str]
) -> str:
    kind = spec["widgetType"]
    queries = widget.get("queries", [])
    rows = results.get(queries[0]["query"]["datasetName"], "its dataset is missing") if queries else "no query"
    if isinstance(rows, str):
        return f'<p class="bad">{html.escape(rows)}</p>'
    if not rows:
        return '<p class="quiet">No rows yet.</p>'
    encodings = spec["encodings"]
    if kind == "counter":
        value = encodings["value"]
        return f'<p class="counter">{html.escape(_shown(rows[0][value["fieldName"]], value.get("format")))}</p>'
    if kind in MARKS:
        width = position["width"] * COLUMN_PIXELS - AXES_PIXELS
        return draw(spec, rows, width, position["height"] * ROW_PIXELS - AXES_PIXELS)
    if kind == "table":
        columns = [column for column in encodings["columns"] if column.get("visible", True)]
        lines = [row(*(_shown(line[column["fieldName"]]) for column in columns)) for line in rows]
        return table([html.escape(column.get("title") or column["fieldName"]) for column in columns], lines)
    return f'<p class="quiet">A widget of the type {html.escape(kind)} is drawn on Databricks only.</p>'


def _shown(value: object, form: dict[str, Any] | None = None) -> str:
    """A value as text, in its widget's format; without a format with separated thousands and short fractions."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if form is None:
        return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}" if abs(value) < 1 else f"{value:,.2f}"
    sign = "$" if form.get("currencyCode") == "USD" else ""
    places = form.get("decimalPlaces", {}).get("places", 2)
    if form.get("abbreviation") == "compact" and abs(value) >= 1000:
        return f"{sign}{value / 1000:,.{places}f}K"
    return f"{sign}{value:,.{places}f}"
