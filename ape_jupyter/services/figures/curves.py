"""Curves over time: all runs in one axis, each in its own, or their differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.model.comparison import ComparisonRequest, Metric, TimeAlignment
from ape_jupyter.services.figures.canvas import (
    DASHES,
    INK,
    PALETTE,
    X_LABELS,
    empty_figure,
    finished,
    is_share,
    number_format,
    rows_of,
    show_well_observed,
)

if TYPE_CHECKING:
    from bokeh.models import LayoutDOM
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["Curves"]

MAX_SINGLE_GLYPHS = 20
"""With more runs one glyph draws all lines: Bokeh takes a second for 200 single ones."""
PANEL_HEIGHT = 260
N_COLUMNS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Draws curves of one metric.

    Attributes
    ----------
    labels : mapping
        From ids to what readers call the runs.
    """

    metric: Metric
    request: ComparisonRequest
    labels: Mapping[str, str]
    dark: bool = False

    def overlay(self, series: pa.Table) -> Figure:
        """Draw the mean of every run with its confidence band into one axis."""
        plot = self._empty(f"{self.metric.label} ({self.metric.unit})")
        sim_ids = self.request.sim_ids
        if len(sim_ids) > MAX_SINGLE_GLYPHS:
            self._draw_many(plot, series)
        else:
            for i, sim_id in enumerate(sim_ids):
                self._draw(plot, self._rows(series, "sim_id", sim_id), "mean", sim_id, i)
        show_well_observed(plot, series, series["n"])
        return finished(plot, self.dark)

    def side_by_side(self, series: pa.Table) -> LayoutDOM:
        """Draw every run into a panel of its own; zooming one zooms all."""
        from bokeh.layouts import gridplot

        panels: list[Figure] = []
        for i, sim_id in enumerate(self.request.sim_ids):
            shared = {"x_range": panels[0].x_range, "y_range": panels[0].y_range} if panels else {}
            plot = self._empty(
                self.metric.unit, title=self.labels[sim_id], **{**shared, "height": PANEL_HEIGHT}
            )
            if not panels:
                show_well_observed(plot, series, series["n"])
            self._draw(plot, self._rows(series, "sim_id", sim_id), "mean", None, i)
            panels.append(plot)
        grid = gridplot(
            panels, ncols=min(N_COLUMNS, len(panels)), sizing_mode="stretch_width", merge_tools=True
        )
        grid.toolbar.logo = None
        return grid

    def differences(self, differences: pa.Table) -> Figure:
        """Draw comparator − reference of every other run, with band and zero line."""
        from bokeh.models import Span

        reference = self.labels[self.request.reference]
        plot = self._empty(f"Difference to {reference} ({self.metric.unit})")
        ink, _ = INK[self.dark]
        plot.add_layout(Span(location=0, dimension="width", line_color=ink, line_dash="dashed"))
        for i, sim_id in enumerate(self.request.sim_ids):
            if sim_id != self.request.reference:
                rows = self._rows(differences, "comparator", sim_id)
                self._draw(plot, rows, "difference", sim_id, i, f" − {reference}")
        fewest = pc.min_element_wise(differences["n_reference"], differences["n_comparator"])
        show_well_observed(plot, differences, fewest)
        return finished(plot, self.dark)

    def _empty(self, label: str, **options: Any) -> Figure:
        plot = empty_figure(self.request, label, self.dark, **options)
        if is_share(self.metric):
            from bokeh.models import NumeralTickFormatter

            plot.yaxis.formatter = NumeralTickFormatter(format="0%")
        return plot

    def _rows(self, table: pa.Table, column: str, sim_id: str) -> dict[str, Any]:
        rows = rows_of(table, column, sim_id, self.request.time_alignment)
        if self.metric.id != "persistence":
            return rows
        # A probability holds until the next event: steps, for the band as well.
        before = {name: np.repeat(values, 2)[:-1] for name, values in rows.items()}
        return before | {"x": np.repeat(rows["x"], 2)[1:]} if len(rows["x"]) else rows

    def _draw(
        self,
        plot: Figure,
        rows: dict[str, Any],
        value: str,
        sim_id: str | None,
        position: int,
        suffix: str = "",
    ) -> None:
        from bokeh.models import ColumnDataSource, HoverTool

        colour = PALETTE[position % len(PALETTE)]
        dash = DASHES[position // len(PALETTE) % len(DASHES)]
        label = self.labels[sim_id or self.request.sim_ids[position]] + suffix
        source = ColumnDataSource({**rows, "run": np.full(len(rows["x"]), label)})
        legend = {} if sim_id is None else {"legend_label": label}
        plot.varea("x", "ci_low", "ci_high", source=source, color=colour, alpha=0.18, **legend)
        line = plot.line(
            "x", value, source=source, color=colour, line_width=2, line_dash=dash, **legend
        )
        is_date = self.request.time_alignment is TimeAlignment.ABSOLUTE
        x_label = X_LABELS[self.request.time_alignment]
        when = ("month", "@x{%Y-%m}") if is_date else (x_label, "@x{0.[00]}")
        form = number_format(self.metric)
        sizes = "@n{0,0}" if "n" in rows else "@n_comparator{0,0} and @n_reference{0,0}"
        plot.add_tools(
            HoverTool(
                renderers=[line],
                tooltips=[
                    ("run", "@run"),
                    when,
                    (self.metric.unit, f"@{value}{{{form}}}"),
                    (
                        f"{self.request.confidence:.0%} interval",
                        f"@ci_low{{{form}}} to @ci_high{{{form}}}",
                    ),
                    ("n", sizes),
                ],
                formatters={"@x": "datetime"} if is_date else {},
                mode="mouse",
                visible=False,
            )
        )

    def _draw_many(self, plot: Figure, series: pa.Table) -> None:
        from bokeh.models import HoverTool

        rows = [self._rows(series, "sim_id", sim_id) for sim_id in self.request.sim_ids]
        n = len(rows)
        source = {
            "xs": [own["x"] for own in rows],
            "ys": [own["mean"] for own in rows],
            "run": [self.labels[sim_id] for sim_id in self.request.sim_ids],
            "colour": [PALETTE[i % len(PALETTE)] for i in range(n)],
        }
        lines = plot.multi_line("xs", "ys", color="colour", source=source, line_alpha=0.7)
        plot.add_tools(HoverTool(renderers=[lines], tooltips=[("run", "@run")], visible=False))
