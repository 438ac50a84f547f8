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
# Text and lines take the page's colour, by day and by night.
_CONFIG = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {"grid": False, "labelColor": "#888", "titleColor": "#888", "domainColor": "#888", "tickColor": "#888"},
}


def draw(spec: dict[str, Any], rows: list[dict[str, Any]], width: int, height: int) -> str:
    """The widget as an SVG that fits the width it is given.

    Args:
        spec: The widget's `spec`: a type out of `MARKS`, encodings `x` and `y`.
        rows: Of its dataset, JSON values by column.
        width: Of the drawing without its axes, in pixels.
        height: The same.

    Raises:
        KeyError: An encoding lacks its field or has a scale that is not drawn here.
    """
    import vl_convert  # a JavaScript engine: who looks at no dashboard shall not load it

    encoding = {}
    for channel in ("x", "y"):
        given = spec["encodings"][channel]
        encoding[channel] = {
            "field": given["fieldName"],
            "type": _TYPES[given["scale"]["type"]],
            "title": given.get("displayName"),
            "sort": None,  # as the query has them
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
