"""All that is remembered of how a library was used: a few kilobytes, however long it runs."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor.histogram import EDGES_SECONDS, Histogram

__all__ = ["HALF_LIFE_SECONDS", "MAX_RUNS", "Measurements", "Opens", "Recent"]

HALF_LIFE_SECONDS = 7 * 24 * 3600
"""What is recent fades: after this time an observation counts half."""

MAX_RUNS = 500

MB = 10**6


@dataclass(slots=True)
class Opens:
    """Recent openings of one run."""

    opens: float = 0.0
    cold_opens: float = 0.0
    cold_seconds: float = 0.0

    def add(self, other: Opens, factor: float) -> None:
        """Add another's, each counting ``factor``."""
        self.opens += factor * other.opens
        self.cold_opens += factor * other.cold_opens
        self.cold_seconds += factor * other.cold_seconds


@dataclass(slots=True)
class Recent:
    """Recent use of the cache; its evictions are those that made room."""

    hits: float = 0.0
    misses: float = 0.0
    miss_seconds: float = 0.0
    evictions: float = 0.0
    evicted_mb: float = 0.0

    def add(self, other: Recent, factor: float) -> None:
        """Add another's, each counting ``factor``."""
        self.hits += factor * other.hits
        self.misses += factor * other.misses
        self.miss_seconds += factor * other.miss_seconds
        self.evictions += factor * other.evictions
        self.evicted_mb += factor * other.evicted_mb


@dataclass(slots=True)
class Measurements:
    """Observations that can be added up. Not for several threads at a time.

    Attributes
    ----------
    since, at : float
        When the first was made, and the time to which recent ones have faded; seconds since
        the epoch.
    evictions, evicted_bytes : int
        Since the beginning; what ``recent`` has of the cache's use has faded.
    opens : dict
        By run; the rarest are forgotten.
    moments : dict
        When something was last done, such as checking the whole library.
    reached : set
        The thresholds that are reached now.
    """

    since: float = field(default_factory=time.time)
    at: float = field(default_factory=time.time)
    latencies: dict[Operation, Histogram] = field(default_factory=dict)
    evictions: int = 0
    evicted_bytes: int = 0
    recent: Recent = field(default_factory=Recent)
    opens: dict[str, Opens] = field(default_factory=dict)
    moments: dict[str, float] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def count_of(self, operation: Operation) -> int:
        """Return how often something was done."""
        histogram = self.latencies.get(operation)
        return 0 if histogram is None else histogram.count

    def observe(self, operation: Operation, seconds: float) -> None:
        """Count one duration."""
        histogram = self.latencies.get(operation)
        if histogram is None:
            histogram = self.latencies[operation] = Histogram()
        histogram.observe(seconds)

    def opened(self, sim_id: str, seconds: float, *, warm: bool) -> None:
        """Count one opening."""
        self.observe(Operation.OPEN_WARM if warm else Operation.OPEN_COLD, seconds)
        opens = self.opens.get(sim_id)
        if opens is None:
            opens = self.opens[sim_id] = Opens()
        opens.opens += 1
        if warm:
            self.recent.hits += 1
            return
        opens.cold_opens += 1
        opens.cold_seconds += seconds
        self.recent.misses += 1
        self.recent.miss_seconds += seconds

    def evicted(self, size_bytes: int, *, made_room: bool) -> None:
        """Count one eviction."""
        self.evictions += 1
        self.evicted_bytes += size_bytes
        if not made_room:
            return
        self.recent.evictions += 1
        self.recent.evicted_mb += size_bytes / MB

    def fade(self, now: float) -> None:
        """Let what is recent count less, as time has passed."""
        # A clock that was set back makes nothing count more.
        gone = 1 - 0.5 ** (max(now - self.at, 0.0) / HALF_LIFE_SECONDS)
        self.at = max(now, self.at)
        self.recent.add(self.recent, -gone)
        for opens in self.opens.values():
            opens.add(opens, -gone)

    def add(self, other: Measurements) -> None:
        """Add what another has observed; the thresholds reached stay as they are here."""
        now = max(self.at, other.at)
        self.fade(now)
        factor = 0.5 ** ((now - other.at) / HALF_LIFE_SECONDS)
        self.since = min(self.since, other.since)
        for operation, histogram in other.latencies.items():
            self.latencies.setdefault(operation, Histogram()).add(histogram)
        self.evictions += other.evictions
        self.evicted_bytes += other.evicted_bytes
        self.recent.add(other.recent, factor)
        for sim_id, opens in other.opens.items():
            self.opens.setdefault(sim_id, Opens()).add(opens, factor)
        for name, moment in other.moments.items():
            self.moments[name] = max(moment, self.moments.get(name, moment))
        self._forget_rarest(keep=other.opens)

    def _forget_rarest(self, keep: Collection[str]) -> None:
        if len(self.opens) <= MAX_RUNS:
            return
        # A run that was opened just now has no past that it could be measured by.
        by_use = sorted(self.opens, key=lambda sim_id: -self.opens[sim_id].opens)
        for sim_id in sorted(by_use, key=lambda sim_id: sim_id not in keep)[MAX_RUNS:]:
            del self.opens[sim_id]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "since": self.since,
            "at": self.at,
            "latencies": {
                operation.value: {
                    "counts": {str(bucket): count for bucket, count in histogram.counts.items()},
                    "total_seconds": histogram.total_seconds,
                }
                for operation, histogram in self.latencies.items()
            },
            "evictions": self.evictions,
            "evicted_bytes": self.evicted_bytes,
            "recent": _values(self.recent),
            "opens": {sim_id: _values(opens) for sim_id, opens in self.opens.items()},
            "moments": self.moments,
            "reached": sorted(self.reached),
        }

    @classmethod
    def from_json(cls, data: Any) -> Measurements:
        """Read what :meth:`to_json` has written.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        try:
            return cls(
                since=_number(data["since"]),
                at=_number(data["at"]),
                latencies={
                    Operation(name): _histogram(histogram)
                    for name, histogram in data["latencies"].items()
                },
                evictions=int(_number(data["evictions"])),
                evicted_bytes=int(_number(data["evicted_bytes"])),
                recent=Recent(**_numbers(data["recent"])),
                opens={
                    sim_id: Opens(*map(_number, opens.values()))
                    for sim_id, opens in data["opens"].items()
                },
                moments=_numbers(data["moments"]),
                reached=set(map(str, data["reached"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"These are no measurements: {error!r}") from error


def _values(record: Any) -> dict[str, float]:
    return {each.name: getattr(record, each.name) for each in fields(record)}


def _histogram(data: Mapping[str, Any]) -> Histogram:
    counts = {int(bucket): int(_number(count)) for bucket, count in data["counts"].items()}
    if not all(0 <= bucket < len(EDGES_SECONDS) for bucket in counts):
        raise ValueError("A histogram has a bucket that there is none of.")
    return Histogram(counts, _number(data["total_seconds"]))


def _numbers(data: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(value) for name, value in data.items()}


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{value!r} can not have been measured")
    return value
