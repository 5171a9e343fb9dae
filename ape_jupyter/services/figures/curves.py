"""Curves over time: all runs in one axis, each in its own, or their differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import Metric
from ape_jupyter.services.figures.sheet import (
    Sheet,
    is_share,
    number_format,
    of_run,
    value_range,
)
from ape_jupyter.services.figures.time_axis import TimeAxis

if TYPE_CHECKING:
    from bokeh.models import GlyphRenderer, LegendItem, Row
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["MAX_SINGLE_GLYPHS", "Curves", "percentiles_of"]

MAX_SINGLE_GLYPHS = 20
"""With more runs one glyph draws all lines: Bokeh takes a second for 200 single ones."""
MAX_BANDS = 6
"""With more runs, bands are one grey heap; intervals are under the pointer and in tables."""
MAX_WIDE_BANDS = 4
"""With more runs, only the middle half is drawn, and not the middle 80 %."""
PANEL_HEIGHT = 240
_INTERVAL = ("ci_low", "ci_high")
_HALF = ("p25", "p75")
_MOST = ("p10", "p90")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Draws curves of one metric."""

    sheet: Sheet
    metric: Metric

    def overlay(self, series: pa.Table, **options: Any) -> Figure:
        """Draw the mean of every run with its confidence band into one axis."""
        return self._all_in_one(series, "mean", [_INTERVAL], self._level, **options)

    def percentiles(self, series: pa.Table) -> Figure:
        """Draw the median of every run with the middle half and, of a few runs, 80 %."""
        known = percentiles_of(series, self.metric)
        is_few = len(self.sheet.request.sim_ids) <= MAX_WIDE_BANDS
        return self._all_in_one(known, "p50", [_HALF, *[_MOST] * is_few], "middle half")

    def side_by_side(self, series: pa.Table) -> Row:
        """Draw every run into a panel of its own, above the others; zooming one zooms all."""
        axis = self.sheet.time_axis(series)
        curves = self._by_run(series, axis)
        panels: list[Figure] = []
        # A page of fifty panels shows nothing, and takes seconds.
        for sim_id in self.sheet.request.sim_ids[:MAX_SINGLE_GLYPHS]:
            plot = self._plot(
                self._unit_label,
                axis,
                title=self.sheet.labels[sim_id],
                height=PANEL_HEIGHT,
            )
            if panels:
                plot.x_range, plot.y_range = panels[0].x_range, panels[0].y_range
            else:
                plot.y_range = self._range(series, _INTERVAL)
            others = [rows for own, rows in curves.items() if own != sim_id]
            plot.multi_line(
                [rows["x"] for rows in others],
                [rows["mean"] for rows in others],
                line_color=self.sheet.ink,
                line_alpha=0.18,
            )
            if sim_id in curves:
                drawn = self._draw(plot, sim_id, curves[sim_id], "mean", [_INTERVAL])
                self._hover(plot, axis, drawn[-1:], "mean", _INTERVAL, self._level)
            panels.append(plot)
        return self.sheet.grid(panels)

    def differences(self, differences: pa.Table) -> Figure:
        """Draw comparator − reference of every other run, with band and zero line."""
        from bokeh.models import Span

        request, labels = self.sheet.request, self.sheet.labels
        axis = self.sheet.time_axis(differences)
        plot = self._plot(f"Difference to {labels[request.reference]} ({self.metric.unit})", axis)
        plot.add_layout(
            Span(location=0, dimension="width", line_color=self.sheet.ink, line_dash="dashed")
        )
        fewest = pc.min_element_wise(differences["n_reference"], differences["n_comparator"])
        plot.y_range = value_range(differences, _INTERVAL, fewest)
        curves = {
            sim_id: self._rows(differences, "comparator", sim_id, axis)
            for sim_id in request.sim_ids
            if sim_id != request.reference
        }
        self._draw_all(plot, axis, curves, ("difference", [_INTERVAL]), self._level)
        return plot

    def _all_in_one(
        self,
        series: pa.Table,
        value: str,
        bands: Sequence[tuple[str, str]],
        name: str,
        **options: Any,
    ) -> Figure:
        axis = self.sheet.time_axis(series)
        plot = self._plot(self._label, axis, **options)
        plot.y_range = self._range(series, bands[-1])
        self._draw_all(plot, axis, self._by_run(series, axis), (value, bands), name)
        return plot

    def _draw_all(
        self,
        plot: Figure,
        axis: TimeAxis,
        curves: dict[str, dict[str, Any]],
        columns: tuple[str, Sequence[tuple[str, str]]],
        band_name: str,
    ) -> None:
        from bokeh.models import LegendItem

        value, bands = columns
        if len(self.sheet.request.sim_ids) > MAX_SINGLE_GLYPHS:
            self._draw_as_one(plot, curves, value)
            return
        items: list[LegendItem] = []
        lines: list[GlyphRenderer] = []
        for sim_id, rows in curves.items():
            drawn = self._draw(plot, sim_id, rows, value, bands if len(curves) <= MAX_BANDS else [])
            lines.append(drawn[-1])
            label = {"value": self.sheet.labels[sim_id]}
            items.append(LegendItem(label=label, renderers=drawn))
        self._hover(plot, axis, lines, value, bands[0], band_name)
        self.sheet.add_legend(plot, items)

    @property
    def _level(self) -> str:
        return f"{self.sheet.request.confidence:.0%} interval"

    @property
    def _label(self) -> str:
        return f"{self.metric.label} ({self.metric.unit})"

    @property
    def _unit_label(self) -> str:
        return f"{self.metric.unit[0].upper()}{self.metric.unit[1:]}"

    def _range(self, series: pa.Table, columns: tuple[str, str]) -> Any:
        from bokeh.models import Range1d

        if self.metric.id == "persistence":
            return Range1d(0, 1.02)
        adds_up = self.metric.id in ("injections", "visits") or self.metric.id.startswith("cost")
        return value_range(series, columns, series["n"], from_zero=adds_up or is_share(self.metric))

    def _plot(self, label: str, axis: TimeAxis, **options: Any) -> Figure:
        from bokeh.models import NumeralTickFormatter

        kind = "datetime" if axis.is_calendar else "linear"
        plot = self.sheet.empty(label, x_axis_type=kind, **options)
        axis.draw_on(plot)
        form = "0.[0]%" if is_share(self.metric) else "0,0.[00]"
        plot.yaxis.formatter = NumeralTickFormatter(format=form)
        return plot

    def _by_run(self, series: pa.Table, axis: TimeAxis) -> dict[str, dict[str, Any]]:
        rows = {
            sim_id: self._rows(series, "sim_id", sim_id, axis)
            for sim_id in self.sheet.request.sim_ids
        }
        return {sim_id: own for sim_id, own in rows.items() if len(own["x"])}

    def _rows(self, table: pa.Table, column: str, value: str, axis: TimeAxis) -> dict[str, Any]:
        rows = of_run(table, column, value)
        rows |= {"day": rows["x"], "x": axis.shown(rows["x"])}
        if self.metric.id != "persistence" or not len(rows["x"]):
            return rows
        # A probability holds until the next event: steps, for the band as well.
        before = {name: np.repeat(values, 2)[:-1] for name, values in rows.items()}
        return before | {"x": np.repeat(rows["x"], 2)[1:]}

    def _draw(
        self,
        plot: Figure,
        sim_id: str,
        rows: dict[str, Any],
        value: str,
        bands: Sequence[tuple[str, str]],
    ) -> list[GlyphRenderer]:
        """Draw a run; the line comes last. By name, a legend finds what belongs to a run."""
        from bokeh.models import ColumnDataSource

        style = self.sheet.styles[sim_id]
        source = ColumnDataSource({**rows, "run": [self.sheet.labels[sim_id]] * len(rows["x"])})
        drawn = [
            plot.varea("x", low, high, source=source, color=style.colour, alpha=alpha, name=sim_id)
            for (low, high), alpha in zip(bands, (0.2, 0.1), strict=False)
        ]
        line = plot.line(
            "x",
            value,
            source=source,
            color=style.colour,
            line_width=2,
            line_dash=style.dash,
            name=sim_id,
        )
        return [*drawn, line]

    def _hover(
        self,
        plot: Figure,
        axis: TimeAxis,
        lines: Sequence[GlyphRenderer],
        value: str,
        band: tuple[str, str],
        band_name: str,
    ) -> None:
        from bokeh.models import HoverTool

        form = number_format(self.metric)
        low, high = band
        sizes = "@n_comparator{0,0} and @n_reference{0,0}" if value == "difference" else "@n{0,0}"
        names = {"mean": self.metric.unit, "p50": f"median, {self.metric.unit}"}
        plot.add_tools(
            HoverTool(
                renderers=list(lines),
                tooltips=[
                    ("run", "@run"),
                    axis.tooltip,
                    (names.get(value, f"difference, {self.metric.unit}"), f"@{value}{{{form}}}"),
                    (band_name, f"@{low}{{{form}}} to @{high}{{{form}}}"),
                    ("n", sizes),
                ],
                formatters={"@x": "datetime"} if axis.is_calendar else {},
                mode="mouse",
                point_policy="snap_to_data",
                line_policy="nearest",
                visible=False,
            )
        )

    def _draw_as_one(self, plot: Figure, curves: dict[str, dict[str, Any]], value: str) -> None:
        from bokeh.models import HoverTool

        reference = self.sheet.request.reference
        columns: dict[str, list[Any]] = {
            "key": list(curves),
            "xs": [rows["x"] for rows in curves.values()],
            "ys": [rows[value] for rows in curves.values()],
            "run": [self.sheet.labels[sim_id] for sim_id in curves],
            "colour": [self.sheet.styles[sim_id].colour for sim_id in curves],
            "width": [3.0 if sim_id == reference else 1.3 for sim_id in curves],
            "alpha": [0.8] * len(curves),
        }
        lines = plot.multi_line(
            "xs",
            "ys",
            color="colour",
            line_width="width",
            line_alpha="alpha",
            hover_line_color=self.sheet.ink,
            hover_line_alpha=1.0,
            source=columns,
        )
        form = number_format(self.metric)
        plot.add_tools(
            HoverTool(
                renderers=[lines],
                tooltips=[("run", "@run"), (self.metric.unit, f"$y{{{form}}}")],
                line_policy="interp",
                visible=False,
            )
        )


def percentiles_of(series: pa.Table, metric: Metric) -> pa.Table:
    """Return the rows that have percentiles.

    Raises
    ------
    InvalidArgumentError
        For a metric whose values are not spread over patients, like a share.
    """
    known = series.filter(pc.is_finite(series["p50"]))
    if series.num_rows and not known.num_rows:
        raise InvalidArgumentError(
            f"{metric.label} has no percentiles: it is not a value that each patient has."
        )
    return known
