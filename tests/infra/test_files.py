"""The dashboard's file, which the program takes from the workloads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.layers.platform.dashboard import serialize_dashboard

if TYPE_CHECKING:
    from pathlib import Path


def test_a_dashboard_is_for_one_catalog_and_compares_equal(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text('{"b": 1,\n "a": "SELECT 1 FROM ${catalog}.gold.x"}')
    other.write_text('{"a":"SELECT 1 FROM ${catalog}.gold.x","b":1}')
    assert serialize_dashboard(one, "churn_dev") == serialize_dashboard(other, "churn_dev")
    assert json.loads(serialize_dashboard(one, "churn_dev"))["a"] == "SELECT 1 FROM churn_dev.gold.x"
