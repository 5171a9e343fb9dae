"""Counts by time bin and value: the table from which nearly everything follows exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ape_jupyter.results.summary.axis import Ints

__all__ = ["CountTable", "count_cells"]

_VALUE_BITS = 32
_VALUE_OFFSET = 2 ** (_VALUE_BITS - 1)


@dataclass(frozen=True, slots=True)
class CountTable:
    """How often each value occurs in each time bin.

    Attributes
    ----------
    bins, values, counts : ndarray
        One entry for each pair of bin and value that occurs, sorted by bin, then value.
    """

    bins: npt.NDArray[np.int32]
    values: npt.NDArray[np.int32]
    counts: Ints

    @classmethod
    def of_cells(cls, bins: Ints, values: Ints, counts: Ints) -> CountTable:
        """Build a table from entries in any order; equal entries add up, empty ones go."""
        keys = (bins.astype(np.int64) << _VALUE_BITS) + (values.astype(np.int64) + _VALUE_OFFSET)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
        totals = np.add.reduceat(counts[order], first) if len(first) else counts[:0]
        kept = totals != 0
        keys = keys[first][kept]
        return cls(
            (keys >> _VALUE_BITS).astype(np.int32),
            ((keys & (2**_VALUE_BITS - 1)) - _VALUE_OFFSET).astype(np.int32),
            totals[kept].astype(np.int64),
        )

    @classmethod
    def of_matrix(cls, matrix: Ints, first_bin: int, first_value: int) -> CountTable:
        """Build a table from ``matrix[bin - first_bin, value - first_value]``."""
        filled = np.flatnonzero(matrix)
        row, column = np.divmod(filled, matrix.shape[1])
        return cls(
            (row + first_bin).astype(np.int32),
            (column + first_value).astype(np.int32),
            matrix.ravel()[filled],
        )

    @classmethod
    def empty(cls) -> CountTable:
        """Return the table of nothing, the neutral element of adding."""
        none = np.empty(0, np.int32)
        return cls(none, none, np.empty(0, np.int64))

    @classmethod
    def total(cls, tables: Iterable[CountTable]) -> CountTable:
        """Add tables up."""
        parts = list(tables)
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        return cls.of_cells(
            np.concatenate([part.bins for part in parts]).astype(np.int64),
            np.concatenate([part.values for part in parts]).astype(np.int64),
            np.concatenate([part.counts for part in parts]),
        )

    def from_value(self, least: int) -> CountTable:
        """Return the entries whose value is ``least`` or more."""
        kept = self.values >= least
        return CountTable(self.bins[kept], self.values[kept], self.counts[kept])

    def rebinned(self, bin_of: Ints) -> CountTable:
        """Join bins; ``bin_of`` gives for each bin from 0 the coarser one that holds it."""
        return CountTable.of_cells(bin_of[self.bins], self.values.astype(np.int64), self.counts)

    def __add__(self, other: CountTable) -> CountTable:
        return CountTable.total([self, other])

    def __len__(self) -> int:
        return len(self.counts)


def count_cells(bins: Ints, values: Ints) -> CountTable:
    """Count observations by bin and value."""
    if not len(bins):
        return CountTable.empty()
    first_bin, first_value = int(bins.min()), int(values.min())
    width = int(values.max()) - first_value + 1
    n_bins = int(bins.max()) - first_bin + 1
    keys = (bins - first_bin) * width + (values - first_value)
    counts = np.bincount(keys, minlength=n_bins * width).reshape(n_bins, width)
    return CountTable.of_matrix(counts, first_bin, first_value)
