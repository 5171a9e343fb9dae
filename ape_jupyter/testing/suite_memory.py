"""The part of the suite that is about the cache: pins, evictions, and figures of memory."""

from __future__ import annotations

import os

import pyarrow.compute as pc
import pytest

from ape_jupyter.errors import ConflictError, InvalidArgumentError, SimulationNotFoundError
from ape_jupyter.library.interface import Library
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["MemoryTests", "ResidencyTests"]


class ResidencyTests:
    """Keeping runs in the cache, and taking them out."""

    def test_pins(self, filled: Library) -> None:
        data = filled.load_simulation(EXAMPLE_NAMES[0])
        before = data.metadata
        states = [data.is_pinned]
        pinned = filled.pin(EXAMPLE_NAMES[0])
        assert (pinned.is_pinned, pinned.revision) == (True, before.revision + 1)
        assert filled.pin(EXAMPLE_NAMES[0]) == pinned
        states.append(data.is_pinned)
        assert filled.get_metadata(EXAMPLE_NAMES[0]) == pinned
        unpinned = filled.unpin(EXAMPLE_NAMES[0])
        assert (unpinned.is_pinned, unpinned.revision) == (False, before.revision + 2)
        states.append(data.is_pinned)
        assert states == [False, True, False]

    def test_evicts_what_nobody_uses(self, filled: Library) -> None:
        assert filled.evict(EXAMPLE_NAMES[0]).freed_mb == 0
        data = filled.load_simulation(EXAMPLE_NAMES[0])
        visits = data.load_results().visits
        total = pc.sum(visits["vision"]).as_py()
        data.unload_results()
        eviction = filled.evict(EXAMPLE_NAMES[0])
        assert eviction.sim_id == data.metadata.sim_id
        assert eviction.freed_mb > 0
        assert pc.sum(visits["vision"]).as_py() == total
        assert pc.sum(data.load_results().visits["vision"]).as_py() == total

    def test_keeps_what_is_in_use(self, filled: Library) -> None:
        data = filled.load_simulation(EXAMPLE_NAMES[0], load_data=True)
        with pytest.raises(ConflictError, match="in use"):
            filled.evict(EXAMPLE_NAMES[0])
        data.unload_results()
        assert filled.evict(EXAMPLE_NAMES[0]).freed_mb > 0

    def test_garbage_is_not_in_use(self, filled: Library) -> None:
        visits = filled.load_simulation(EXAMPLE_NAMES[0]).load_results().visits
        assert filled.evict(EXAMPLE_NAMES[0]).freed_mb > 0
        assert visits.num_rows > 0

    def test_keeps_what_is_pinned(self, filled: Library) -> None:
        filled.pin(EXAMPLE_NAMES[0])
        filled.load_simulation(EXAMPLE_NAMES[0], load_data=True).unload_results()
        with pytest.raises(ConflictError, match="pinned"):
            filled.evict(EXAMPLE_NAMES[0])

    def test_compares_what_is_evicted(self, filled: Library) -> None:
        before = filled.compare_simulations(EXAMPLE_NAMES[:2]).series
        for name in EXAMPLE_NAMES[:2]:
            filled.evict(name)
        assert filled.compare_simulations(EXAMPLE_NAMES[:2]).series.equals(before)

    def test_unknown_runs(self, filled: Library) -> None:
        for call in (filled.pin, filled.unpin, filled.evict):
            with pytest.raises(SimulationNotFoundError):
                call("no such run")


class MemoryTests:
    """What runs take."""

    def test_results_tell_what_they_take(self, filled: Library) -> None:
        results = filled.load_simulation(EXAMPLE_NAMES[0]).load_results()
        pc.sum(results.visits["vision"])
        usage = results.memory_usage()
        assert usage.mapped_mb > 0
        if usage.resident_mb is not None:
            assert 0 < usage.resident_mb <= usage.mapped_mb + 0.1
            assert usage.private_mb == 0

    def test_runs_in_the_cache_have_figures(self, filled: Library) -> None:
        assert filled.get_memory_usage() == {}
        data = filled.load_simulation(EXAMPLE_NAMES[0], load_data=True)
        usage = filled.get_memory_usage()
        assert list(usage) == [data.metadata.sim_id]
        assert usage[data.metadata.sim_id] > 0
        data.unload_results()
        filled.evict(EXAMPLE_NAMES[0])
        assert filled.get_memory_usage() == {}

    def test_reports(self, filled: Library) -> None:
        filled.pin(EXAMPLE_NAMES[1])
        data = filled.load_simulation(EXAMPLE_NAMES[1])
        pc.sum(data.load_results().visits["vision"])
        report = filled.memory()
        (run,) = report.runs
        assert (run.sim_id, run.name) == (data.metadata.sim_id, data.metadata.name)
        assert run.is_pinned
        assert run.pandas_mb > 0
        assert 0 < run.cached_mb == report.cached_mb < report.budget_mb
        if report.shared_mb is None:
            assert report.notes
            return
        # This process is no kernel, and has the run open.
        (kernel,) = report.kernels
        assert (kernel.kernel_id, kernel.pid) == (None, os.getpid())
        assert kernel.private_mb is not None
        assert kernel.private_mb > 1
        (mapped,) = kernel.runs
        assert mapped.sim_id == run.sim_id
        assert mapped.resident_mb is not None
        assert 0 < mapped.resident_mb <= mapped.mapped_mb
        assert report.shared_mb == mapped.pss_mb
        assert report.pandas_mb == run.pandas_mb
        assert (run.n_readers, run.is_in_use) == (1, True)

    def test_optimizes_and_says_why(self, filled: Library) -> None:
        held = filled.load_simulation(EXAMPLE_NAMES[0], load_data=True)
        filled.pin(EXAMPLE_NAMES[1])
        for name in EXAMPLE_NAMES[1:]:
            filled.load_simulation(name, load_data=True).unload_results()
        cautious = filled.optimize_memory()
        assert {step.action.value for step in cautious.steps} == {"kept"}
        assert (cautious.freed_disk_mb, cautious.freed_memory_mb) == (0, 0)
        report = filled.optimize_memory(idle_for=0)
        steps = {step.name: step for step in report.steps}
        assert "pinned" in steps[EXAMPLE_NAMES[1]].reason
        assert "in use" in steps[EXAMPLE_NAMES[0]].reason
        assert steps[EXAMPLE_NAMES[2]].action.value in ("released", "evicted", "kept")
        assert EXAMPLE_NAMES[2] in str(report)
        assert held.load_results().visits.num_rows == held.metadata.n_visits
        again = filled.load_simulation(EXAMPLE_NAMES[2]).load_results()
        assert again.visits["vision"].null_count == 0

    @pytest.mark.parametrize("idle_for", [-1, float("nan"), float("inf")])
    def test_refuses_what_is_no_time(self, filled: Library, idle_for: float) -> None:
        with pytest.raises(InvalidArgumentError):
            filled.optimize_memory(idle_for=idle_for)
