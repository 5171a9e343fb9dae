"""Which runs leave the cache when it is full."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["CachedRun", "choose_victims"]

_LEAST_SECONDS = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedRun:
    """The mapped files of one result set.

    Attributes
    ----------
    last_used : float
        Seconds since the epoch.
    rebuild_seconds : float
        How long it takes to make the files again.
    is_exempt : bool
        Whether they stay, whatever happens: pinned, or in use.
    """

    digest: str
    size_bytes: int
    last_used: float
    rebuild_seconds: float
    is_exempt: bool = False


def choose_victims(
    runs: Iterable[CachedRun], limit_bytes: int, *, now: float
) -> tuple[CachedRun, ...]:
    """Return the runs to evict so that the rest fits into ``limit_bytes``, worst first.

    The worst run to keep is the one that has not been used for the longest time, weighted
    by the bytes that each second of making it again would buy. Of runs of one size and
    cost, the least recently used goes first. No run goes that could stay.

    When the exempt runs alone are too large, all others go.
    """
    runs = list(runs)
    excess = sum(run.size_bytes for run in runs) - limit_bytes
    candidates = [run for run in runs if not run.is_exempt and run.size_bytes > 0]
    candidates.sort(key=lambda run: (-_weight(run, now), run.last_used, run.digest))
    victims: list[CachedRun] = []
    for run in candidates:
        if excess <= 0:
            break
        victims.append(run)
        excess -= run.size_bytes
    # A large run that came last can make small ones before it unnecessary.
    spare = -excess
    for run in reversed(victims):
        if run.size_bytes <= spare:
            spare -= run.size_bytes
            victims.remove(run)
    return tuple(victims)


def _weight(run: CachedRun, now: float) -> float:
    # A clock that was set back makes times of the future: those runs were just used.
    idle = max(now - run.last_used, 0.0) + _LEAST_SECONDS
    return idle * run.size_bytes / max(run.rebuild_seconds, _LEAST_SECONDS)
