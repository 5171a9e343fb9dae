"""Durations as counts in fixed buckets: bounded, and added up over processes and restarts."""

from __future__ import annotations

import math
from collections.abc import Mapping

__all__ = ["EDGES_SECONDS", "RELATIVE_ERROR", "Histogram"]

_PER_DECADE = 20
_DECADES = 10
_SHORTEST_SECONDS = 1e-6
_LAST = _PER_DECADE * _DECADES - 1

RELATIVE_ERROR = 10 ** (0.5 / _PER_DECADE) - 1
"""How far a quantile can be from the observation it stands for, from 1 µs to 10,000 s."""

EDGES_SECONDS = tuple(
    _SHORTEST_SECONDS * 10 ** ((index + 1) / _PER_DECADE) for index in range(_LAST + 1)
)
"""Upper edges of the buckets. What is longer than the last is counted there all the same."""


class Histogram:
    """Counts of durations. Not for several threads at a time."""

    __slots__ = ("counts", "total_seconds")

    def __init__(self, counts: Mapping[int, int] | None = None, total_seconds: float = 0.0) -> None:
        self.counts = dict(counts or {})
        self.total_seconds = total_seconds

    @property
    def count(self) -> int:
        """The number of observations."""
        return sum(self.counts.values())

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        bucket = _bucket(seconds)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total_seconds += seconds

    def add(self, other: Histogram) -> None:
        """Count all that the other has counted."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.total_seconds += other.total_seconds

    def quantile(self, share: float) -> float:
        """Return the duration that ``share`` of the observations do not exceed; NaN for none."""
        rank = max(math.ceil(share * self.count), 1)
        passed = 0
        for bucket in sorted(self.counts):
            passed += self.counts[bucket]
            if passed >= rank:
                # The middle of the bucket, as factors go.
                return EDGES_SECONDS[bucket] * 10 ** (-0.5 / _PER_DECADE)
        return math.nan


def _bucket(seconds: float) -> int:
    if seconds <= _SHORTEST_SECONDS:
        return 0
    return min(int(math.log10(seconds / _SHORTEST_SECONDS) * _PER_DECADE), _LAST)
