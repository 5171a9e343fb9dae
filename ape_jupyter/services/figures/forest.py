"""Effect sizes with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ape_jupyter.model.comparison import ComparisonRequest, Metric
from ape_jupyter.services.figures.canvas import INK, PALETTE, colour_axes

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["forest_plot"]

LEADING_EFFECTS = ("hedges_g", "risk_difference", "hazard_ratio", "rate_ratio")
RATIOS = ("hazard_ratio", "rate_ratio")
_ROW_HEIGHT = 28


def forest_plot(
    tests: pa.Table,
    metric: Metric,
    request: ComparisonRequest,
    labels: Mapping[str, str],
    *,
    dark: bool = False,
) -> Figure:
    """Draw the effect size of every comparator and time, with the line of no effect.

    Ratios have a logarithmic axis, on which a half and a double are equally far.
    """
    from bokeh.models import ColumnDataSource, HoverTool, Span
    from bokeh.plotting import figure

    rows = [row for row in tests.to_pylist() if row["effect"] in LEADING_EFFECTS]
    effect = rows[0]["effect"] if rows else "hedges_g"
    is_ratio = effect in RATIOS
    names = [_name(row, labels) for row in rows]
    plot = figure(
        height=140 + _ROW_HEIGHT * len(rows),
        sizing_mode="stretch_width",
        # The first row on top.
        y_range=list(dict.fromkeys(reversed(names))) or ["nothing to test"],
        x_axis_type="log" if is_ratio else "linear",
        x_axis_label=f"{effect.replace('_', ' ')}, against {labels[request.reference]}",
        title=metric.label,
        tools="pan,box_zoom,reset,save",
        output_backend="canvas",
    )
    plot.toolbar.logo = None
    colour_axes(plot, dark)
    ink, _ = INK[dark]
    plot.add_layout(
        Span(location=1 if is_ratio else 0, dimension="height", line_color=ink, line_dash="dashed")
    )
    position = {sim_id: i for i, sim_id in enumerate(request.sim_ids)}
    columns: dict[str, list[Any]] = {
        "name": names,
        "colour": [PALETTE[position[row["comparator"]] % len(PALETTE)] for row in rows],
        **{
            key: [row[key] for row in rows]
            for key in ("effect_size", "effect_low", "effect_high", "p_value", "p_holm")
        },
    }
    source = ColumnDataSource(columns)
    plot.segment(
        "effect_low", "name", "effect_high", "name", color="colour", line_width=2, source=source
    )
    points = plot.scatter("effect_size", "name", size=9, color="colour", source=source)
    interval = f"{request.confidence:.0%} interval"
    plot.add_tools(
        HoverTool(
            renderers=[points],
            tooltips=[
                ("", "@name"),
                (effect.replace("_", " "), "@effect_size{0.00}"),
                (interval, "@effect_low{0.00} to @effect_high{0.00}"),
                ("p", "@p_value{0.0000}"),
                ("p after Holm", "@p_holm{0.0000}"),
            ],
            visible=False,
        )
    )
    return plot


def _name(row: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    state = f", {row['state'].replace('_', ' ').lower()}" if row["state"] else ""
    paired = ", in pairs" if row["test"] == "mcnemar" else ""
    return f"{labels[row['comparator']]}, {row['time_point']}{state}{paired}"
