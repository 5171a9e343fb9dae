"""Treatment states: the pattern of intervals between visits (``domain.md`` section 4)."""

from __future__ import annotations

import numpy as np

from ape_jupyter.results.summary.axis import Ints

__all__ = ["MAX_INTERVAL_DAYS", "TREATMENT_STATES", "treatment_states"]

TREATMENT_STATES = (
    "intensive",
    "regular",
    "extended",
    "maximum",
    "gap",
    "extended_gap",
    "long_gap",
    "no_further_visits",
)
"""States in the order of their codes in ``treatment_state``."""

MAX_INTERVAL_DAYS = 3_650
"""Longer intervals count as ten years."""

_FIRST_DAYS = (36, 64, 112, 120, 181, 366)
_NO_FURTHER_VISITS = TREATMENT_STATES.index("no_further_visits")


def treatment_states(since_enrolment: Ints, last: Ints, planned: Ints) -> Ints:
    """Return the state that begins with each visit: that of the interval until the next one.

    Parameters
    ----------
    since_enrolment : ndarray
        Days of the visits, sorted by patient and time.
    last : ndarray
        Position of each patient's last visit.
    planned : ndarray
        For each last visit, the days until the planned next one, where it is missing only since
        the run ends before: the pattern goes on. Elsewhere 0: no further visits.
    """
    days = np.arange(MAX_INTERVAL_DAYS + 1)
    state_of_interval: Ints = np.searchsorted(_FIRST_DAYS, days, side="right").astype(np.int64)
    intervals = np.diff(since_enrolment, append=0)
    intervals[last] = planned
    states: Ints = state_of_interval[np.clip(intervals, 0, MAX_INTERVAL_DAYS)]
    states[last[planned <= 0]] = _NO_FURTHER_VISITS
    return states
