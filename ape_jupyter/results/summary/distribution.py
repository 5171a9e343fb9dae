"""Statistics of counted values, bin by bin, as of the values themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.moments import Floats

__all__ = ["Distribution"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts of whole-numbered values in each bin.

    Attributes
    ----------
    bins : ndarray
        Those with observations, sorted.
    values : ndarray
        The values that the columns of counts stand for, sorted.
    counts : ndarray
        One row for each bin.
    """

    bins: Ints
    values: Ints
    counts: Ints

    @classmethod
    def observed(cls, table: CountTable, width: int = 1) -> Distribution:
        """Join each ``width`` bins of a table, counting all observations."""
        return cls._of(table.bins.astype(np.int64) // width, table)

    @classmethod
    def carried(cls, carried: CountTable, ended: CountTable, width: int = 1) -> Distribution:
        """Join each ``width`` bins of values carried forward, each patient once, with the last.

        Parameters
        ----------
        carried, ended : CountTable
            The tables of methods ``locf`` and ``ended``.
        """
        fine = carried.bins.astype(np.int64)
        stays = fine % width == width - 1
        leaves = ended.bins.astype(np.int64) % width != width - 1
        joined = CountTable.of_cells(
            np.concatenate([fine[stays], ended.bins[leaves].astype(np.int64)]) // width,
            np.concatenate([carried.values[stays], ended.values[leaves]]).astype(np.int64),
            np.concatenate([carried.counts[stays], ended.counts[leaves]]),
        )
        return cls._of(joined.bins.astype(np.int64), joined)

    @classmethod
    def _of(cls, coarse: Ints, table: CountTable) -> Distribution:
        if not len(table):
            none = np.empty(0, np.int64)
            return cls(none, none, np.empty((0, 0), np.int64))
        values, column = np.unique(table.values, return_inverse=True)
        bins, row = np.unique(coarse, return_inverse=True)
        cells = len(bins) * len(values)
        keys = row.reshape(-1) * len(values) + column.reshape(-1)
        # Sums in floating point: counts are exact there up to 2**53.
        counts = np.bincount(keys, table.counts, cells).astype(np.int64)
        return cls(bins, values.astype(np.int64), counts.reshape(len(bins), len(values)))

    @property
    def n(self) -> Ints:
        """Number of observations, or of patients, by bin."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def mean(self) -> Floats:
        """Arithmetic mean by bin."""
        return np.asarray(self.counts @ self.values / self.n)

    @property
    def variance(self) -> Floats:
        """Sample variance (n − 1) by bin; NaN where there is one observation."""
        squares = ((self.values - self.mean[:, None]) ** 2 * self.counts).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.n > 1, squares / (self.n - 1), np.nan)

    @property
    def ecdf(self) -> Floats:
        """Share of observations up to each of the values, by bin."""
        return np.asarray(self.counts.cumsum(axis=1) / self.n[:, None])

    def quantile(self, share: float) -> Floats:
        """Quantile with linear interpolation, as ``numpy.quantile`` has it, by bin."""
        cumulative = self.counts.cumsum(axis=1)
        position = (self.n - 1) * share
        below, above = np.floor(position), np.ceil(position)
        low = self.values[(cumulative <= below[:, None]).sum(axis=1)]
        high = self.values[(cumulative <= above[:, None]).sum(axis=1)]
        return np.asarray(low + (high - low) * (position - below))

    def share_at_least(self, value: int) -> Floats:
        """Share of observations that are ``value`` or more, by bin."""
        return np.asarray(self.counts[:, self.values >= value].sum(axis=1) / self.n)

    def share_at_most(self, value: int) -> Floats:
        """Share of observations that are ``value`` or less, by bin."""
        return np.asarray(self.counts[:, self.values <= value].sum(axis=1) / self.n)
