"""Boxes of how values are spread over patients, at points of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import Metric
from ape_jupyter.services.figures.curves import MAX_SINGLE_GLYPHS, percentiles_of
from ape_jupyter.services.figures.sheet import Sheet, number_format, of_run, value_range

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["box_plot"]

_GROUP_SHARE = 0.8
_BOX_SHARE = 0.8
_COLUMNS = ("p10", "p25", "p50", "p75", "p90", "mean", "n")


def box_plot(sheet: Sheet, metric: Metric, series: pa.Table) -> Figure:
    """Draw for each run and year the middle half as a box, with whiskers to 10 and 90 %.

    Raises
    ------
    InvalidArgumentError
        For more runs than have room beside each other.
    """
    from bokeh.models import ColumnDataSource, HoverTool, LegendItem

    known = percentiles_of(series, metric)
    sim_ids = sheet.request.sim_ids
    if len(sim_ids) > MAX_SINGLE_GLYPHS:
        raise InvalidArgumentError(
            f"At most {MAX_SINGLE_GLYPHS} runs have room as boxes, not {len(sim_ids)}. Choose "
            "fewer, or the kind 'percentiles'."
        )
    axis = sheet.time_axis(known)
    landmarks = axis.landmarks()
    shown = axis.shown(landmarks)
    spacing = float(shown[1] - shown[0]) if len(shown) > 1 else 1.0
    width = _GROUP_SHARE * spacing / len(sim_ids)
    plot = sheet.empty(
        f"{metric.label} ({metric.unit})",
        x_axis_type="datetime" if axis.is_calendar else "linear",
    )
    axis.draw_on(plot)
    plot.x_range.start = float(shown[0]) - spacing / 2
    plot.x_range.end = float(shown[-1]) + spacing / 2
    plot.y_range = value_range(known, ("p10", "p90"), known["n"])
    items = []
    boxes = []
    for i, sim_id in enumerate(sim_ids):
        rows = of_run(known, "sim_id", sim_id)
        at = _positions(rows["x"], landmarks)
        if not at:
            continue
        offset = (i - (len(sim_ids) - 1) / 2) * width
        columns: dict[str, Any] = {name: rows[name][[*at.values()]] for name in _COLUMNS}
        columns["day"] = rows["x"][[*at.values()]]
        columns["date"] = axis.shown(columns["day"])
        columns["x"] = shown[[*at]] + offset
        columns["left"] = columns["x"] - _BOX_SHARE * width / 2
        columns["right"] = columns["x"] + _BOX_SHARE * width / 2
        columns["run"] = [sheet.labels[sim_id]] * len(at)
        source = ColumnDataSource(columns)
        colour = sheet.styles[sim_id].colour
        thin = {"source": source, "color": colour, "name": sim_id}
        whiskers = plot.segment("x", "p10", "x", "p90", line_width=1.5, **thin)
        box = plot.vbar(
            "x",
            _BOX_SHARE * width,
            "p75",
            "p25",
            fill_alpha=0.45,
            line_dash=sheet.styles[sim_id].dash,
            **thin,
        )
        median = plot.segment(
            "left", "p50", "right", "p50", line_width=2.5, **(thin | {"color": sheet.ink})
        )
        mean = plot.scatter(
            "x",
            "mean",
            size=6,
            fill_color="#ffffff",
            line_color=sheet.ink,
            source=source,
            name=sim_id,
        )
        boxes.append(box)
        items.append(
            LegendItem(
                label={"value": sheet.labels[sim_id]}, renderers=[box, whiskers, median, mean]
            )
        )
    form = number_format(metric)
    plot.add_tools(
        HoverTool(
            renderers=boxes,
            tooltips=[
                ("run", "@run"),
                ("month", "@date{%B %Y}") if axis.is_calendar else axis.tooltip,
                (f"median, {metric.unit}", f"@p50{{{form}}}"),
                ("middle half", f"@p25{{{form}}} to @p75{{{form}}}"),
                ("middle 80 %", f"@p10{{{form}}} to @p90{{{form}}}"),
                ("mean", f"@mean{{{form}}}"),
                ("n", "@n{0,0}"),
            ],
            formatters={"@date": "datetime"} if axis.is_calendar else {},
            visible=False,
        )
    )
    sheet.add_legend(plot, items)
    return plot


def _positions(x: np.ndarray, landmarks: np.ndarray) -> dict[int, int]:
    """Return the row of each landmark, by its number, where the run has one."""
    found = {}
    for i, landmark in enumerate(landmarks):
        position = int(np.searchsorted(x, landmark, "right")) - 1
        if position >= 0 and landmark <= x[-1] + 1:
            found[i] = position
    return found
