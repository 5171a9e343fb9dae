"""Values that each patient keeps until the next change: seen, carried forward, and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.moments import Floats, MomentTable

__all__ = ["Coded", "Steps"]


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

    def counted(self, values: Coded) -> tuple[CountTable, CountTable, CountTable]:
        """Count by bin and value.

        Returns
        -------
        begun : CountTable
            Steps, in the bin in which they begin.
        carried : CountTable
            Values carried forward: every patient in follow-up once in each bin.
        ended : CountTable
            Patients whose follow-up ends in the bin, by their last value. With these, tables of
            coarser bins are exact too: who left within a coarse bin belongs to it.
        """
        if not len(self.start):
            return CountTable.empty(), CountTable.empty(), CountTable.empty()
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
        return (
            CountTable.of_matrix(begun, first_bin, values.first),
            CountTable.of_matrix(carried, first_bin, values.first),
            CountTable.of_matrix(ended, first_bin, values.first),
        )

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
