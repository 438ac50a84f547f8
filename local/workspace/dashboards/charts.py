"""A dashboard's bar and line widgets as SVG, drawn by Vega-Lite without a network."""

from __future__ import annotations

import re
from typing import Any

# The words of Lakeview's scales and Vega-Lite's types of field.
_TYPES = {"categorical": "nominal", "quantitative": "quantitative", "temporal": "temporal"}
MARKS: dict[str, dict[str, Any]] = {
    "bar": {"type": "bar", "color": "#3b7dd8"},
    "line": {"type": "line", "color": "#3b7dd8", "point": True},
}
# Grey text and lines are readable on the light and the dark page.
_CONFIG = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {"grid": False, "labelColor": "#888", "titleColor": "#888", "domainColor": "#888", "tickColor": "#888"},
}


def draw(spec: dict[str, Any], rows: list[dict[str, Any]], width: int, height: int) -> str:
    """Draws a widget as an SVG that fills the width of its cell.

    Args:
        spec: The widget's `spec`, with a type of `MARKS` and the encodings `x` and `y`.
        rows: Rows of its dataset, JSON values by column.
        width: Width of the drawing without its axes, in pixels.
        height: Height of the drawing without its axes, in pixels.

    Raises:
        KeyError: An encoding lacks its field or has a scale that is not drawn here.
    """
    import vl_convert  # a JavaScript engine: loaded for the first dashboard only

    encoding = {}
    for channel in ("x", "y"):
        encoded = spec["encodings"][channel]
        encoding[channel] = {
            "field": encoded["fieldName"],
            "type": _TYPES[encoded["scale"]["type"]],
            "title": encoded.get("displayName"),
            "sort": None,  # the order of the query
            "axis": {"labelAngle": 0, "tickCount": 5},
        }
    drawing = {
        "data": {"values": rows},
        "mark": MARKS[spec["widgetType"]],
        "encoding": encoding,
        "width": width,
        "height": height,
        "config": _CONFIG,
    }
    svg: str = vl_convert.vegalite_to_svg(drawing)
    return re.sub(r'width="\d+" height="\d+"', 'style="width: 100%; height: auto"', svg, count=1)
