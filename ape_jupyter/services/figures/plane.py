"""What letters gained cost more: the incremental cost-effectiveness plane."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.services.figures.sheet import Sheet

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["cost_effectiveness_plane"]

HEIGHT = 440
_MARGIN = 0.15


def cost_effectiveness_plane(sheet: Sheet, estimates: pa.Table, ellipses: pa.Table) -> Figure:
    """Draw each comparator against the reference, with the region that may hold it."""
    from bokeh.models import ColumnDataSource, HoverTool, Label, LegendItem, Range1d, Span

    rows = estimates.to_pylist()
    currency = rows[0]["currency"] if rows and rows[0]["currency"] else "currency units"
    reference = sheet.labels[sheet.request.reference]
    plot = sheet.empty(f"Cost difference to {reference} ({currency} per patient)", height=HEIGHT)
    plot.xaxis.axis_label = "Letters gained more (ETDRS letters per patient)"
    for dimension in ("width", "height"):
        plot.add_layout(Span(location=0, dimension=dimension, line_color=sheet.ink))
    items = []
    points = []
    comparator = ellipses["comparator"].cast(pa.string())
    for row in rows:
        sim_id = row["comparator"]
        own = ellipses.filter(pc.equal(comparator, sim_id))
        colour = sheet.styles[sim_id].colour
        region = plot.patch(
            own["d_effect"].to_numpy(),
            own["d_cost"].to_numpy(),
            color=colour,
            fill_alpha=0.15,
            line_dash=sheet.styles[sim_id].dash,
            name=sim_id,
        )
        source = ColumnDataSource(
            {key: [value] for key, value in row.items()} | {"run": [sheet.labels[sim_id]]}
        )
        point = plot.scatter("d_effect", "d_cost", size=9, color=colour, source=source, name=sim_id)
        points.append(point)
        items.append(LegendItem(label={"value": sheet.labels[sim_id]}, renderers=[region, point]))
    for axis_name, column in (("x_range", "d_effect"), ("y_range", "d_cost")):
        ends = [0.0, *estimates[column].to_pylist(), *ellipses[column].to_pylist()]
        low, high = min(ends), max(ends)
        margin = _MARGIN * (high - low) or 1.0
        setattr(plot, axis_name, Range1d(low - margin, high + margin))
    corners = (
        ("left", "top", "worse and dearer"),
        ("right", "top", "better and dearer"),
        ("left", "bottom", "worse and cheaper"),
        ("right", "bottom", "better and cheaper"),
    )
    for side, end, text in corners:
        plot.add_layout(
            Label(
                x=plot.x_range.start if side == "left" else plot.x_range.end,
                y=plot.y_range.start if end == "bottom" else plot.y_range.end,
                x_offset=6 if side == "left" else -6,
                y_offset=4 if end == "bottom" else -4,
                text=text,
                text_align=side,
                text_baseline=end,
                text_color=sheet.ink,
                text_alpha=0.7,
                text_font_size="11px",
            )
        )
    plot.add_tools(
        HoverTool(
            renderers=points,
            tooltips=[
                ("run", "@run"),
                ("letters", "@d_effect{0.00} (@d_effect_low{0.00} to @d_effect_high{0.00})"),
                (currency, "@d_cost{0,0} (@d_cost_low{0,0} to @d_cost_high{0,0})"),
                (f"{currency} per letter", "@icer{0,0}"),
            ],
            visible=False,
        )
    )
    sheet.add_legend(plot, items)
    return plot
