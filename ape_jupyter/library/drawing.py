"""Figures of a comparison's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import ComparisonType, Metric
from ape_jupyter.model.figures import FigureKind
from ape_jupyter.services.figures import (
    Curves,
    OutputBackend,
    Sheet,
    box_plot,
    cost_effectiveness_plane,
    forest_plot,
    stacked_states,
    survival_figure,
)

if TYPE_CHECKING:
    from bokeh.models import LayoutDOM

    from ape_jupyter.library.comparison import ComparisonResult

__all__ = ["draw"]

_PANEL_HEIGHT = 260
_BY_TYPE = {
    ComparisonType.OVERLAY: FigureKind.OVERLAY,
    ComparisonType.SIDE_BY_SIDE: FigureKind.SIDE_BY_SIDE,
    ComparisonType.DIFFERENCE: FigureKind.DIFFERENCE,
    ComparisonType.STATISTICAL: FigureKind.FOREST,
}
_OF_SERIES = (FigureKind.OVERLAY, FigureKind.SIDE_BY_SIDE)


def draw(
    result: ComparisonResult,
    metric: Metric,
    kind: FigureKind | str | None,
    *,
    state: str | None = None,
    dark: bool = False,
    output_backend: OutputBackend = "canvas",
) -> LayoutDOM:
    """Draw a metric of a comparison; see :meth:`ComparisonResult.figure`."""
    request = result.request
    names = {run.sim_id: run.name for run in result.runs}
    sheet = Sheet(
        request=request,
        labels={sim_id: names[sim_id] for sim_id in request.sim_ids},
        dark=dark,
        output_backend=output_backend,
    )
    series = _rows(result.series, metric)
    has_states = any(series["state"].unique().to_pylist())
    chosen = _kind(kind) or _suggested(request.comparison_type, metric, has_states=has_states)
    _check(result, metric, chosen, has_states=has_states)
    curves = Curves(sheet=sheet, metric=metric)
    drawings: Mapping[FigureKind, Callable[[], LayoutDOM]] = {
        FigureKind.OVERLAY: lambda: curves.overlay(series),
        FigureKind.PERCENTILES: lambda: curves.percentiles(series),
        FigureKind.BOXES: lambda: box_plot(sheet, metric, series),
        FigureKind.SIDE_BY_SIDE: lambda: curves.side_by_side(series),
        FigureKind.SMALL_MULTIPLES: lambda: _small_multiples(result, sheet),
        FigureKind.DIFFERENCE: lambda: curves.differences(
            _of_state(_rows(result.differences, metric), state)
        ),
        FigureKind.FOREST: lambda: forest_plot(sheet, _rows(result.tests, metric), metric),
        FigureKind.SURVIVAL: lambda: survival_figure(sheet, metric, series),
        FigureKind.STATES: lambda: stacked_states(sheet, series),
        FigureKind.COST_EFFECTIVENESS: lambda: cost_effectiveness_plane(
            sheet, _of_all(result.cost_effectiveness), _of_all(result.confidence_ellipses())
        ),
    }
    return drawings[chosen]()


def _small_multiples(result: ComparisonResult, sheet: Sheet) -> LayoutDOM:
    tables = {metric.id: _rows(result.series, metric) for metric in result.metrics}
    curved = [m for m in result.metrics if not any(tables[m.id]["state"].unique().to_pylist())]
    panels = [
        Curves(sheet=replace(sheet, with_legend=i == 0), metric=metric).overlay(
            tables[metric.id], height=_PANEL_HEIGHT
        )
        for i, metric in enumerate(curved)
    ]
    if not panels:
        raise InvalidArgumentError("Metrics with states have no curves; draw the kind 'states'.")
    for plot in panels[1:]:
        plot.x_range = panels[0].x_range
    return sheet.grid(panels)


def _kind(kind: FigureKind | str | None) -> FigureKind | None:
    if kind is None:
        return None
    try:
        return FigureKind(kind)
    except ValueError:
        known = ", ".join(FigureKind)
        raise InvalidArgumentError(f"No figure of the kind {kind!r}, only: {known}.") from None


def _suggested(comparison_type: ComparisonType, metric: Metric, *, has_states: bool) -> FigureKind:
    suggested = _BY_TYPE[comparison_type]
    if has_states and suggested in _OF_SERIES:
        return FigureKind.STATES
    if metric.id == "persistence" and suggested is FigureKind.OVERLAY:
        return FigureKind.SURVIVAL
    return suggested


def _check(result: ComparisonResult, metric: Metric, kind: FigureKind, *, has_states: bool) -> None:
    """Refuse what the comparison has no numbers for."""
    comparison_type = result.request.comparison_type
    reason = None
    if kind is FigureKind.FOREST and comparison_type is not ComparisonType.STATISTICAL:
        reason = "Effect sizes are of the comparison type 'statistical'."
    elif kind is FigureKind.DIFFERENCE and comparison_type not in (
        ComparisonType.DIFFERENCE,
        ComparisonType.STATISTICAL,
    ):
        reason = "Differences are of the comparison types 'difference' and 'statistical'."
    elif kind is FigureKind.SURVIVAL and metric.id != "persistence":
        reason = f"{metric.label} is no survival; the metric 'persistence' is."
    elif kind is FigureKind.STATES and result.series.num_rows and not has_states:
        reason = f"{metric.label} has no states."
    elif kind is FigureKind.COST_EFFECTIVENESS and not result.request.cost_effectiveness:
        reason = "Compare with cost_effectiveness=True to set costs against letters."
    elif has_states and kind in (*_OF_SERIES, FigureKind.PERCENTILES, FigureKind.BOXES):
        reason = f"{metric.label} has states; draw the kind 'states', or 'difference'."
    if reason:
        raise InvalidArgumentError(reason)


def _rows(table: pa.Table, metric: Metric) -> pa.Table:
    return _of_all(table.filter(pc.equal(table["metric"].cast(pa.string()), metric.id)))


def _of_all(table: pa.Table) -> pa.Table:
    """Return the rows of all patients, not of subgroups."""
    return table.filter(pc.equal(table["by"].cast(pa.string()), ""))


def _of_state(differences: pa.Table, state: str | None) -> pa.Table:
    names = differences["state"].cast(pa.string())
    states = list(dict.fromkeys(names.to_pylist()))
    if state is None and not any(states):
        return differences
    if state is not None and state not in states:
        raise InvalidArgumentError(f"No state {state!r}, only: {', '.join(states)}.")
    return differences.filter(pc.equal(names, state or states[0]))
