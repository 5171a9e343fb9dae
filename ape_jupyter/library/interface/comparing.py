"""How runs are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ape_jupyter.model.comparison import (
    ComparisonType,
    Observations,
    PatientCriterion,
    PatientGrouping,
    TimeAlignment,
)
from ape_jupyter.model.progress import ProgressCallback

if TYPE_CHECKING:
    from datetime import date

    from ape_jupyter.library.comparison import ComparisonResult

__all__ = ["ComparesRuns", "Subgroups"]


Subgroups: TypeAlias = str | Sequence[str] | Mapping[str, Any] | Sequence[PatientGrouping] | None
"""By what patients are compared in parts."""


class ComparesRuns(Protocol):
    """How runs are compared."""

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | str | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
        *,
        observations: Observations | str | None = None,
        bin_width: int | None = None,
        times: Sequence[float | str | date] | None = None,
        paired: bool = False,
        pool_replicates: bool = False,
        patients: Mapping[str, Any] | Sequence[PatientCriterion] | None = None,
        subgroups: Subgroups = None,
        cost_effectiveness: bool = False,
        distributions: bool = False,
        progress: ProgressCallback | None = None,
    ) -> ComparisonResult:
        """Compare runs from their summaries; the cost does not depend on the patients.

        Parameters
        ----------
        sim_ids : sequence of str
            Ids, names or prefixes of two or more runs.
        comparison_type : {"overlay", "side_by_side", "difference", "statistical"}
            The last two compare every run with the reference.
        metrics : sequence of str, or "all"
            Default: ``vision``. A run that lacks what a metric needs is named in ``missing``.
        time_alignment : {"absolute", "relative", "normalized"}
            The calendar, days since each patient's enrolment, or share of the run's duration.
        reference : str, optional
            The first run by default.
        confidence : float
            Of all intervals: of t for means, of Wilson for shares, of log(−log) for persistence.
        observations : {"observed", "locf"}
            Values of the visits in a bin, or the last one of each patient in follow-up. Default:
            ``locf`` for tests, which take each patient once, else ``observed``.
        bin_width : int, optional
            Days, a multiple of 7 (relative; default 28); calendar months (absolute; default 1);
            or fiftieths of the duration (normalized; default 1).
        times : sequence, optional
            When to test, on the scale of ``x``; dates in absolute time. Default: the end of each
            year, and the end, at which each patient counts as last seen.
        paired : bool
            Also test runs with one seed and the same patients patient by patient, at the end. This
            reads a few columns of the patients.
        pool_replicates : bool
            Let runs that are equal but for their seed count as one arm, under the id of the first.
        patients : mapping, optional
            Compare only patients that have this in columns of the patients table: a tuple is a
            range with both ends, None for an open one; a list has the values wanted; anything else
            is the value wanted. ``{"baseline_vision": (None, 69)}``. This reads the patients.
        subgroups : str, sequence of str or mapping, optional
            Also compare the patients in parts, by one column of the patients table at a time:
            ``"sex"``, ``("sex", "eye")``, or with cut points ``{"baseline_vision": [50, 70]}``.
            In all tables ``by`` is then the column and ``subgroup`` what it holds. Tests named
            ``interaction`` say whether a difference is the same in all parts. This reads the
            patients.
        cost_effectiveness : bool
            Set costs against letters gained, patient by patient: ``cost_effectiveness`` has a
            row for every run that has costs. This reads a few columns of the patients.
        distributions : bool
            Also count by value, at the times that are tested: what boxes and violins are drawn of.
        progress : callable, optional
            Told how far a comparison is that is not remembered from before. Raising from it, or
            interrupting the call, cancels the comparison, on a server, too.

        Raises
        ------
        InvalidArgumentError
            For fewer than two runs, an unknown type, metric or alignment, a reference
            that is not among the runs, a confidence outside (0, 1), a bin width that bins of
            summaries do not add up to, or a time that is none.
        """
