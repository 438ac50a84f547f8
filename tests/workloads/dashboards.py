"""Dashboards of the workloads, as files: their queries, their widgets, and what these show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.settings import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

Dashboard = dict[str, Any]
FOLDER = REPOSITORY / "workloads" / "dashboards"
CATALOG_MARK = "${catalog}"  # what the deployment replaces


def load(file: Path, catalog: str) -> Dashboard:
    """A dashboard over the tables of a catalog."""
    loaded: Dashboard = json.loads(file.read_text(encoding="utf-8").replace(CATALOG_MARK, catalog))
    return loaded


def widgets(dashboard: Dashboard) -> list[dict[str, Any]]:
    return [entry["widget"] for page in dashboard["pages"] for entry in page["layout"]]


def expect_answers(spark: SparkSession, dashboard: Dashboard) -> None:
    """Expects that every query answers something, with the columns that its widgets show."""
    answers = {}
    for dataset in dashboard["datasets"]:
        frame = spark.sql("".join(dataset["queryLines"]))
        assert not frame.isEmpty(), dataset["name"]
        answers[dataset["name"]] = set(frame.columns)
    for widget in widgets(dashboard):
        (query,) = [entry["query"] for entry in widget["queries"]]
        names = {field["name"] for field in query["fields"]}
        assert names <= answers[query["datasetName"]], widget["name"]
        assert _shown(widget["spec"]["encodings"]) == names, widget["name"]


def _shown(encodings: dict[str, Any]) -> set[str]:
    """Names of the fields that a widget shows."""
    entries = [entry for value in encodings.values() for entry in (value if isinstance(value, list) else [value])]
    return {entry["fieldName"] for entry in entries}
