"""Time as readers count it: months and years, dates, or per cent of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ape_jupyter.model.comparison import TimeAlignment

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

__all__ = ["TimeAxis"]

DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
_MONTHS_UP_TO_DAYS = 6.5 * DAYS_PER_YEAR
_MS_PER_DAY = 86_400_000
_MARGIN = 0.02


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The horizontal axis of curves.

    Attributes
    ----------
    last_x : float
        Where it ends, on the scale of the tables.
    """

    alignment: TimeAlignment
    first_x: float
    last_x: float

    @property
    def is_calendar(self) -> bool:
        """Whether there are dates on it."""
        return self.alignment is TimeAlignment.ABSOLUTE

    @property
    def _in_months(self) -> bool:
        return self.last_x <= _MONTHS_UP_TO_DAYS

    @property
    def label(self) -> str:
        """What it measures."""
        if self.alignment is TimeAlignment.RELATIVE:
            return f"{'Months' if self._in_months else 'Years'} since enrolment"
        return "Date" if self.is_calendar else "Share of the run's duration"

    @property
    def tooltip(self) -> tuple[str, str]:
        """Name and value of the time under the pointer."""
        if self.alignment is TimeAlignment.RELATIVE:
            return "since enrolment", "day @day{0,0}"
        return ("month", "@x{%B %Y}") if self.is_calendar else ("of the run", "@x{0%}")

    def shown(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn times of the tables into those of the axis."""
        if self.alignment is TimeAlignment.RELATIVE:
            return x / (DAYS_PER_MONTH if self._in_months else DAYS_PER_YEAR)
        return x * _MS_PER_DAY if self.is_calendar else x

    def landmarks(self) -> npt.NDArray[np.float64]:
        """Return times, on the scale of the tables, at which a curve can be read like a table."""
        if self.alignment is TimeAlignment.NORMALIZED:
            return np.array([0.0, 0.25, 0.5, 0.75, 0.98])
        step = DAYS_PER_YEAR
        while (self.last_x - self.first_x) / step > 8:  # noqa: PLR2004 - more would not fit
            step *= 2
        if (self.last_x - self.first_x) / step < 2:  # noqa: PLR2004 - enough to see a course
            step /= 4
        return np.arange(self.first_x, self.last_x + 1, step)

    def draw_on(self, plot: Figure) -> None:
        """Give a figure range, ticks and label."""
        from bokeh.models import AdaptiveTicker, NumeralTickFormatter, Range1d

        start, end = self.shown(np.array([self.first_x, self.last_x], float))
        margin = _MARGIN * (end - start) or 1.0
        plot.x_range = Range1d(start - margin, end + margin)
        plot.xaxis.axis_label = self.label
        if self.alignment is TimeAlignment.NORMALIZED:
            plot.xaxis.formatter = NumeralTickFormatter(format="0%")
        elif self.alignment is TimeAlignment.RELATIVE and self._in_months:
            # Half and quarter years, not steps of 5 and 10 months.
            ticker = AdaptiveTicker(base=12, mantissas=[1, 2, 3, 6], min_interval=1)
            plot.xaxis.ticker = ticker
            plot.xgrid.ticker = ticker
