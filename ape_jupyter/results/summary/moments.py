"""Count, sum, sum of squares, minimum and maximum by time bin, for amounts of money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ape_jupyter.results.summary.axis import Ints

__all__ = ["Floats", "MomentTable"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MomentTable:
    """Moments of a continuous quantity by time bin.

    Sums are floating point: tables that were added in another order agree to rounding only.

    Attributes
    ----------
    bins : ndarray
        Sorted, each once.
    counts : ndarray
        Numbers of observations, or of patients.
    sums, squares : ndarray
        Σx and Σx².
    minima, maxima : ndarray
        NaN where they are not known.
    """

    bins: npt.NDArray[np.int32]
    counts: Ints
    sums: Floats
    squares: Floats
    minima: Floats
    maxima: Floats

    @classmethod
    def of_observations(cls, bins: Ints, amounts: Floats) -> MomentTable:
        """Summarise amounts, each in its bin."""
        if not len(bins):
            return cls.empty()
        first = int(bins.min())
        rows = bins - first
        counts = np.bincount(rows)
        minima, maxima = np.full(len(counts), np.inf), np.full(len(counts), -np.inf)
        np.minimum.at(minima, rows, amounts)
        np.maximum.at(maxima, rows, amounts)
        sums: Floats = np.bincount(rows, amounts).astype(np.float64)
        squares: Floats = np.bincount(rows, amounts * amounts).astype(np.float64)
        kept = np.flatnonzero(counts)
        return cls(
            (kept + first).astype(np.int32),
            counts[kept].astype(np.int64),
            sums[kept],
            squares[kept],
            minima[kept],
            maxima[kept],
        )

    @classmethod
    def empty(cls) -> MomentTable:
        """Return the table of nothing, the neutral element of adding."""
        none = np.empty(0)
        return cls(np.empty(0, np.int32), np.empty(0, np.int64), none, none, none, none)

    @classmethod
    def total(cls, tables: Iterable[MomentTable]) -> MomentTable:
        """Add tables up."""
        parts = list(tables)
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.empty()
        joined = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(cls)
        }
        order = np.argsort(joined["bins"], kind="stable")
        bins = joined["bins"][order]
        first = np.flatnonzero(np.diff(bins, prepend=bins[:1] - 1))
        if not len(first):
            return cls.empty()
        reduce = {
            "counts": np.add,
            "sums": np.add,
            "squares": np.add,
            "minima": np.fmin,
            "maxima": np.fmax,
        }
        return cls(
            bins=bins[first],
            **{name: by.reduceat(joined[name][order], first) for name, by in reduce.items()},
        )

    def __add__(self, other: MomentTable) -> MomentTable:
        return MomentTable.total([self, other])

    def __len__(self) -> int:
        return len(self.bins)
