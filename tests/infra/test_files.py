"""Files that the program takes from the workloads: the wheel and the dashboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.layers.platform.artifacts import find_wheel
from infra.layers.platform.dashboard import serialized
from infra.written.faults import FaultsError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_one_wheel_is_found(tmp_path: Path) -> None:
    wheel = tmp_path / "churn-0.1.0-py3-none-any.whl"
    with pytest.raises(FaultsError, match=r"workloads/dist: received 0 wheels; .*remedy: run make wheel"):
        find_wheel(tmp_path)
    wheel.touch()
    assert find_wheel(tmp_path) == wheel
    (tmp_path / "churn-0.2.0-py3-none-any.whl").touch()
    with pytest.raises(FaultsError, match=r"received 2 wheels, churn-0\.1\.0"):
        find_wheel(tmp_path)


def test_a_dashboard_is_for_one_catalog_and_compares_equal(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text('{"b": 1,\n "a": "SELECT 1 FROM ${catalog}.gold.x"}')
    other.write_text('{"a":"SELECT 1 FROM ${catalog}.gold.x","b":1}')
    assert serialized(one, "churn_dev") == serialized(other, "churn_dev")
    assert json.loads(serialized(one, "churn_dev"))["a"] == "SELECT 1 FROM churn_dev.gold.x"
