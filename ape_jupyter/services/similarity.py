"""How far apart runs are: Gower's distance over parameters of all kinds.

For each thing compared, numbers differ by a share of their range, from 0 to 1, and all else by
0 or 1; the distance is the mean (J. C. Gower, A General Coefficient of Similarity and Some of
Its Properties, Biometrics 27, 1971, 857-871). What only one of two runs has differs by 1, and
what neither has is not compared, as Gower has it for characters that can be absent: otherwise
a run with a single parameter in common would be the most alike.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Nearest", "Number", "Profiles", "Text", "distances", "numbers_in", "scaled"]

Floats: TypeAlias = npt.NDArray[np.float64]

IS_TEXT = 1 << 31
_ENTRY = np.dtype([("key", "<u4"), ("bits", "<u8")])
_COMMON, _ELSEWHERE, _IGNORED = 0, -1, -2


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the reference, those of other runs, and the range of all; NaN for none."""

    reference: float
    others: Floats
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text of the reference and those of other runs; None for none."""

    reference: str | None
    others: Sequence[str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """Parameters of runs as the registry packs them.

    Attributes
    ----------
    reference : bytes
        Those of the run to compare with.
    others : sequence of bytes
        Those of other runs.
    ranges : mapping
        Least and greatest value by path, for the numbers of the reference.
    ignored : collection of int
        Paths that are not compared.
    """

    reference: bytes
    others: Sequence[bytes]
    ranges: Mapping[int, tuple[float, float]]
    ignored: Iterable[int]


def numbers_in(profile: bytes) -> list[int]:
    """Return the paths of the numbers among the parameters of a run."""
    keys = np.frombuffer(profile, _ENTRY)["key"]
    return [int(key) for key in keys[keys < IS_TEXT]]


def scaled(difference: float, low: float, high: float) -> float:
    """Return a difference as a share of a range."""
    return min(abs(difference) / (high - low), 1.0) if high > low else 0.0


def distances(profiles: Profiles, features: Sequence[Number | Text]) -> Floats:
    """Return how far other runs are from a reference, by their parameters and features."""
    total, count = _parameter_sums(profiles)
    for feature in features:
        apart, is_compared = _feature(feature)
        total += apart
        count += is_compared
    return total / np.maximum(count, 1)


def _feature(feature: Number | Text) -> tuple[Floats, npt.NDArray[np.bool_]]:
    if isinstance(feature, Number):
        span = feature.high - feature.low
        apart = np.abs(feature.others - feature.reference) / span if span > 0 else 0.0
        has, have = not np.isnan(feature.reference), ~np.isnan(feature.others)
        apart = np.where(have & has, np.minimum(apart, 1.0), 1.0)
    else:
        others = np.array(feature.others, dtype=object)
        has, have = feature.reference is not None, others != np.array(None)
        apart = (others != np.array(feature.reference, dtype=object)).astype(float)
    is_compared = have | has
    return np.where(is_compared, apart, 0.0), is_compared


def _parameter_sums(profiles: Profiles) -> tuple[Floats, Floats]:
    """Return for each run the sum of its distances, and of how many parameters it is."""
    own = np.frombuffer(profiles.reference, _ENTRY)
    entries = np.frombuffer(b"".join(profiles.others), _ENTRY)
    sizes = [len(profile) // _ENTRY.itemsize for profile in profiles.others]
    n_runs = len(sizes)
    runs = np.repeat(np.arange(n_runs), sizes)
    paths = entries["key"] & (IS_TEXT - 1)
    own_paths = own["key"] & (IS_TEXT - 1)
    ignored = np.fromiter(profiles.ignored, np.int64)
    is_own = ~np.isin(own_paths, ignored)
    own, own_paths = own[is_own], own_paths[is_own]

    largest = max([0, *map(int, (p.max() for p in (paths, own_paths, ignored) if p.size))])
    place = np.full(largest + 1, _ELSEWHERE)
    place[ignored] = _IGNORED
    place[own_paths] = np.arange(len(own))
    found = place[paths]
    is_common = found >= _COMMON

    at, bits, keys = found[is_common], entries["bits"][is_common], entries["key"][is_common]
    low, high = (
        np.array([profiles.ranges.get(int(path), (0.0, 0.0))[end] for path in own_paths])
        for end in (0, 1)
    )
    span = np.where(high > low, high - low, np.inf)
    apart = np.ones(len(at))
    is_alike = keys == own["key"][at]
    is_text = keys >= IS_TEXT
    texts, numbers = is_alike & is_text, is_alike & ~is_text
    apart[texts] = bits[texts] != own["bits"][at[texts]]
    # Without ranges there are no numbers: an empty array has no type to index it by.
    if numbers.any():
        difference = bits[numbers].view("<f8") - own["bits"][at[numbers]].view("<f8")
        apart[numbers] = np.minimum(np.abs(difference) / span[at[numbers]], 1.0)

    common = np.bincount(runs[is_common], minlength=n_runs)
    of_common = np.bincount(runs[is_common], apart, minlength=n_runs)
    elsewhere = np.bincount(runs[found == _ELSEWHERE], minlength=n_runs)
    only_one = (len(own) - common) + elsewhere
    # Of no entries bincount gives integers, weights or not.
    return (of_common + only_one).astype(float), (len(own) + elsewhere).astype(float)


@dataclass(slots=True)
class Nearest:
    """The nearest of any number of runs, of which only these are kept."""

    limit: int
    best: list[tuple[float, str]] = field(default_factory=list)

    def add(self, sim_ids: Sequence[str], apart: Floats) -> None:
        """Take in more runs; of two that are as far, the first by its id."""
        worst = self.best[-1][0] if len(self.best) == self.limit else np.inf
        near = np.flatnonzero(apart <= worst)
        if len(near) > self.limit:
            edge = np.partition(apart[near], self.limit - 1)[self.limit - 1]
            near = near[apart[near] <= edge]
        more = [(float(apart[index]), sim_ids[index]) for index in near.tolist()]
        self.best = heapq.nsmallest(self.limit, [*self.best, *more])
