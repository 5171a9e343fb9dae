"""The time axis of a comparison: bins joined from those of summaries, and where they begin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.summary import NORMALIZED_BINS, RELATIVE_BIN_DAYS
from ape_jupyter.results.summary.axis import MAX_DAYS, Ints
from ape_jupyter.services.compare.inference.distributions import Numbers

__all__ = ["DEFAULT_BIN_WIDTHS", "TimeScale"]

DEFAULT_BIN_WIDTHS = {
    TimeAlignment.RELATIVE: 28,
    TimeAlignment.ABSOLUTE: 1,
    TimeAlignment.NORMALIZED: 1,
}
_MONTHS_PER_YEAR = 12
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Bins of one alignment and width.

    Attributes
    ----------
    width : int
        Days (relative), calendar months (absolute) or fiftieths of the duration (normalized).
    """

    alignment: TimeAlignment
    width: int

    def check(self) -> None:
        """Refuse a width that the bins of summaries do not add up to."""
        if self.alignment is TimeAlignment.RELATIVE:
            fits = 0 < self.width <= MAX_DAYS and self.width % RELATIVE_BIN_DAYS == 0
            rule = f"a multiple of {RELATIVE_BIN_DAYS} days"
        elif self.alignment is TimeAlignment.ABSOLUTE:
            fits = self.width > 0 and _MONTHS_PER_YEAR % self.width == 0
            rule = "a number of months that divides a year"
        else:
            fits = self.width > 0 and NORMALIZED_BINS % self.width == 0
            rule = f"a number of fiftieths that divides {NORMALIZED_BINS}"
        if not fits:
            raise InvalidArgumentError(
                f"The bin width must be {rule} in {self.alignment.value} time, not {self.width}."
            )

    @property
    def fine_bins(self) -> int:
        """How many bins of a summary make one."""
        if self.alignment is TimeAlignment.RELATIVE:
            return self.width // RELATIVE_BIN_DAYS
        return self.width

    def x(self, keys: Ints) -> Numbers:
        """Return the left edges of bins, by their numbers."""
        if self.alignment is TimeAlignment.RELATIVE:
            return np.asarray(keys * float(self.width))
        if self.alignment is TimeAlignment.NORMALIZED:
            return np.asarray(keys * self.width / NORMALIZED_BINS)
        months = (keys * self.width).tolist()
        days = [
            (date(m // _MONTHS_PER_YEAR, m % _MONTHS_PER_YEAR + 1, 1) - _EPOCH).days for m in months
        ]
        return np.array(days, float)

    def key(self, x: float) -> int:
        """Return the number of the bin that holds a point of time."""
        if self.alignment is TimeAlignment.RELATIVE:
            return int(x // self.width)
        if self.alignment is TimeAlignment.NORMALIZED:
            # The end of the run belongs to its last bin; and 0.3 * 50 is 14.999….
            fine = min(int(np.floor(x * NORMALIZED_BINS + 1e-9)), NORMALIZED_BINS - 1)
            return fine // self.width
        day = date.fromordinal(_EPOCH.toordinal() + int(x))
        return (day.year * _MONTHS_PER_YEAR + day.month - 1) // self.width
