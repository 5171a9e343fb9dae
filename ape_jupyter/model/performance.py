"""How quickly a library works, how it is used, and what would make it better.

A MB is 1,000,000 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = [
    "Advice",
    "AppliedSuggestion",
    "CacheUse",
    "Latency",
    "Operation",
    "RunUse",
    "SuggestionKind",
]


class Operation(StrEnum):
    """What is timed. Opening is cold when the mapped files had to be made or waited for."""

    OPEN_WARM = "open_warm"
    OPEN_COLD = "open_cold"
    SEARCH = "search"
    COMPARISON = "comparison"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long one kind of operation took; quantiles are within 6 % of what was observed."""

    operation: Operation
    count: int
    total_seconds: float
    p50_seconds: float
    p95_seconds: float
    p99_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUse:
    """How often runs were found in the cache; what happened a week ago counts half.

    Attributes
    ----------
    hits, misses : float
        Openings that found the mapped files, and that did not.
    miss_seconds : float
        What the misses took.
    evictions, evicted_mb : float
        Result sets that left the cache to make room for others, and what they took there.
    """

    hits: float = 0.0
    misses: float = 0.0
    miss_seconds: float = 0.0
    evictions: float = 0.0
    evicted_mb: float = 0.0

    @property
    def hit_rate(self) -> float | None:
        """The share of the openings that found the files; None when there were none."""
        opened = self.hits + self.misses
        return self.hits / opened if opened else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUse:
    """How often a run was opened; what happened a week ago counts half.

    Attributes
    ----------
    opens : float
        All openings.
    cold_opens, cold_seconds : float
        Those for which its files had to be made, and what that took.
    """

    sim_id: str
    name: str
    opens: float
    cold_opens: float
    cold_seconds: float


class SuggestionKind(StrEnum):
    """What is suggested."""

    PIN = "pin"
    RAISE_BUDGET = "raise_budget"
    UNLOAD_IDLE = "unload_idle"
    DROP_COPIES = "drop_copies"
    VERIFY = "verify"
    COPY_LINKED = "copy_linked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A suggestion as data.

    Attributes
    ----------
    suggestion_id : str
        The same for as long as the same is suggested.
    sim_id : str or None
        The run it is about, if any.
    sentence : str
        What to do, why, and what it brings.
    evidence : mapping
        The figures that it rests on.
    saves_mb, saves_seconds : float or None
        What it would bring; seconds in a week.
    """

    suggestion_id: str
    kind: SuggestionKind
    sim_id: str | None
    sentence: str
    evidence: Mapping[str, Any]
    saves_mb: float | None
    saves_seconds: float | None

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSuggestion:
    """A suggestion that was carried out, and what came of it in a sentence."""

    suggestion_id: str
    kind: SuggestionKind
    result: str

    def __str__(self) -> str:
        return self.result

    @classmethod
    def of(cls, advice: Advice, result: str) -> AppliedSuggestion:
        """Say what came of an advice."""
        return cls(suggestion_id=advice.suggestion_id, kind=advice.kind, result=result)
