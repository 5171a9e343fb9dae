"""States over time: areas on top of each other that add up to all patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.services.figures.curves import MAX_SINGLE_GLYPHS
from ape_jupyter.services.figures.palette import state_colours
from ape_jupyter.services.figures.sheet import Sheet, of_run

if TYPE_CHECKING:
    from bokeh.models import LayoutDOM
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["stacked_states"]

PANEL_HEIGHT = 260


def stacked_states(sheet: Sheet, series: pa.Table) -> LayoutDOM:
    """Draw one panel per run, all with the same axes; the first has the legend of all."""
    from bokeh.models import ColumnDataSource, HoverTool, LegendItem, NumeralTickFormatter, Range1d

    states = list(dict.fromkeys(series["state"].to_pylist()))
    colours = state_colours(states)
    axis = sheet.time_axis(series)
    panels: list[Figure] = []
    items: list[LegendItem] = []
    for sim_id in sheet.request.sim_ids[:MAX_SINGLE_GLYPHS]:
        plot = sheet.empty(
            "Share of patients",
            title=sheet.labels[sim_id],
            height=PANEL_HEIGHT,
            x_axis_type="datetime" if axis.is_calendar else "linear",
        )
        axis.draw_on(plot)
        plot.y_range = Range1d(0, 1)
        plot.yaxis.formatter = NumeralTickFormatter(format="0%")
        if panels:
            plot.x_range, plot.y_range = panels[0].x_range, panels[0].y_range
        own = series.filter(pc.equal(series["sim_id"].cast(pa.string()), sim_id))
        by_state = {state: of_run(own, "state", state) for state in states}
        base = np.zeros(len(by_state[states[0]]["x"])) if states else np.empty(0)
        edges = []
        for state, rows in by_state.items():
            top = base + rows["mean"]
            shown = state.replace("_", " ").lower()
            source = ColumnDataSource(
                {
                    "x": axis.shown(rows["x"]),
                    "y1": base,
                    "y2": top,
                    "share": rows["mean"],
                    "n": rows["n"],
                    "day": rows["x"],
                    "state": [shown] * len(top),
                }
            )
            area = plot.varea(
                "x", "y1", "y2", source=source, color=colours[state], alpha=0.9, name=state
            )
            # Areas tell nothing under the pointer; their upper edges do.
            edge = plot.line(
                "x",
                "y2",
                source=source,
                color="#111111" if sheet.dark else "#ffffff",
                line_width=1,
                name=state,
            )
            edges.append(edge)
            if not panels:
                items.append(LegendItem(label={"value": shown}, renderers=[area, edge]))
            base = top
        plot.add_tools(
            HoverTool(
                renderers=edges,
                tooltips=[
                    ("state", "@state"),
                    axis.tooltip,
                    ("share of patients", "@share{0.0%}"),
                    ("n", "@n{0,0}"),
                ],
                formatters={"@x": "datetime"} if axis.is_calendar else {},
                mode="mouse",
                visible=False,
            )
        )
        panels.append(plot)
    # An entry of the legend stands for the state in all panels.
    for item in items:
        state = item.renderers[0].name
        item.renderers = [r for plot in panels for r in plot.renderers if r.name == state]
    sheet.add_legend(panels[0], items)
    return sheet.grid(panels)
