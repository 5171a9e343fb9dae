"""Numbers at risk and Kaplan–Meier curves from counts of how time on treatment ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.followup import CENSORED, TREATMENT_OUTCOMES
from ape_jupyter.results.summary.moments import Floats

__all__ = ["LifeTable", "life_table"]


@dataclass(frozen=True, slots=True)
class LifeTable:
    """Patients at risk by day.

    Attributes
    ----------
    days : ndarray
        Days since enrolment on which somebody's time ended.
    at_risk : ndarray
        Patients whose time had not ended before the day.
    events, censored : ndarray
        Whose time ended on the day. Who is censored on a day was at risk on it.
    """

    days: Ints
    at_risk: Ints
    events: Ints
    censored: Ints

    @property
    def survival(self) -> Floats:
        """Probability of no event up to and with each day (Kaplan and Meier 1958)."""
        return np.asarray(np.cumprod(1 - self.events / self.at_risk), np.float64)

    @property
    def variance(self) -> Floats:
        """Variance of :attr:`survival` by Greenwood's formula (1926); NaN once nobody is left."""
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = self.events / (self.at_risk * (self.at_risk - self.events))
            return np.asarray(self.survival**2 * np.cumsum(terms))


def life_table(table: CountTable, censor: Collection[str] = ()) -> LifeTable:
    """Return the life table of counts by day and outcome.

    Parameters
    ----------
    table : CountTable
        Of the metric ``persistence``.
    censor : collection of str
        Types of discontinuation that are to count as censoring, such as ``death``.
    """
    codes = [CENSORED, *(TREATMENT_OUTCOMES.index(name) for name in censor)]
    days, row = np.unique(table.bins, return_inverse=True)
    is_event = ~np.isin(table.values, codes)
    events, censored = (
        np.bincount(row[chosen], table.counts[chosen], len(days)).astype(np.int64)
        for chosen in (is_event, ~is_event)
    )
    leaving = events + censored
    at_risk = leaving.sum() - np.cumsum(leaving) + leaving
    return LifeTable(days.astype(np.int64), at_risk, events, censored)
