"""Figures of comparisons, in Bokeh, for light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ape_jupyter.model.comparison import (
    MIN_VISITS_TO_MENTION,
    ComparisonRequest,
    Metric,
    TimeAlignment,
)

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["difference_figure", "overlay_figure"]

# Okabe and Ito's palette, which colour-blind readers can tell apart, without its yellow and
# black, and with a blue that also shows on dark pages.
PALETTE = ("#1F83C9", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A8A8A")
DASHES = ("solid", "dashed", "dotdash", "dotted")
_INK = {False: ("#1f1f1f", "#e3e3e3"), True: ("#e6e6e6", "#4a4a4a")}
MAX_ITEMS_IN_A_ROW = 6
MS_PER_DAY = 86_400_000

_X_LABELS = {
    TimeAlignment.RELATIVE: "Days since enrolment",
    TimeAlignment.ABSOLUTE: "Date",
    TimeAlignment.NORMALIZED: "Share of the run's duration",
}


def overlay_figure(
    series: pa.Table,
    metric: Metric,
    request: ComparisonRequest,
    labels: Mapping[str, str],
    *,
    dark: bool = False,
) -> Figure:
    """Draw the mean of every run with its confidence band into one axis."""
    plot = _empty_figure(request, f"{metric.label} ({metric.unit})", dark)
    for i, sim_id in enumerate(request.sim_ids):
        rows = _rows(series, "sim_id", sim_id, request.time_alignment)
        _draw(plot, rows, "mean", labels[sim_id], i, request)
    _show_well_observed(plot, series, series["n"])
    return _finished(plot, dark)


def difference_figure(
    differences: pa.Table,
    metric: Metric,
    request: ComparisonRequest,
    labels: Mapping[str, str],
    *,
    dark: bool = False,
) -> Figure:
    """Draw comparator − reference of every other run, with band and zero line."""
    from bokeh.models import Span

    reference = labels[request.reference]
    title = f"Difference to {reference} ({metric.unit})"
    plot = _empty_figure(request, title, dark)
    ink, _ = _INK[dark]
    plot.add_layout(Span(location=0, dimension="width", line_color=ink, line_dash="dashed"))
    for i, sim_id in enumerate(request.sim_ids):
        if sim_id != request.reference:
            rows = _rows(differences, "comparator", sim_id, request.time_alignment)
            _draw(plot, rows, "difference", f"{labels[sim_id]} − {reference}", i, request)
    fewest = pa.compute.min_element_wise(differences["n_reference"], differences["n_comparator"])
    _show_well_observed(plot, differences, fewest)
    return _finished(plot, dark)


def _show_well_observed(plot: Figure, table: pa.Table, n_visits: pa.ChunkedArray) -> None:
    """Start with a range in which the interval of a few last visits flattens nothing else."""
    from bokeh.models import Range1d

    observed = table.filter(pa.compute.greater_equal(n_visits, MIN_VISITS_TO_MENTION))
    low, high = (pa.compute.min_max(observed[name]) for name in ("ci_low", "ci_high"))
    if observed.num_rows:
        bottom, top = low["min"].as_py(), high["max"].as_py()
        margin = 0.06 * (top - bottom) + 0.5
        plot.y_range = Range1d(bottom - margin, top + margin)


def _rows(table: pa.Table, column: str, sim_id: str, alignment: TimeAlignment) -> dict[str, Any]:
    chosen = table.filter(pa.compute.equal(table[column].cast(pa.string()), sim_id))
    rows = {
        name: chosen[name].to_numpy()
        for name in chosen.column_names
        if not pa.types.is_dictionary(chosen.schema.field(name).type)
    }
    if alignment is TimeAlignment.ABSOLUTE:
        rows["x"] = rows["x"] * MS_PER_DAY
    return rows


def _empty_figure(request: ComparisonRequest, y_label: str, dark: bool) -> Figure:
    from bokeh.models import WheelZoomTool
    from bokeh.plotting import figure

    is_date = request.time_alignment is TimeAlignment.ABSOLUTE
    plot = figure(
        height=380,
        sizing_mode="stretch_width",
        x_axis_type="datetime" if is_date else "linear",
        x_axis_label=_X_LABELS[request.time_alignment],
        y_axis_label=y_label,
        tools="pan,box_zoom,reset,save",
        toolbar_location="above",
        # Canvas on purpose: without a GPU, WebGL draws these ten times slower.
        output_backend="canvas",
    )
    # Zooming is not the wheel's job until it is chosen: the page must stay scrollable.
    plot.add_tools(WheelZoomTool())
    plot.toolbar.active_scroll = None
    plot.toolbar.logo = None
    ink, grid = _INK[dark]
    plot.background_fill_alpha = 0
    plot.border_fill_alpha = 0
    plot.outline_line_color = grid
    for axis in plot.axis:
        axis.axis_label_text_color = axis.major_label_text_color = ink
        axis.axis_line_color = axis.major_tick_line_color = axis.minor_tick_line_color = ink
        axis.axis_label_text_font_style = "normal"
    for line in plot.grid:
        line.grid_line_color = grid
    return plot


def _draw(
    plot: Figure,
    rows: dict[str, Any],
    value: str,
    label: str,
    position: int,
    request: ComparisonRequest,
) -> None:
    from bokeh.models import ColumnDataSource, HoverTool

    colour = PALETTE[position % len(PALETTE)]
    dash = DASHES[position // len(PALETTE) % len(DASHES)]
    source = ColumnDataSource({**rows, "run": np.full(len(rows["x"]), label)})
    plot.varea(
        "x", "ci_low", "ci_high", source=source, color=colour, alpha=0.18, legend_label=label
    )
    style = {"color": colour, "line_width": 2, "line_dash": dash, "legend_label": label}
    line = plot.line("x", value, source=source, **style)
    is_date = request.time_alignment is TimeAlignment.ABSOLUTE
    when = ("month", "@x{%Y-%m}") if is_date else (_X_LABELS[request.time_alignment], "@x{0.[00]}")
    interval = f"{request.confidence:.0%} interval"
    tooltips = [
        ("run", "@run"),
        when,
        (value, f"@{value}{{0.0}}"),
        (interval, "@ci_low{0.0} to @ci_high{0.0}"),
    ]
    if "n" in rows:
        tooltips.append(("visits", "@n{0,0}"))
    else:
        tooltips.append(("visits", "@n_comparator{0,0} and @n_reference{0,0}"))
    formatters: Any = {"@x": "datetime"} if is_date else {}
    plot.add_tools(
        HoverTool(
            renderers=[line], tooltips=tooltips, formatters=formatters, mode="mouse", visible=False
        )
    )


def _finished(plot: Figure, dark: bool) -> Figure:
    ink, grid = _INK[dark]
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
