"""States over time: areas on top of each other that add up to all patients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.model.comparison import ComparisonRequest, Metric
from ape_jupyter.services.figures.canvas import PALETTE, empty_figure, finished, rows_of

if TYPE_CHECKING:
    from bokeh.models import LayoutDOM
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["stacked_states"]

PANEL_HEIGHT = 300
N_COLUMNS = 3
_LAST_STATE_COLOUR = "#B8B8B8"


def stacked_states(
    series: pa.Table,
    metric: Metric,
    request: ComparisonRequest,
    labels: Mapping[str, str],
    *,
    dark: bool = False,
) -> LayoutDOM:
    """Draw one panel per run, all with the same axes; the last has the legend."""
    from bokeh.layouts import gridplot
    from bokeh.models import NumeralTickFormatter, Range1d

    states = list(dict.fromkeys(series["state"].to_pylist()))
    panels: list[Figure] = []
    for sim_id in request.sim_ids:
        shared = {"x_range": panels[0].x_range, "y_range": panels[0].y_range} if panels else {}
        plot = empty_figure(
            request,
            f"{metric.label} ({metric.unit})",
            dark,
            title=labels[sim_id],
            **({"y_range": Range1d(0, 1)} | shared | {"height": PANEL_HEIGHT}),
        )
        plot.yaxis.formatter = NumeralTickFormatter(format="0%")
        own = series.filter(pc.equal(series["sim_id"].cast(pa.string()), sim_id))
        by_state = {s: rows_of(own, "state", s, request.time_alignment) for s in states}
        base = np.zeros(len(by_state[states[0]]["x"])) if states else np.empty(0)
        for code, (state, rows) in enumerate(by_state.items()):
            top = base + rows["mean"]
            # One state more than colours to tell apart: that nothing happens any more is grey.
            colour = PALETTE[code] if code < len(PALETTE) else _LAST_STATE_COLOUR
            plot.varea(
                rows["x"],
                base,
                top,
                color=colour,
                alpha=0.85,
                legend_label=state.replace("_", " ").lower(),
            )
            base = top
        panels.append(plot)
    for plot in panels[:-1]:
        for legend in plot.legend:
            legend.visible = False
    finished(panels[-1], dark)
    grid = gridplot(panels, ncols=min(N_COLUMNS, len(panels)), sizing_mode="stretch_width")
    grid.toolbar.logo = None
    return grid
