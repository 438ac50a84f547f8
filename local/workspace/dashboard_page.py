"""A published dashboard as a page: every dataset's rows, as tables; the widgets themselves are not drawn."""

import html
import json

from fastapi.responses import HTMLResponse
from pyspark.errors import PySparkException

from .context import Here
from .errors import not_found
from .page import document, pages_router, row, section

ROWS_SHOWN = 100

pages = pages_router()


@pages.get("/dashboardsv3/{dashboard_id}/published", response_class=HTMLResponse)
def published(dashboard_id: str, here: Here) -> str:
    """The page; a query that fails is shown with its error in place of its rows."""
    dashboard = here.store.get("dashboards", dashboard_id)
    if dashboard is None or dashboard["lifecycle_state"] != "ACTIVE":
        raise not_found(f"Dashboard with ID {dashboard_id} does not exist.")
    sections = []
    for dataset in json.loads(dashboard["serialized_dashboard"])["datasets"]:
        title = html.escape(dataset["displayName"])
        try:
            frame = here.spark.session().sql("".join(dataset["queryLines"])).limit(ROWS_SHOWN)
            rows = [row(*(_shown(value) for value in found)) for found in frame.collect()]
            sections.append(section(title, frame.columns, rows, "No rows yet."))
        except PySparkException as error:
            sections.append(section(title, [], [], html.escape(str(error).split("JVM stacktrace")[0])))
    return document(dashboard["display_name"], '<a href="/">Workspace</a>', sections)


def _shown(value: object) -> str:
    """A value for reading: thousands apart, fractions to the cent, or to the tenth of a percent below one."""
    if isinstance(value, float):
        return f"{value:,.3f}" if 0 < abs(value) < 1 else f"{value:,.2f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "" if value is None else str(value)
