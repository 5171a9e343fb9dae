"""What the figures suggest. Each rule wants enough observations, or says nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ape_jupyter.model.memory import KernelMemory, MemoryReport, RunMemory
from ape_jupyter.model.performance import Advice, CacheUse, RunUse, SuggestionKind

__all__ = ["IDLE_SECONDS", "LinkedRun", "Situation", "advise"]

IDLE_SECONDS = 3600.0

_LEAST_OPENS = 5
_LEAST_COLD_OPENS = 2
_PINS_AT_A_TIME = 3
_PINNED_SHARE = 0.5

_LEAST_LOADS = 20
_LOW_HIT_RATE = 0.7
_BUDGET_FACTOR = 2.0
_WORTHWHILE_FACTOR = 1.1

_IDLE_MB = 100.0
_IDLE_SHARE = 0.05

# What a kernel with pandas and a figure takes before it has any data.
_KERNEL_MB = 300.0
_COPIES_MB = 100.0


_VERIFY_DAYS = 30
_LEAST_CHANGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedRun:
    """A run whose files lie elsewhere, and how often they were found changed or gone."""

    sim_id: str
    name: str
    size_mb: float
    changes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the rules look at.

    Attributes
    ----------
    uses : sequence of RunUse
        Of the runs that are there, the most used first.
    largest_budget_mb : float
        What the disk would let the cache take.
    unverified_since : datetime
        When all results were last checked; else when measuring began.
    n_runs, stored_mb
        Of the whole library.
    linked : sequence of LinkedRun
        Those that were found changed.
    """

    cache: CacheUse
    uses: Sequence[RunUse]
    memory: MemoryReport
    pinned: frozenset[str]
    largest_budget_mb: float
    unverified_since: datetime
    n_runs: int
    stored_mb: float
    linked: Sequence[LinkedRun]
    now: datetime


def advise(situation: Situation) -> list[Advice]:
    """Return what would help, the greatest effect first."""
    rules = (_pin, _raise_budget, _unload_idle, _drop_copies, _copy_linked, _verify)
    found = [advice for rule in rules for advice in rule(situation)]
    return sorted(found, key=lambda one: (-(one.saves_seconds or 0), -(one.saves_mb or 0)))


def _pin(situation: Situation) -> Iterator[Advice]:
    sizes = {run.sim_id: run.cached_mb for run in situation.memory.runs}
    room = situation.memory.budget_mb * _PINNED_SHARE
    room -= sum(sizes.get(sim_id, 0.0) for sim_id in situation.pinned)
    suggested = 0
    for use in situation.uses:
        often = round(use.opens) >= _LEAST_OPENS and round(use.cold_opens) >= _LEAST_COLD_OPENS
        size = sizes.get(use.sim_id, 0.0)
        if not often or use.sim_id in situation.pinned or size > room:
            continue
        each = use.cold_seconds / use.cold_opens
        saved = use.cold_seconds - each
        yield _advice(
            SuggestionKind.PIN,
            use.sim_id,
            f"Pin {use.name}: of {use.opens:.0f} recent openings, {use.cold_opens:.0f} had to "
            f"make its files ready again, for {_seconds(each)} each.",
            evidence={
                "opens": use.opens,
                "cold_opens": use.cold_opens,
                "seconds_per_cold_open": each,
                "cached_mb": size,
            },
            saves_seconds=saved,
        )
        room -= size
        suggested += 1
        if suggested == _PINS_AT_A_TIME:
            return


def _raise_budget(situation: Situation) -> Iterator[Advice]:
    use, budget = situation.cache, situation.memory.budget_mb
    rate = use.hit_rate
    wanted = min(budget * _BUDGET_FACTOR, situation.largest_budget_mb)
    # The first opening of a run is a miss whatever the budget; only what was evicted would
    # have been found in a larger cache.
    avoidable = min(use.evictions, use.misses)
    if (
        rate is None
        or rate >= _LOW_HIT_RATE
        or round(use.hits + use.misses) < _LEAST_LOADS
        or round(avoidable) < 1
        or wanted < budget * _WORTHWHILE_FACTOR
    ):
        return
    saved = use.miss_seconds * avoidable / use.misses
    yield _advice(
        SuggestionKind.RAISE_BUDGET,
        None,
        f"Raise the budget of the cache from {_mb(budget)} to {_mb(wanted)}: only {rate:.0%} of "
        f"{use.hits + use.misses:.0f} recent openings found their files, after "
        f"{use.evictions:.0f} evictions; the others took {_seconds(use.miss_seconds)} in all.",
        evidence={
            "hit_rate": rate,
            "opens": use.hits + use.misses,
            "evictions": use.evictions,
            "evicted_mb": use.evicted_mb,
            "miss_seconds": use.miss_seconds,
            "budget_mb": budget,
            "suggested_mb": wanted,
        },
        saves_seconds=saved,
    )


