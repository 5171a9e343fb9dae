"""The patients of a run as they enrol, before any treatment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ape_jupyter.demo.spec import RunSpec

__all__ = ["Cohort", "draw_cohort"]

_WORKING_DAYS = 5


@dataclass(frozen=True, slots=True)
class Cohort:
    """One array element per patient, in the order of enrolment.

    Attributes
    ----------
    enrolled_days : float array
        Time of enrolment, since the start date of the run.
    baseline_letters : float array
        Visual acuity at enrolment.
    response : float array
        How well the drug works in this patient; 1 is the median.
    attends : bool array
        False for patients who never come to a visit.
    """

    enrolled_days: NDArray[np.float64]
    baseline_letters: NDArray[np.float64]
    response: NDArray[np.float64]
    attends: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.enrolled_days)


def draw_cohort(spec: RunSpec, rng: np.random.Generator) -> Cohort:
    """Enrol patients at random over the length of the run.

    Arrivals are a Poisson process that stops at the number asked for, so a run can have
    fewer patients. The draws depend on seed, number and duration only: two protocols with
    the same ones treat the same patients.
    """
    n = spec.n_patients
    # The last day stays free, so that whoever enrols can still have a first visit.
    last_day = max(spec.duration_days - 2, 1)
    arrivals = np.cumsum(rng.exponential(spec.duration_days / n, n))
    arrivals = arrivals[arrivals < last_day]
    if not len(arrivals):
        arrivals = np.array([rng.uniform(0, last_day)])
    n = len(arrivals)
    protocol = spec.protocol
    baseline = protocol.baseline_vision_mean + protocol.baseline_vision_std * _bounded_normal(
        rng, n
    )
    response = np.exp(0.35 * _bounded_normal(rng, n))
    if spec.model_type == "time_based":
        # Clinics are closed at weekends and intervals are whole weeks: who enrols on a
        # Saturday or Sunday is never seen. That is 2/7 of all, as in real time-based runs.
        arrivals = np.floor(arrivals)
        attends = _on_working_day(spec.start_date, arrivals)
        if not attends.any():
            # A run without any visit is of no use to anybody; move one patient off the weekend.
            week = np.arange(7.0)
            arrivals[0] = week[_on_working_day(spec.start_date, week)][0]
            arrivals.sort()
            attends = _on_working_day(spec.start_date, arrivals)
    else:
        attends = np.ones(n, dtype=bool)
    return Cohort(arrivals, np.clip(np.rint(baseline), 5, 95), response, attends)


def _on_working_day(start: date, days: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (start.weekday() + days.astype(np.int64)) % 7 < _WORKING_DAYS


def _bounded_normal(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.clip(rng.standard_normal(n), -3.0, 3.0)
