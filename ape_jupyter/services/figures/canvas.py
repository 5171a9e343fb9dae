"""What all figures of comparisons share: colours, axes, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.model.comparison import (
    MIN_VISITS_TO_MENTION,
    ComparisonRequest,
    Metric,
    TimeAlignment,
)

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = [
    "DASHES",
    "INK",
    "PALETTE",
    "X_LABELS",
    "colour_axes",
    "empty_figure",
    "finished",
    "is_share",
    "number_format",
    "rows_of",
    "show_well_observed",
]

# Okabe and Ito's palette, which colour-blind readers can tell apart, without its yellow and
# black, and with a blue that also shows on dark pages.
PALETTE = ("#1F83C9", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8A8A")
DASHES = ("solid", "dashed", "dotdash", "dotted")
INK = {False: ("#1f1f1f", "#e3e3e3"), True: ("#e6e6e6", "#4a4a4a")}
HEIGHT = 380
MAX_ITEMS_IN_A_ROW = 6
MS_PER_DAY = 86_400_000

X_LABELS = {
    TimeAlignment.RELATIVE: "Days since enrolment",
    TimeAlignment.ABSOLUTE: "Date",
    TimeAlignment.NORMALIZED: "Share of the run's duration",
}


def is_share(metric: Metric) -> bool:
    """Tell whether values are shares, to be shown as per cent."""
    return metric.unit == "share of patients"


def number_format(metric: Metric) -> str:
    """Return how Bokeh writes values of a metric."""
    return "0.0%" if is_share(metric) else "0,0.0"


def show_well_observed(plot: Figure, table: pa.Table, sizes: pa.ChunkedArray) -> None:
    """Start with a range in which the interval of a few last visits flattens nothing else."""
    from bokeh.models import Range1d

    observed = table.filter(pc.greater_equal(sizes, MIN_VISITS_TO_MENTION))
    ends = np.concatenate([observed[name].to_numpy() for name in ("ci_low", "ci_high")])
    ends = ends[~np.isnan(ends)]
    if len(ends):
        bottom, top = float(ends.min()), float(ends.max())
        margin = 0.06 * (top - bottom) or 0.5
        plot.y_range = Range1d(bottom - margin, top + margin)


def rows_of(table: pa.Table, column: str, value: str, alignment: TimeAlignment) -> dict[str, Any]:
    """Return the numbers of one run, or one state, with times as Bokeh has them."""
    chosen = table.filter(pc.equal(table[column].cast(pa.string()), value))
    rows = {
        name: chosen[name].to_numpy()
        for name in chosen.column_names
        if not pa.types.is_dictionary(chosen.schema.field(name).type)
    }
    if alignment is TimeAlignment.ABSOLUTE:
        rows["x"] = rows["x"] * MS_PER_DAY
    return rows


def empty_figure(request: ComparisonRequest, y_label: str, dark: bool, **options: Any) -> Figure:
    """Return a figure with the time axis of a comparison."""
    from bokeh.models import WheelZoomTool
    from bokeh.plotting import figure

    is_date = request.time_alignment is TimeAlignment.ABSOLUTE
    plot = figure(
        sizing_mode="stretch_width",
        x_axis_type="datetime" if is_date else "linear",
        x_axis_label=X_LABELS[request.time_alignment],
        y_axis_label=y_label,
        tools="pan,box_zoom,reset,save",
        toolbar_location="above",
        # Canvas on purpose: without a GPU, WebGL draws these ten times slower.
        output_backend="canvas",
        **{"height": HEIGHT, **options},
    )
    # Zooming is not the wheel's job until it is chosen: the page must stay scrollable.
    plot.add_tools(WheelZoomTool())
    plot.toolbar.active_scroll = None
    plot.toolbar.logo = None
    colour_axes(plot, dark)
    return plot


def colour_axes(plot: Figure, dark: bool) -> None:
    """Let a figure fit to a light or dark page."""
    ink, grid = INK[dark]
    plot.background_fill_alpha = 0
    plot.border_fill_alpha = 0
    plot.outline_line_color = grid
    for axis in plot.axis:
        axis.axis_label_text_color = axis.major_label_text_color = ink
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = ink
        axis.axis_label_text_font_style = "normal"
    for line in plot.grid:
        line.grid_line_color = grid
    plot.title.text_color = ink


def finished(plot: Figure, dark: bool) -> Figure:
    """Give a figure its legend: a click hides what belongs to an entry."""
    ink, grid = INK[dark]
    for legend in plot.legend:
        legend.click_policy = "hide"
        legend.label_text_color = ink
        legend.background_fill_alpha = 0
        legend.border_line_color = grid
    if plot.legend:
        is_long = len(plot.legend[0].items) > MAX_ITEMS_IN_A_ROW
        plot.legend[0].orientation = "vertical" if is_long else "horizontal"
        plot.legend[0].location = "top_left" if is_long else "center"
        plot.add_layout(plot.legend[0], "right" if is_long else "below")
    return plot
