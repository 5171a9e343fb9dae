"""Values that each patient keeps until the next change: seen, carried forward, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.moments import Floats, MomentTable

__all__ = ["Coded", "Counted", "Steps"]


@dataclass(frozen=True, slots=True)
class Coded:
    """Whole numbers as codes from 0, with their range found once for all tables made of them.

    Attributes
    ----------
    codes : ndarray
        Values less ``first``.
    first : int
        The least value.
    bits : int
        How many bits hold every code.
    """

    codes: Ints
    first: int
    bits: int

    @classmethod
    def of(cls, values: Ints) -> Coded:
        """Code values."""
        first = int(values.min()) if len(values) else 0
        codes = values - first
        return cls(codes, first, int(codes.max(initial=0)).bit_length())


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of steps: matrices with a row for each bin and a column for each value.

    Attributes
    ----------
    begun : ndarray
        Steps, in the bin in which they begin.
    carried : ndarray
        Values carried forward: every patient in follow-up once in each bin.
    ended : ndarray
        Patients whose follow-up ends in the bin, by their last value. With these, coarser bins
        are exact too: who left within a coarse bin belongs to it.
    first_bin, first_value : int
        What the first row and the first column stand for.
    """

    begun: Ints
    carried: Ints
    ended: Ints
    first_bin: int
    first_value: int

    @classmethod
    def nothing(cls) -> Self:
        """Return the counts of no steps."""
        none = np.zeros((0, 1), np.int64)
        return cls(none, none, none, 0, 0)

    def tables(self) -> tuple[CountTable, CountTable, CountTable]:
        """Return ``begun``, ``carried`` and ``ended`` as tables."""
        begun, carried, ended = (
            CountTable.of_matrix(matrix, self.first_bin, self.first_value)
            for matrix in (self.begun, self.carried, self.ended)
        )
        return begun, carried, ended

    def joined(self, bin_of: Ints) -> Counted:
        """Join rows.

        Parameters
        ----------
        bin_of : ndarray
            For each bin from 0 the coarser one that holds it, ascending without gaps.
        """
        if not len(self.begun):
            return self
        bins = bin_of[self.first_bin : self.first_bin + len(self.begun)]
        first = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1))
        last = np.append(first[1:], len(bins)) - 1
        ended = np.add.reduceat(self.ended, first)
        return Counted(
            np.add.reduceat(self.begun, first),
            self.carried[last] + (ended - self.ended[last]),
            ended,
            int(bins[0]),
            self.first_value,
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """Spans of bins in which a patient's value does not change, along one time axis.

    A patient has one value in each bin from the first observation to the end of follow-up: the
    last one observed in the bin or before. So a step counts in the bins from its own until just
    before that of the patient's next step. Counting the steps that begin and those that are
    over, and adding up along the bins, costs two passes over the steps, however many bins
    there are.

    Attributes
    ----------
    start : ndarray
        Bin in which the step begins.
    over : ndarray
        First bin in which it no longer counts: that of the patient's next step, or the one after
        the last of the follow-up; not before ``start``.
    last : ndarray
        Positions of the steps with which a patient's follow-up ends.
    """

    start: Ints
    over: Ints
    last: Ints

    def counted(self, values: Coded) -> Counted:
        """Count by bin and value."""
        if not len(self.start):
            return Counted.nothing()
        first_bin = int(self.start.min())
        n_bins = int(self.over.max()) - first_bin + 1
        # Shifts in place of products, in one piece of memory: this is the hot loop of an import.
        shape, cells = (n_bins, 1 << values.bits), n_bins << values.bits
        keys = self.start - first_bin
        keys <<= values.bits
        keys += values.codes
        begun = np.bincount(keys, minlength=cells).reshape(shape)
        np.subtract(self.over, first_bin, out=keys)
        keys <<= values.bits
        keys += values.codes
        over = np.bincount(keys, minlength=cells).reshape(shape)
        # A follow-up ends in the bin before that in which its last step no longer counts.
        ended = np.bincount(keys[self.last] - shape[1], minlength=cells).reshape(shape)
        carried = np.cumsum(begun - over, axis=0)
        return Counted(begun, carried, ended, first_bin, values.first)

    def counted_together(self, one: Coded, other: Coded) -> tuple[Counted, Counted]:
        """Count two kinds of few values in the passes of one."""
        pairs = Coded((one.codes << other.bits) | other.codes, 0, one.bits + other.bits)
        both = self.counted(pairs)
        shape = (len(both.begun), 1 << one.bits, 1 << other.bits)

        def summed(over: int, coded: Coded) -> Counted:
            return Counted(
                both.begun.reshape(shape).sum(axis=over),
                both.carried.reshape(shape).sum(axis=over),
                both.ended.reshape(shape).sum(axis=over),
                both.first_bin,
                coded.first,
            )

        return summed(2, one), summed(1, other)

    def carried_moments(self, amounts: Floats) -> tuple[MomentTable, MomentTable]:
        """Return moments of the amounts carried forward; as :meth:`counted`, without extremes."""
        if not len(amounts):
            return MomentTable.empty(), MomentTable.empty()
        first = int(self.start.min())
        n_bins = int(self.over.max()) - first + 1
        start, over = self.start - first, self.over - first
        ended = over[self.last] - 1
        powers = (np.ones_like(amounts), amounts, amounts * amounts)
        carried: list[Floats] = [
            np.cumsum(
                np.bincount(start, power, n_bins) - np.bincount(over, power, n_bins), dtype=float
            )
            for power in powers
        ]
        final: list[Floats] = [
            np.bincount(ended, power[self.last], n_bins).astype(np.float64) for power in powers
        ]
        return _moments(carried, first), _moments(final, first)


def _moments(powers: Sequence[Floats], first: int) -> MomentTable:
    kept = np.flatnonzero(powers[0])
    unknown = np.full(len(kept), np.nan)
    return MomentTable(
        (kept + first).astype(np.int32),
        powers[0][kept].astype(np.int64),
        powers[1][kept],
        powers[2][kept],
        unknown,
        unknown,
    )
