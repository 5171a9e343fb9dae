"""What all figures of one comparison have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.model.comparison import (
    MIN_VISITS_TO_MENTION,
    ComparisonRequest,
    Metric,
    TimeAlignment,
)
from ape_jupyter.services.figures.palette import INK, RunStyle, run_styles
from ape_jupyter.services.figures.time_axis import TimeAxis

if TYPE_CHECKING:
    from bokeh.models import LegendItem, Range1d, Row
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["OutputBackend", "Sheet", "is_share", "number_format", "of_run", "value_range"]

OutputBackend = Literal["canvas", "svg"]

HEIGHT = 380
_LEGEND_ROW_HEIGHT = 22
_LEGEND_WIDTH = 600
_CHARACTER_WIDTH = 7
_FONT_SIZE = "12px"
_MARGIN = 0.06
_PANEL_WIDTH = 260


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Draws empty figures that look alike.

    Attributes
    ----------
    labels : mapping
        From ids to what readers call the runs.
    with_legend : bool
        Off for panels of which another has the legend.
    """

    request: ComparisonRequest
    labels: Mapping[str, str]
    dark: bool = False
    with_legend: bool = True
    output_backend: OutputBackend = "canvas"
    styles: Mapping[str, RunStyle] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "styles", run_styles(self.request.sim_ids))

    @property
    def ink(self) -> str:
        """Colour of text and axes."""
        return INK[self.dark][0]

    @property
    def faint(self) -> str:
        """Colour of what is only for orientation."""
        return INK[self.dark][1]

    def time_axis(self, table: pa.Table) -> TimeAxis:
        """Return the axis on which all rows of a table have their place."""
        x = table["x"].to_numpy()
        last = float(x.max()) if len(x) else 1.0
        if self.request.time_alignment is TimeAlignment.ABSOLUTE:
            return TimeAxis(TimeAlignment.ABSOLUTE, float(x.min()) if len(x) else 0.0, last)
        first = min(0.0, float(x.min())) if len(x) else 0.0
        end = 1.0 if self.request.time_alignment is TimeAlignment.NORMALIZED else last
        return TimeAxis(self.request.time_alignment, first, end)

    def empty(self, y_label: str, *, title: str = "", **options: Any) -> Figure:
        """Return a figure without content."""
        from bokeh.models import PlainText, Title, WheelZoomTool
        from bokeh.plotting import figure

        plot = figure(
            sizing_mode="stretch_width",
            tools="pan,box_zoom,reset,save",
            # Canvas by default: without a GPU, WebGL draws these ten times slower.
            output_backend=self.output_backend,
            **{"height": HEIGHT, "toolbar_location": "above", **options},
        )
        # Names are never TeX: for that, Bokeh would ask a server on the internet.
        if title:
            plot.title = Title(text=PlainText(title))
        plot.yaxis.axis_label = PlainText(y_label)
        # Zooming is not the wheel's job until it is chosen: the page must stay scrollable.
        plot.add_tools(WheelZoomTool())
        plot.toolbar.active_scroll = None
        plot.toolbar.logo = None
        plot.toolbar.autohide = True
        self.colour(plot)
        return plot

    def colour(self, plot: Figure) -> None:
        """Let a figure fit to a light or dark page."""
        plot.background_fill_alpha = plot.border_fill_alpha = 0
        plot.outline_line_color = None
        for axis in plot.axis:
            axis.axis_label_text_color = axis.major_label_text_color = self.ink
            axis.axis_line_color = axis.major_tick_line_color = self.ink
            axis.minor_tick_line_color = None
            axis.axis_label_text_font_style = "normal"
            axis.axis_label_text_font_size = axis.major_label_text_font_size = _FONT_SIZE
        for line in plot.grid:
            line.grid_line_color = self.faint
        plot.xgrid.grid_line_color = None
        plot.title.text_color = self.ink
        plot.title.text_font_size = "13px"

    def add_legend(self, plot: Figure, items: Sequence[LegendItem]) -> None:
        """Put a legend below a figure: a click hides what belongs to an entry."""
        from bokeh.models import Legend

        if not self.with_legend or not items:
            return
        longest = max(len(str(item.label["value"])) for item in items)
        n_columns = max(1, min(len(items), _LEGEND_WIDTH // (_CHARACTER_WIDTH * longest + 45)))
        legend = Legend(
            items=list(items),
            click_policy="hide",
            ncols=n_columns,
            location="left",
            label_text_color=self.ink,
            label_text_font_size=_FONT_SIZE,
            background_fill_alpha=0,
            inactive_fill_color=self.faint,
            border_line_color=None,
            padding=2,
            spacing=4,
        )
        plot.add_layout(legend, "below")
        plot.height += _LEGEND_ROW_HEIGHT * -(-len(items) // n_columns)

    def grid(self, panels: Sequence[Figure]) -> Row:
        """Put figures beside each other, as many in a row as the page has room for."""
        from bokeh.layouts import row

        for plot in panels:
            plot.min_width = _PANEL_WIDTH
            plot.styles = {"flex": f"1 1 {_PANEL_WIDTH}px"}
        return row(*panels, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})


def of_run(table: pa.Table, column: str, value: str) -> dict[str, Any]:
    """Return the numbers of one run, or one state."""
    chosen = table.filter(pc.equal(table[column].cast(pa.string()), value))
    return {
        name: chosen[name].to_numpy()
        for name in chosen.column_names
        if not pa.types.is_dictionary(chosen.schema.field(name).type)
    }


def is_share(metric: Metric) -> bool:
    """Tell whether values are shares, to be shown as per cent."""
    return metric.unit == "share of patients"


def number_format(metric: Metric) -> str:
    """Return how Bokeh writes values of a metric."""
    if is_share(metric):
        return "0.0%"
    # Money of which a patient costs thousands has no use for cents; rates have for hundredths.
    if metric.id.startswith("cost"):
        return "0,0"
    return "0,0.00" if metric.unit == "per patient-year" else "0,0.0"


def value_range(
    table: pa.Table, columns: Sequence[str], sizes: pa.ChunkedArray, *, from_zero: bool = False
) -> Range1d:
    """Return a range in which the wide intervals of a few last visits flatten nothing else."""
    from bokeh.models import Range1d

    observed = table.filter(pc.greater_equal(sizes, MIN_VISITS_TO_MENTION))
    for rows in (observed, table):
        ends = np.concatenate([rows[name].to_numpy() for name in columns])
        ends = ends[np.isfinite(ends)]
        if len(ends):
            bottom, top = float(ends.min()), float(ends.max())
            if from_zero:
                bottom = min(0.0, bottom)
            margin = _MARGIN * (top - bottom) or 0.5
            return Range1d(bottom if from_zero and bottom == 0 else bottom - margin, top + margin)
    return Range1d(0, 1)
