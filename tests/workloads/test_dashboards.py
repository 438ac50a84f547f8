"""Files of dashboards: their layout, and a form that a diff can read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.workloads.dashboards import FOLDER, load, widgets

if TYPE_CHECKING:
    from pathlib import Path

each = pytest.mark.parametrize("file", sorted(FOLDER.glob("*.lvdash.json")), ids=lambda file: file.name)


@each
def test_widgets_lie_side_by_side_on_the_grid(file: Path) -> None:
    dashboard = load(file, "churn")
    cells = [
        (page["name"], column, row)
        for page in dashboard["pages"]
        for place in (entry["position"] for entry in page["layout"])
        for column in range(place["x"], place["x"] + place["width"])
        for row in range(place["y"], place["y"] + place["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for _, column, _ in cells) < 6
    assert len({widget["name"] for widget in widgets(dashboard)}) == len(widgets(dashboard))


@each
def test_the_file_is_in_the_form_that_a_diff_can_read(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"
