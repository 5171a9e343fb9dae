"""The result of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.conclusions import Conclusions
from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Metric,
    MissingMetric,
    TimeAlignment,
)
from ape_jupyter.model.figures import FigureKind
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.results.summary.axis import DAYS_PER_YEAR

if TYPE_CHECKING:
    import pandas as pd
    from bokeh.models import LayoutDOM

    from ape_jupyter.services.figures import OutputBackend

__all__ = ["ComparisonResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult:
    """What a comparison found.

    All tables but that of protocols have ``by`` and ``subgroup``: a column of the patients and
    what those of the row have in it; both are empty in the rows of all patients.

    Attributes
    ----------
    request : ComparisonRequest
        What was asked, with full ids; of pooled replicates, those of their arms.
    runs : tuple of SimulationMetadata
        The runs compared, in the order of the request.
    metrics : tuple of Metric
        What was compared, with labels, units and directions.
    series : pyarrow.Table
        sim_id, metric, x, n, mean, sd, ci_low, ci_high, p10, p25, p50, p75, p90, state.
        ``x`` is the left edge of the bin: days since enrolment (relative), days since
        1970-01-01 (absolute) or share of the duration (normalized). ``n`` counts what a value
        rests on: visits or patients; injections for rates, patients at risk for persistence,
        working days for workloads.
    differences : pyarrow.Table
        metric, reference, comparator, x, difference, ci_low, ci_high, p_value, n_reference,
        n_comparator, state; empty for an overlay or side by side. difference = comparator −
        reference.
    tests : pyarrow.Table
        metric, reference, comparator, time, test, statistic, p_value, p_holm, p_bh, effect,
        effect_size, effect_low, effect_high, state, time_point, n_reference, n_comparator,
        difference, difference_low, difference_high; empty unless tests were asked for.
        p-values are adjusted over the whole table.
    distributions : pyarrow.Table
        sim_id, metric, time, time_point, value, count; empty unless asked for.
    cost_effectiveness : pyarrow.Table
        A row for each comparator that has costs; empty unless asked for. ``d_cost`` and
        ``d_effect`` are comparator − reference, ``icer`` is their ratio.
    protocol_diff : pyarrow.Table
        reference, comparator, path, old, new, unit: what each run has otherwise than the reference.
    missing : tuple of MissingMetric
        Runs that are left out of a metric, and why.
    notes : tuple of str
        What a reader should know of how the numbers were made.
    provenance : mapping
        Parameters, digests and versions: enough to repeat the comparison.
    """

    request: ComparisonRequest
    runs: tuple[SimulationMetadata, ...]
    metrics: tuple[Metric, ...]
    series: pa.Table
    differences: pa.Table
    tests: pa.Table
    distributions: pa.Table
    cost_effectiveness: pa.Table
    protocol_diff: pa.Table
    missing: tuple[MissingMetric, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]

    @property
    def leading_table(self) -> str:
        """The name of the table that was asked for: tests, differences or else series."""
        return {
            ComparisonType.DIFFERENCE: "differences",
            ComparisonType.STATISTICAL: "tests",
        }.get(self.request.comparison_type, "series")

    def tables(self, *, dated: bool = False) -> dict[str, pa.Table]:
        """Return all tables by name; what was not asked for is empty.

        Parameters
        ----------
        dated : bool
            Whether days of the calendar come as dates and not as their numbers.
        """
        names = ("tests", "differences", "series", "cost_effectiveness", "distributions")
        tables = {name: getattr(self, name) for name in (*names, "protocol_diff")}
        if dated and self.request.time_alignment is TimeAlignment.ABSOLUTE:
            return {name: _with_dates(table) for name, table in tables.items()}
        return tables

    def save(self, path: str | PathLike[str]) -> list[Path]:
        """Write the comparison as the suffix says: ``.parquet``, ``.csv`` or ``.html``.

        A page of HTML has figures, sentences and tables, and needs no network. As Parquet or CSV
        the file has the table of :meth:`to_pandas`; beside it are the other tables, as
        ``<name>.series.csv`` and so on, and ``<name>.json`` with what repeats the comparison.
        Files of these names are replaced.

        Returns
        -------
        list of Path
            The files, the one asked for among them.

        Raises
        ------
        InvalidArgumentError
            For another suffix, or a place where no file can be written.
        OutOfSpaceError
            If the disk is full.
        """
        # Writers of files are not loaded for who only looks.
        from ape_jupyter.library.saving import save_comparison

        return save_comparison(self, path)

    def at_risk(self, times: Sequence[float] | None = None) -> pa.Table:
        """Return how many patients of each run are still at risk: on treatment and seen.

        Parameters
        ----------
        times : sequence of float, optional
            Days since enrolment; the beginning of the bin counts. Default: each year.

        Returns
        -------
        pyarrow.Table
            sim_id, x, n, by, subgroup; empty unless ``persistence`` was compared.
        """
        rows = _where(self.series, "metric", "persistence")
        width = self.request.bin_width
        longest = max((run.duration_years for run in self.runs), default=0.0)
        if times is None:
            times = [year * DAYS_PER_YEAR for year in range(int(longest) + 1)]
        edges = [float(time // width * width) for time in times]
        chosen = rows.filter(pc.is_in(rows["x"], pa.array(edges, pa.float64())))
        return chosen.select(["sim_id", "x", "n", "by", "subgroup"])

    def acceptability(self, thresholds: Sequence[float] | None = None) -> pa.Table:
        """Return how probable it is that each comparator is worth its cost.

        Parameters
        ----------
        thresholds : sequence of float, optional
            What a letter is worth, in the currency of the costs. Default: a hundred steps from 0
            to three times the largest ratio of cost to letters.

        Returns
        -------
        pyarrow.Table
            comparator, threshold, probability, net_benefit (threshold·ΔE − ΔC), by, subgroup; empty
            unless ``cost_effectiveness`` was asked for.
        """
        from ape_jupyter.services.compare.planes import acceptability_table

        return acceptability_table(self.cost_effectiveness, thresholds)

    def confidence_ellipses(self, n_points: int = 100) -> pa.Table:
        """Return where in the cost-effectiveness plane each comparator may lie.

        Returns
        -------
        pyarrow.Table
            comparator, d_effect, d_cost, by, subgroup: points of closed curves that hold both
            differences with the comparison's confidence.
        """
        from ape_jupyter.services.compare.planes import ellipse_table

        return ellipse_table(self.cost_effectiveness, self.request.confidence, n_points)

    def to_pandas(self) -> pd.DataFrame:
        """Return the tests or the differences when they were asked for, else the series.

        Absolute time comes as dates.
        """
        import pandas as pd

        kind = self.request.comparison_type
        table, time = self.series, "x"
        if kind is ComparisonType.DIFFERENCE:
            table = self.differences
        elif kind is ComparisonType.STATISTICAL:
            table, time = self.tests, "time"
        frame: pd.DataFrame = table.to_pandas()
        if self.request.time_alignment is TimeAlignment.ABSOLUTE:
            frame[time] = pd.to_datetime(frame[time], unit="D")
        return frame

    def figure(
        self,
        metric: str | None = None,
        *,
        kind: FigureKind | str | None = None,
        state: str | None = None,
        dark: bool = False,
        output_backend: OutputBackend = "canvas",
    ) -> LayoutDOM:
        """Return a Bokeh figure of one metric (default: the first).

        Parameters
        ----------
        kind : FigureKind, optional
            What to draw; what the comparison type and the metric suggest by default.
            ``small_multiples`` draws all metrics of the comparison.
        state : str, optional
            Of a metric with states, the one of which differences are drawn; the first by default.
        output_backend : {"canvas", "svg"}
            In what the page draws, and what its button to save then saves.

        Raises
        ------
        InvalidArgumentError
            For a metric, kind or state that the comparison does not have.
        """
        from ape_jupyter.library.drawing import draw

        return draw(
            self,
            self._metric(metric),
            kind,
            state=state,
            dark=dark,
            output_backend=output_backend,
        )

    def summary(self, metric: str | None = None) -> str:
        """Say in two or three sentences what the comparison shows of a metric."""
        conclusions = Conclusions(
            request=self.request,
            names=self._names,
            series=self.series,
            differences=self.differences,
            tests=self.tests,
            cost_effectiveness=self.cost_effectiveness,
            missing=self.missing,
        )
        return conclusions.of(self._metric(metric))

    @property
    def _names(self) -> dict[str, str]:
        names = {run.sim_id: run.name for run in self.runs}
        return {sim_id: names[sim_id] for sim_id in self.request.sim_ids}

    def _metric(self, id_: str | None) -> Metric:
        if id_ is None:
            return self.metrics[0]
        for metric in self.metrics:
            if metric.id == id_:
                return metric
        known = ", ".join(metric.id for metric in self.metrics)
        raise InvalidArgumentError(f"{id_!r} was not compared, only: {known}.")

    def __repr__(self) -> str:
        names = ", ".join(run.name for run in self.runs)
        request = self.request
        kind = f"{request.comparison_type.value} of {', '.join(request.metrics)}"
        return f"ComparisonResult({kind}, {request.time_alignment.value} time: {names})"


def _where(table: pa.Table, column: str, value: str) -> pa.Table:
    return table.filter(pc.equal(table[column].cast(pa.string()), value))


def _with_dates(table: pa.Table) -> pa.Table:
    for name in {"x", "time"} & {*table.column_names}:
        days = table[name].cast(pa.int32()).cast(pa.date32())
        table = table.set_column(table.column_names.index(name), name, days)
    return table
