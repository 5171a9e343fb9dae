"""Kaplan–Meier curves above a table of the patients at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ape_jupyter.model.comparison import Metric
from ape_jupyter.services.figures.curves import MAX_SINGLE_GLYPHS, Curves
from ape_jupyter.services.figures.sheet import Sheet, of_run

if TYPE_CHECKING:
    from bokeh.models import LayoutDOM

__all__ = ["survival_figure"]

_ROW_HEIGHT = 20
_CHARACTER_WIDTH = 7
_FIRST_COLUMN = 0.07
_LEAST_LEFT, _MOST_LEFT = 70, 200


def survival_figure(sheet: Sheet, metric: Metric, series: pa.Table) -> LayoutDOM:
    """Draw the probability to be still on treatment, and below it how many that rests on."""
    from bokeh.layouts import column
    from bokeh.models import ColumnDataSource, FixedTicker, PlainText, Range1d

    curves = Curves(sheet=sheet, metric=metric).overlay(series)
    by_run = {sim_id: of_run(series, "sim_id", sim_id) for sim_id in sheet.request.sim_ids}
    shown = [sim_id for sim_id, rows in by_run.items() if len(rows["x"])]
    if not shown or len(shown) > MAX_SINGLE_GLYPHS:
        return curves
    axis = sheet.time_axis(series)
    texts: dict[str, list[Any]] = {"x": [], "height": [], "n": [], "colour": []}
    for i, sim_id in enumerate(shown):
        rows = by_run[sim_id]
        for landmark in axis.landmarks():
            position = int(np.searchsorted(rows["x"], landmark, "right")) - 1
            if position >= 0 and landmark <= rows["x"][-1] + 1:
                texts["x"].append(float(axis.shown(np.array([landmark]))[0]))
                texts["height"].append(float(len(shown) - i))
                texts["n"].append(f"{rows['n'][position]:,}")
                texts["colour"].append(sheet.styles[sim_id].colour)
    table = sheet.empty(
        "",
        title="Patients at risk",
        height=44 + _ROW_HEIGHT * len(shown),
        x_axis_location=None,
        x_range=curves.x_range,
        y_range=Range1d(0.4, len(shown) + 0.6),
        toolbar_location=None,
    )
    table.text(
        "x",
        "height",
        text="n",
        source=ColumnDataSource(texts),
        text_color=sheet.ink,
        text_font_size="12px",
        text_align="center",
        text_baseline="middle",
    )
    heights = [float(len(shown) - i) for i in range(len(shown))]
    table.yaxis.ticker = FixedTicker(ticks=heights)
    table.yaxis.major_label_overrides = {
        height: PlainText(sheet.labels[sim_id])
        for height, sim_id in zip(heights, shown, strict=True)
    }
    table.yaxis.axis_line_color = table.yaxis.major_tick_line_color = None
    table.ygrid.grid_line_color = None
    # The columns of the table stand below the ticks of the curves.
    longest = max(len(sheet.labels[sim_id]) for sim_id in shown)
    # The first numbers stand at time 0, and must have room at its left.
    span = curves.x_range.end - curves.x_range.start
    curves.x_range.start = -_FIRST_COLUMN * span
    left = min(_MOST_LEFT, max(_LEAST_LEFT, _CHARACTER_WIDTH * longest + 12))
    for plot in (curves, table):
        plot.min_border_left = left
        plot.min_border_right = 24
    return column(curves, table, sizing_mode="stretch_width")