def _unload_idle(situation: Situation) -> Iterator[Advice]:
    idle = [run for run in situation.memory.runs if _is_idle(run, situation.now)]
    resident = sum(run.resident_mb or 0.0 for run in idle)
    if resident < min(_IDLE_MB, situation.memory.budget_mb * _IDLE_SHARE) or not resident:
        return
    names = _names(run.name for run in idle)
    yield _advice(
        SuggestionKind.UNLOAD_IDLE,
        None,
        f"Unload {names}: {_mb(resident)} of memory hold what nobody has used for an hour.",
        evidence={
            "idle_seconds": {
                run.sim_id: (situation.now - run.last_used).total_seconds() for run in idle
            },
            "resident_mb": {run.sim_id: run.resident_mb for run in idle},
        },
        saves_mb=resident,
    )


def _is_idle(run: RunMemory, now: datetime) -> bool:
    idle_seconds = (now - run.last_used).total_seconds()
    unused = not (run.is_pinned or run.is_in_use)
    return unused and bool(run.resident_mb) and idle_seconds >= IDLE_SECONDS


def _drop_copies(situation: Situation) -> Iterator[Advice]:
    as_pandas = {run.sim_id: run.pandas_mb for run in situation.memory.runs}
    for kernel in situation.memory.kernels:
        copies = sum(as_pandas.get(run.sim_id, 0.0) for run in kernel.runs)
        own = (kernel.private_mb or 0.0) - _KERNEL_MB
        if copies < _COPIES_MB or own < copies:
            continue
        mapped = sum(run.pss_mb or 0.0 for run in kernel.runs)
        yield _advice(
            SuggestionKind.DROP_COPIES,
            None,
            f"Drop the pandas copies in {_kernel(kernel)}: beside {_mb(mapped)} of mapped runs it "
            f"has {_mb(kernel.private_mb or 0.0)} for itself, room for copies of all of these "
            f"({_mb(copies)}).",
            evidence={
                "kernel_id": kernel.kernel_id,
                "pid": kernel.pid,
                "private_mb": kernel.private_mb,
                "mapped_mb": mapped,
                "pandas_mb": copies,
                "runs": [run.sim_id for run in kernel.runs],
            },
            saves_mb=copies,
            target=str(kernel.pid),
        )


def _verify(situation: Situation) -> Iterator[Advice]:
    days = (situation.now - situation.unverified_since).days
    if days < _VERIFY_DAYS or not situation.n_runs:
        return
    yield _advice(
        SuggestionKind.VERIFY,
        None,
        f"Verify the library: in {days} days nothing has checked whether its "
        f"{situation.n_runs:,} runs ({_mb(situation.stored_mb)}) are what was stored.",
        evidence={
            "unverified_since": situation.unverified_since.isoformat(),
            "n_runs": situation.n_runs,
            "stored_mb": situation.stored_mb,
        },
    )


def _copy_linked(situation: Situation) -> Iterator[Advice]:
    for run in situation.linked:
        if run.changes < _LEAST_CHANGES:
            continue
        yield _advice(
            SuggestionKind.COPY_LINKED,
            run.sim_id,
            f"Copy {run.name} into the library: the files that it links have changed or vanished "
            f"{run.changes} times, and it could not be used; a copy takes {_mb(run.size_mb)}.",
            evidence={"changes": run.changes, "size_mb": run.size_mb},
        )


def _kernel(kernel: KernelMemory) -> str:
    return f"process {kernel.pid}" if kernel.kernel_id is None else f"kernel {kernel.kernel_id}"


def _advice(
    kind: SuggestionKind,
    sim_id: str | None,
    sentence: str,
    *,
    evidence: Mapping[str, Any],
    saves_mb: float | None = None,
    saves_seconds: float | None = None,
    target: str = "",
) -> Advice:
    # A part of a path: names and ids of runs can hold what has a meaning there.
    digest = hashlib.sha256((sim_id or target).encode()).hexdigest()[:12]
    return Advice(
        suggestion_id=f"{kind.value}-{digest}",
        kind=kind,
        sim_id=sim_id,
        sentence=sentence,
        evidence=evidence,
        saves_mb=saves_mb,
        saves_seconds=saves_seconds,
    )


def _names(names: Iterable[str], shown: int = 3) -> str:
    found = list(names)
    more = len(found) - shown
    return ", ".join(found[:shown]) + (f" and {more} more" if more > 0 else "")


def _seconds(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 1 else f"{seconds * 1000:,.0f} ms"


def _mb(value: float) -> str:
    return f"{value:,.0f} MB" if value >= 10 else f"{value:,.1f} MB"  # noqa: PLR2004
