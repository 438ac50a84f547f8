"""The page of a published dashboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from databricks.sdk.service.dashboards import Dashboard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import LocalWorkspace

DATASETS = {
    "day": "SELECT 1234567 AS customers, 12345.678BD AS charges, 'a<b' AS decision, CAST(NULL AS INT) AS unknown",
    "days": "SELECT DATE'2026-01-30' + CAST(id AS INT) AS day, 10 * id AS risk FROM range(3)",
    "none": "SELECT 1 AS customers WHERE false",
    "broken": "SELECT * FROM missing",
}
POSITION = {"x": 0, "y": 0, "width": 3, "height": 6}
MONEY = {"type": "number-currency", "currencyCode": "USD", "abbreviation": "compact", "decimalPlaces": {"places": 1}}


def widget(title: str, dataset: str, kind: str, encodings: dict[str, Any]) -> dict[str, Any]:
    return {
        "position": POSITION,
        "widget": {
            "name": title,
            "queries": [{"name": "main_query", "query": {"datasetName": dataset}}],
            "spec": {"widgetType": kind, "encodings": encodings, "frame": {"title": title, "showTitle": True}},
        },
    }


def counter(title: str, dataset: str, field: str, form: dict[str, Any] | None = None) -> dict[str, Any]:
    return widget(title, dataset, "counter", {"value": {"fieldName": field} | ({"format": form} if form else {})})


def chart(kind: str, scale: str) -> dict[str, Any]:
    x = {"fieldName": "day", "displayName": "Day", "scale": {"type": scale}}
    return widget(kind, "days", kind, {"x": x, "y": {"fieldName": "risk", "scale": {"type": "quantitative"}}})


@pytest.fixture(scope="module")
def url(lakehouse: LocalWorkspace) -> Iterator[str]:
    """Address of a dashboard with a widget of each kind."""
    columns = [{"fieldName": "decision", "title": "Last & gate"}, {"fieldName": "customers", "visible": False}]
    layout = [
        counter("Good & right", "day", "customers"),
        counter("Money", "day", "charges", MONEY),
        counter("Unknown", "day", "unknown"),
        counter("Empty", "none", "customers"),
        counter("Fails", "broken", "customers"),
        widget("Rows", "day", "table", {"columns": columns}),
        chart("bar", "categorical"),
        chart("line", "temporal"),
        widget("Map", "day", "choropleth-map", {}),
        {"position": POSITION, "widget": {"name": "note", "multilineTextboxSpec": {"lines": ["Only a note"]}}},
    ]
    content = {
        "datasets": [
            {"name": name, "displayName": name, "queryLines": [line]} for name, line in sorted(DATASETS.items())
        ],
        "pages": [{"name": "page", "layout": layout}],
    }
    lakeview = lakehouse.client().lakeview
    dashboard = Dashboard(display_name="Shown", parent_path="/Shared", serialized_dashboard=json.dumps(content))
    made = lakeview.create(dashboard).dashboard_id or ""
    address = f"{lakehouse.settings.workspace_url}/dashboardsv3/{made}/published"
    assert httpx.get(address).status_code == 404, "a draft is not published"
    lakeview.publish(made)
    yield address
    lakeview.trash(made)


@pytest.fixture(scope="module")
def page(url: str) -> str:
    answer = httpx.get(url, timeout=120)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.shows("dashboards: counters, tables and texts of a published dashboard", client="httpx")
@pytest.mark.parametrize(
    "expected",
    [
        '<h2>Good &amp; right</h2><p class="counter">1,234,567</p>',
        '<h2>Money</h2><p class="counter">$12.3K</p>',
        '<h2>Unknown</h2><p class="counter">-</p>',
        '<h2>Empty</h2><p class="quiet">No rows yet.</p>',
        '<th>Last &amp; gate</th></tr><tr><td class="">a&lt;b</td></tr>',
        "A widget of the type choropleth-map is drawn on Databricks only.",
        "Only a note",
    ],
)
def test_widgets_show_what_their_queries_give(page: str, expected: str) -> None:
    assert expected in page


def test_a_query_that_fails_is_named_in_its_widget(page: str) -> None:
    assert "TABLE_OR_VIEW_NOT_FOUND" in page.partition("<h2>Fails</h2>")[2].partition("</section>")[0]


@pytest.mark.shows("dashboards: bars and lines of a published dashboard", client="httpx")
@pytest.mark.parametrize(("kind", "mark"), [("bar", "Day: 2026-01-30; risk: 0"), ("line", "mark-line")])
def test_charts_are_drawn(page: str, kind: str, mark: str) -> None:
    section = page.partition(f"<h2>{kind}</h2>")[2].partition("</section>")[0]
    assert section.startswith("<svg")
    assert mark in section


def test_home_leads_to_it(lakehouse: LocalWorkspace, url: str) -> None:
    home = lakehouse.settings.workspace_url
    assert url.removeprefix(home) in httpx.get(home, timeout=60).text


def test_one_that_is_not_there_is_a_404(lakehouse: LocalWorkspace) -> None:
    answer = httpx.get(f"{lakehouse.settings.workspace_url}/dashboardsv3/nothing/published", timeout=60)
    assert answer.status_code == 404
