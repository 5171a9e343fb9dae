"""Each rule speaks with enough evidence, and is silent without any part of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ape_jupyter.model.memory import KernelMemory, MappedRun, MemoryReport, RunMemory
from ape_jupyter.model.performance import CacheUse, RunUse, SuggestionKind
from ape_jupyter.services.monitor.suggestions import LinkedRun, Situation, advise

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OFTEN = RunUse(sim_id="a", name="quiet-harbour", opens=9.6, cold_opens=3, cold_seconds=6.0)
CACHED = RunMemory(
    sim_id="a",
    name="quiet-harbour",
    cached_mb=100,
    resident_mb=80,
    pandas_mb=900,
    n_readers=0,
    is_pinned=False,
    is_in_use=False,
    last_used=NOW - timedelta(hours=5),
)
MAPPED = MappedRun(sim_id="a", mapped_mb=100, pss_mb=50, resident_mb=80)
KERNEL = KernelMemory(kernel_id="k", pid=4711, private_mb=1300, pss_mb=1400, runs=(MAPPED,))
MEMORY = MemoryReport(
    kernels=(),
    runs=(),
    limit_mb=8000,
    budget_mb=1000,
    cached_mb=0,
    shared_mb=0,
    pandas_mb=0,
    notes=(),
)
NOTHING = Situation(
    cache=CacheUse(),
    uses=(),
    memory=MEMORY,
    pinned=frozenset(),
    largest_budget_mb=50_000,
    unverified_since=NOW - timedelta(days=29),
    n_runs=12,
    stored_mb=3400,
    linked=(),
    now=NOW,
)
LINKED = LinkedRun(sim_id="a", name="quiet-harbour", size_mb=55, changes=2)
MISSES = CacheUse(hits=10, misses=20, miss_seconds=40, evictions=10, evicted_mb=900)


def with_runs(**changes):
    return replace(NOTHING, memory=replace(MEMORY, runs=(replace(CACHED, **changes),)))


def with_kernel(**changes):
    recent = replace(CACHED, last_used=NOW)
    kernels = (replace(KERNEL, **changes),)
    return replace(NOTHING, memory=replace(MEMORY, runs=(recent,), kernels=kernels))


def with_use(**changes):
    return replace(NOTHING, uses=(replace(OFTEN, **changes),))


def with_cache(**changes):
    return replace(NOTHING, cache=replace(MISSES, **changes))


def test_nothing_observed_nothing_suggested():
    assert advise(NOTHING) == []


@pytest.mark.parametrize(
    ("situation", "kind", "in_sentence", "saves_mb", "saves_seconds"),
    [
        (with_use(), "pin", "quiet-harbour", None, 4.0),
        (with_cache(), "raise_budget", "33%", None, 20.0),
        (with_runs(), "unload_idle", "quiet-harbour", 80, None),
        (with_kernel(), "drop_copies", "kernel k", 900, None),
        (replace(NOTHING, linked=(LINKED,)), "copy_linked", "2 times", None, None),
        (
            replace(NOTHING, unverified_since=NOW - timedelta(days=31)),
            "verify",
            "31 days",
            None,
            None,
        ),
        (with_kernel(kernel_id=None), "drop_copies", "process 4711", 900, None),
    ],
)
def test_speaks_with_evidence(situation, kind, in_sentence, saves_mb, saves_seconds):
    (advice,) = advise(situation)
    assert advice.kind is SuggestionKind(kind)
    assert in_sentence in str(advice)
    assert str(advice).endswith(".")
    assert advice.evidence
    assert advice.saves_mb == saves_mb
    assert advice.saves_seconds == (None if saves_seconds is None else pytest.approx(saves_seconds))
    assert "/" not in advice.suggestion_id


@pytest.mark.parametrize(
    "situation",
    [
        with_use(opens=4.4),
        with_use(cold_opens=1.4),
        replace(with_use(), pinned=frozenset("a")),
        # Pinning it would leave too little for all others.
        replace(with_runs(cached_mb=600, last_used=NOW), uses=(OFTEN,)),
        with_cache(hits=60),
        with_cache(hits=3, misses=10),
        with_cache(evictions=0),
        replace(with_cache(), largest_budget_mb=1050),
        with_runs(resident_mb=40),
        with_runs(resident_mb=None),
        with_runs(is_pinned=True),
        with_runs(is_in_use=True),
        with_runs(last_used=NOW - timedelta(minutes=59)),
        with_kernel(private_mb=1100),
        with_kernel(private_mb=None),
        with_kernel(runs=()),
        replace(NOTHING, linked=(replace(LINKED, changes=1),)),
        replace(NOTHING, unverified_since=NOW - timedelta(days=400), n_runs=0),
    ],
)
def test_is_silent_without_all_of_the_evidence(situation):
    assert advise(situation) == []


def test_suggests_few_pins_that_fit_together():
    uses = tuple(replace(OFTEN, sim_id=str(n), name=f"run {n}") for n in range(9))
    runs = tuple(replace(CACHED, sim_id=str(n), cached_mb=200, last_used=NOW) for n in range(9))
    situation = replace(NOTHING, uses=uses, memory=replace(MEMORY, runs=runs))
    assert [advice.sim_id for advice in advise(situation)] == ["0", "1"]
    larger = replace(situation, memory=replace(situation.memory, budget_mb=9000))
    assert [advice.sim_id for advice in advise(larger)] == ["0", "1", "2"]


def test_a_budget_is_not_raised_beyond_the_disk():
    (advice,) = advise(replace(with_cache(), largest_budget_mb=1200))
    assert advice.evidence["suggested_mb"] == 1200


def test_ids_last_and_differ():
    uses = (OFTEN, replace(OFTEN, sim_id="../b"))
    first, again = (advise(replace(NOTHING, uses=uses)) for _ in range(2))
    assert [one.suggestion_id for one in first] == [one.suggestion_id for one in again]
    assert len({one.suggestion_id for one in first}) == 2
