"""Effect sizes with their intervals, one below the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ape_jupyter.model.comparison import Metric
from ape_jupyter.services.figures.sheet import Sheet

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["forest_plot"]

LEADING_EFFECTS = {
    "hedges_g": "Hedges' g",
    "risk_difference": "Risk difference",
    "hazard_ratio": "Hazard ratio",
    "rate_ratio": "Rate ratio",
}
RATIOS = ("hazard_ratio", "rate_ratio")
MAX_ROWS = 60
"""With more, only the last time is drawn: nobody reads a page of a thousand rows."""
_ROW_HEIGHT = 26


def forest_plot(sheet: Sheet, tests: pa.Table, metric: Metric) -> Figure:
    """Draw the effect size of every comparator and time, with the line of no effect.

    Ratios have a logarithmic axis, on which a half and a double are equally far.
    """
    from bokeh.models import (
        ColumnDataSource,
        FixedTicker,
        HoverTool,
        LinearAxis,
        PlainText,
        Range1d,
        Span,
    )

    leading = [row for row in tests.to_pylist() if row["effect"] in LEADING_EFFECTS]
    effect = leading[0]["effect"] if leading else "hedges_g"
    # Where nobody had an event there is no ratio.
    rows = [row for row in leading if not math.isnan(row["effect_size"])]
    if len(rows) > MAX_ROWS:
        rows = [row for row in rows if row["time_point"] == rows[-1]["time_point"]]
    is_ratio = effect in RATIOS
    plot = sheet.empty(
        "",
        title=f"{metric.label}, against {sheet.labels[sheet.request.reference]}",
        height=120 + _ROW_HEIGHT * max(1, len(rows)),
        x_axis_type="log" if is_ratio else "linear",
        x_axis_label=f"{LEADING_EFFECTS[effect]} with {sheet.request.confidence:.0%} interval",
    )
    # The first row is on top.
    heights = [float(len(rows) - i) for i in range(len(rows))]
    names = [_name(row, sheet.labels) for row in rows] or ["nothing to test"]
    estimates = [_estimate(row) for row in rows]
    plot.y_range = Range1d(0.3, max(1, len(rows)) + 0.7)
    right = LinearAxis(axis_line_color=None, major_tick_line_color=None)
    plot.add_layout(right, "right")
    for axis, texts in ((plot.yaxis[0], names), (right, estimates)):
        axis.ticker = FixedTicker(ticks=heights or [1.0])
        axis.major_label_overrides = {
            height: PlainText(text) for height, text in zip(heights or [1.0], texts, strict=False)
        }
    sheet.colour(plot)
    right.axis_line_color = right.major_tick_line_color = None
    plot.ygrid.grid_line_color = None
    plot.add_layout(
        Span(
            location=1 if is_ratio else 0,
            dimension="height",
            line_color=sheet.ink,
            line_dash="dashed",
        )
    )
    columns: dict[str, list[Any]] = {
        "key": [row["comparator"] for row in rows],
        "height": heights,
        "name": names[: len(rows)],
        "estimate": estimates,
        "colour": [sheet.styles[row["comparator"]].colour for row in rows],
        **{
            key: [row[key] for row in rows]
            for key in ("effect_size", "effect_low", "effect_high", "p_value", "p_holm")
        },
    }
    source = ColumnDataSource(columns)
    plot.segment(
        "effect_low", "height", "effect_high", "height", color="colour", line_width=2, source=source
    )
    points = plot.scatter(
        "effect_size", "height", size=9, marker="square", color="colour", source=source
    )
    plot.x_range = _range(rows, is_ratio=is_ratio)
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                ("", "@name"),
                (LEADING_EFFECTS[effect], "@estimate"),
                ("p", "@p_value{0.0000}"),
                ("p after Holm", "@p_holm{0.0000}"),
            ],
            visible=False,
        )
    )
    return plot


def _range(rows: Sequence[Mapping[str, Any]], *, is_ratio: bool) -> Any:
    """Return a range that holds all intervals and the line of no effect."""
    from bokeh.models import Range1d

    no_effect = 1.0 if is_ratio else 0.0
    ends = [row[key] for row in rows for key in ("effect_low", "effect_size", "effect_high")]
    known = [end for end in ends if math.isfinite(end) and (end > 0 or not is_ratio)]
    low, high = min([no_effect, *known]), max([no_effect, *known])
    if is_ratio:
        factor = max(1.05, (high / low) ** 0.08)
        return Range1d(low / factor, high * factor)
    margin = 0.08 * (high - low) or 0.1
    return Range1d(low - margin, high + margin)


def _estimate(row: Mapping[str, Any]) -> str:
    low, size, high = (
        f"{row[key]:.2f}".replace("-", "−") for key in ("effect_low", "effect_size", "effect_high")
    )
    return f"{size} ({low} to {high})"


def _name(row: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    state = f", {row['state'].replace('_', ' ').lower()}" if row["state"] else ""
    paired = ", in pairs" if row["test"] == "mcnemar" else ""
    return f"{labels[row['comparator']]}, {row['time_point']}{state}{paired}"
