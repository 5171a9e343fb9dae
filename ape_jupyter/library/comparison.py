"""The result of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ape_jupyter.model.comparison import (
    METRICS,
    MIN_VISITS_TO_MENTION,
    ComparisonRequest,
    ComparisonType,
    TimeAlignment,
)
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.plotting import figure

__all__ = ["ComparisonResult"]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult:
    """What a comparison found.

    Attributes
    ----------
    request : ComparisonRequest
        What was asked, with full ids.
    runs : tuple of SimulationMetadata
        The runs compared, in the order of the request.
    series : pyarrow.Table
        sim_id, metric, x, n, mean, sd, ci_low, ci_high, p10, p25, p50, p75, p90.
        ``x`` is the left edge of the bin: days since enrolment (relative), days since
        1970-01-01 (absolute) or share of the duration (normalized).
    differences : pyarrow.Table
        metric, reference, comparator, x, difference, ci_low, ci_high, p_value, n_reference,
        n_comparator; empty unless differences were asked for. difference = comparator −
        reference; the counts are of visits.
    provenance : mapping
        Digests and versions: enough to repeat the comparison.
    """

    request: ComparisonRequest
    runs: tuple[SimulationMetadata, ...]
    series: pa.Table
    differences: pa.Table
    provenance: Mapping[str, Any]

    @property
    def _is_difference(self) -> bool:
        return self.request.comparison_type is ComparisonType.DIFFERENCE

    def to_pandas(self) -> pd.DataFrame:
        """Return the differences when they were asked for, else the series.

        Absolute time comes as dates.
        """
        import pandas as pd

        table = self.differences if self._is_difference else self.series
        frame: pd.DataFrame = table.to_pandas()
        if self.request.time_alignment is TimeAlignment.ABSOLUTE:
            frame["x"] = pd.to_datetime(frame["x"], unit="D")
        return frame

    def figure(self, metric: str | None = None, *, dark: bool = False) -> figure:
        """Return a Bokeh figure of one metric (default: the first)."""
        from ape_jupyter.services.figures import difference_figure, overlay_figure

        chosen = METRICS[metric or self.request.metrics[0]]
        labels = {run.sim_id: run.name for run in self.runs}
        if self._is_difference:
            rows = _of_metric(self.differences, chosen.id)
            return difference_figure(rows, chosen, self.request, labels, dark=dark)
        rows = _of_metric(self.series, chosen.id)
        return overlay_figure(rows, chosen, self.request, labels, dark=dark)

    def summary(self, metric: str | None = None) -> str:
        """Say in two or three sentences what the comparison shows."""
        chosen = METRICS[metric or self.request.metrics[0]]
        names = {run.sim_id: run.name for run in self.runs}
        if self._is_difference:
            return self._difference_summary(chosen.id, chosen.unit, names)
        parts = []
        for run in self.runs:
            rows = self._well_observed(chosen.id, run.sim_id)
            if rows:
                last = rows[-1]
                parts.append(
                    f"{run.name} {rows[0]['mean']:.1f} to {last['mean']:.1f} "
                    f"({self._when(last['x'])})"
                )
            else:
                parts.append(f"{run.name} has too few visits to say")
        return f"Mean {chosen.label.lower()} in {chosen.unit}: {'; '.join(parts)}."

    def _difference_summary(self, metric: str, unit: str, names: Mapping[str, str]) -> str:
        reference = self.request.reference
        rows = _of_metric(self.differences, metric).to_pylist()
        sentences = []
        for run in self.runs:
            if run.sim_id == reference:
                continue
            own = [
                row
                for row in rows
                if row["comparator"] == run.sim_id
                and min(row["n_reference"], row["n_comparator"]) >= MIN_VISITS_TO_MENTION
            ]
            if not own:
                sentences.append(
                    f"{run.name} and {names[reference]} share no time with enough visits."
                )
                continue
            last = own[-1]
            sentences.append(
                f"{run.name} − {names[reference]}: {last['difference']:+.1f} {unit} "
                f"({self.request.confidence:.0%} interval {last['ci_low']:+.1f} to "
                f"{last['ci_high']:+.1f}) {self._when(last['x'])}."
            )
        return " ".join(sentences)

    def _well_observed(self, metric: str, sim_id: str) -> list[dict[str, Any]]:
        rows = _of_metric(self.series, metric).to_pylist()
        return [r for r in rows if r["sim_id"] == sim_id and r["n"] >= MIN_VISITS_TO_MENTION]

    def _when(self, x: float) -> str:
        if self.request.time_alignment is TimeAlignment.RELATIVE:
            return f"from day {x:.0f}"
        if self.request.time_alignment is TimeAlignment.NORMALIZED:
            return f"after {x:.0%} of the run"
        return f"in {date.fromordinal(_EPOCH_ORDINAL + int(x)):%B %Y}"

    def __repr__(self) -> str:
        names = ", ".join(run.name for run in self.runs)
        request = self.request
        kind = f"{request.comparison_type.value} of {', '.join(request.metrics)}"
        return f"ComparisonResult({kind}, {request.time_alignment.value} time: {names})"


def _of_metric(table: pa.Table, metric: str) -> pa.Table:
    return table.filter(pa.compute.equal(table["metric"].cast(pa.string()), metric))
