"""Until when each patient is followed, and when treatment ended.

``domain.md`` section 4: "`locf` carries each patient's last observation forward until the end of
that patient's follow-up (enrolment to min(run end, death or loss))", and "`persistence`:
Kaplan–Meier probability of still being on treatment; censoring at run end".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.results.summary.axis import MAX_DAYS, Ints, TimeAxes

__all__ = ["CENSORED", "FOLLOW_UP_ENDS_WITH", "TREATMENT_OUTCOMES", "FollowUp", "follow_up"]

TREATMENT_OUTCOMES = (
    "censored",
    "planned",
    "administrative",
    "attrition",
    "death",
    "deterioration",
    "poor_vision",
    "treatment_decision_stable",
    "treatment_decision_no_improvement",
    "other",
)
"""How time on treatment ended; the codes of ``persistence`` are positions here.

``other`` is a discontinuation of a type that is missing or that this list does not name.
"""

CENSORED = 0
_OTHER = len(TREATMENT_OUTCOMES) - 1

FOLLOW_UP_ENDS_WITH = ("death", "attrition", "administrative")
"""The types that are "death or loss": nobody knows these patients' vision afterwards.

``attrition`` is a patient who stays away and ``administrative`` one whom the clinic loses. All
other types are decisions to stop treatment; such patients remain in follow-up until the run's end,
with their last observation, and so do those of an unknown type.
"""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Follow-up of the patients of one table, in days; both ends belong to it.

    Attributes
    ----------
    enrolled : ndarray
        Day of enrolment since the run's start.
    end : ndarray
        Last day, since the patient's enrolment: that of death or loss if there was one, 0 if its
        time is missing, else the run's end, which is the last whole day of its duration; never
        before enrolment.
    run_end : ndarray
        The run's end, since the patient's enrolment.
    is_known : ndarray of bool
        False where the table does not say whether treatment was discontinued. Such patients
        are followed until the run's end, and are left out of ``persistence``.
    outcome : ndarray
        Position in :data:`TREATMENT_OUTCOMES`.
    stopped : ndarray of float
        Day of discontinuation since enrolment; NaN without one, or where its time is missing.
    """

    enrolled: Ints
    end: Ints
    run_end: Ints
    is_known: npt.NDArray[np.bool_]
    outcome: Ints
    stopped: npt.NDArray[np.float64]

    def until_seen(self, last_seen: Ints) -> Ints:
        """Return the last day of follow-up, given the day on which each was last seen.

        An observation proves follow-up, even when it lies after the stated end: durations are
        rounded, and engines let the visit of the last day happen.

        Parameters
        ----------
        last_seen : ndarray
            Days since enrolment; −1 for a patient who was never seen.
        """
        return np.maximum(self.end, last_seen)

    def time_on_treatment(self, last_seen: Ints) -> tuple[Ints, Ints]:
        """Return day and outcome of the end of observation, for Kaplan–Meier curves.

        Every discontinuation is an event, of death and loss too, as the only censoring that
        ``domain.md`` names is at the run's end. The types are kept apart, so that an analysis
        may censor some of them instead. A discontinuation after the run's end is not
        observed, and one whose time is missing censors the patient when last seen.

        Returns
        -------
        day, outcome : ndarray
            Of all patients, also of those with ``is_known`` False.
        """
        horizon = np.maximum(self.run_end, last_seen)
        has_stopped = self.outcome != CENSORED
        with np.errstate(invalid="ignore"):
            is_event = has_stopped & (self.stopped <= horizon)
        day = np.where(is_event, np.nan_to_num(self.stopped, nan=0.0).astype(np.int64), horizon)
        is_undated = has_stopped & np.isnan(self.stopped)
        day = np.where(is_undated, np.maximum(last_seen, 0), day)
        return day, np.where(is_event, self.outcome, CENSORED)


def follow_up(patients: pa.Table, axes: TimeAxes) -> FollowUp:
    """Read the follow-up of patients off their table.

    Times of discontinuation are "days since the run's start", as is ``enrollment_time_days``;
    their difference, rounded down, is the day since enrolment, and never before it.
    """
    n = patients.num_rows
    moments = _numbers(patients["enrollment_date"].cast(pa.int64()))
    enrolled = np.maximum(axes.days_since_start(moments.astype(np.int64)), 0)
    run_end = np.maximum(axes.run_end - enrolled, 0)

    discontinued = _column(patients, "discontinued")
    if discontinued is None:
        is_known = has_stopped = np.zeros(n, np.bool_)
    else:
        is_known = _numbers(discontinued.is_valid())
        has_stopped = _numbers(discontinued.fill_null(False))
    outcome = np.where(has_stopped, _types(_column(patients, "discontinuation_type"), n), CENSORED)

    time = _column(patients, "discontinuation_time")
    stopped = np.full(n, np.nan)
    if time is not None:
        since_start = _numbers(time.cast(pa.float64()).fill_null(np.nan))
        day = np.floor(since_start - _numbers(patients["enrollment_time_days"]))
        stopped = np.where(has_stopped, np.clip(day, 0, MAX_DAYS), np.nan)
    is_end = np.isin(outcome, [TREATMENT_OUTCOMES.index(name) for name in FOLLOW_UP_ENDS_WITH])
    # Of a death or loss without a time it is known only that it came after the last visit, to
    # which ``until_seen`` takes this: where Kaplan–Meier curves censor the patient, too.
    last = np.fmin(np.nan_to_num(stopped, nan=0.0), run_end)
    end = np.where(is_end, last, run_end).astype(np.int64)
    return FollowUp(enrolled, end, run_end, is_known, outcome, stopped)


def _types(column: pa.ChunkedArray | None, n: int) -> Ints:
    if column is None:
        return np.full(n, _OTHER)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found = pc.index_in(pc.utf8_lower(column.cast(pa.string())), pa.array(TREATMENT_OUTCOMES[1:]))
    codes = _numbers(found.fill_null(_OTHER - 1)).astype(np.int64) + 1
    return np.asarray(codes)


def _column(table: pa.Table, name: str) -> pa.ChunkedArray | None:
    return table[name] if name in table.column_names else None


def _numbers(column: Any) -> npt.NDArray[Any]:
    return np.asarray(column.to_numpy())
