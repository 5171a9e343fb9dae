"""What follows from what a library observes, with real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ape_jupyter.cache.leases import LEASE_FILE
from ape_jupyter.errors import ConflictError, CorruptedDataError, InvalidArgumentError
from ape_jupyter.library import advising
from ape_jupyter.library.applying import drop_copies
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.model.memory import RunMemory
from ape_jupyter.model.performance import Advice, SuggestionKind
from ape_jupyter.services.monitor.measurements import Measurements
from ape_jupyter.testing.runs import EXAMPLE_NAMES, write_example_runs

HOLDER = """
import sys
import ape_jupyter as ape
held = ape.connect(sys.argv[1]).load_simulation(sys.argv[2], load_data=True)
print("holds", flush=True)
sys.stdin.read()
"""
NOTEBOOK = """
import numpy as np
import pandas as pd
from IPython.core.interactiveshell import InteractiveShell
from ape_jupyter.library.private_memory import release_private_memory
shell = InteractiveShell.instance(user_ns={"pd": pd, "np": np})
shell.run_cell("frame = pd.DataFrame({'a': np.ones(5_000_000)})", store_history=True)
shell.run_cell("pd.DataFrame({'a': np.ones(20_000_000)})", store_history=True)
freed = release_private_memory()
shell.run_cell("assert frame['a'].sum() == 5_000_000").raise_error()
print(freed)
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example_runs(tmp_path_factory.mktemp("runs"))[0].parent


@pytest.fixture
def library(tmp_path: Path, runs: Path) -> Iterator[LocalLibrary]:
    with LocalLibrary.open(tmp_path / "library") as library:
        library.import_results(runs)
        yield library


@pytest.fixture
def small(library: LocalLibrary, tmp_path: Path) -> Iterator[LocalLibrary]:
    """Give the library with room for one of its runs."""
    library.load_simulation(EXAMPLE_NAMES[1], load_data=True).unload_results()
    (run,) = library.memory().runs
    library.evict(EXAMPLE_NAMES[1])
    with LocalLibrary.open(tmp_path / "library", cache_budget_mb=run.cached_mb * 1.1) as small:
        yield small


def cached(library: LocalLibrary) -> list[str]:
    return sorted(run.name for run in library.memory().runs)


def test_the_budget_is_kept_when_a_run_is_let_go(small: LocalLibrary) -> None:
    held = [small.load_simulation(name, load_data=True) for name in EXAMPLE_NAMES]
    assert cached(small) == sorted(EXAMPLE_NAMES)
    for data in held:
        data.unload_results()
    report = small.memory()
    assert len(report.runs) == 1
    assert report.cached_mb <= report.budget_mb


def test_the_budget_is_kept_after_a_process_was_killed(small: LocalLibrary) -> None:
    command = [sys.executable, "-c", HOLDER, small.location, EXAMPLE_NAMES[0]]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holds\n"
        own = small.load_simulation(EXAMPLE_NAMES[1], load_data=True)
        small.tend()
        assert cached(small) == sorted(EXAMPLE_NAMES[:2])
        holder.kill()
    small.tend()
    assert cached(small) == [EXAMPLE_NAMES[1]]
    assert own.load_results().visits.num_rows > 0


def test_evictions_are_told(small: LocalLibrary) -> None:
    def told() -> list[tuple[str | None, bool]]:
        events = small._registry.events(types=[EventType.SIMULATION_EVICTED])
        assert all(event.data["freed_mb"] > 0 for event in events)
        return [(event.simulation_id, event.data["made_room"]) for event in events]

    ids = [small.get_metadata(name).sim_id for name in EXAMPLE_NAMES[:2]]
    for name in EXAMPLE_NAMES[:2]:
        small.load_simulation(name, load_data=True).unload_results()
    small.evict(EXAMPLE_NAMES[1])
    small.tend()
    assert told() == [(ids[0], True), (ids[1], False)]
    small.tend()
    assert len(told()) == 2


def test_letting_go_works_when_the_library_is_gone(small: LocalLibrary) -> None:
    held = [small.load_simulation(name, load_data=True) for name in EXAMPLE_NAMES]
    small.close()
    small.directory.rename(small.directory.with_name("elsewhere"))
    for data in held:
        data.unload_results()


def thresholds(library: LocalLibrary) -> list[SimulationEvent]:
    return library._registry.events(types=[EventType.MEMORY_THRESHOLD_REACHED])


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Say how much memory is taken of how much."""
    memory = {"taken": 10, "limit": 100}
    monkeypatch.setattr(advising, "memory_share", lambda: (memory["taken"], memory["limit"]))
    return memory


def test_a_full_cache_is_told_once(small: LocalLibrary, memory: dict[str, int]) -> None:
    small.tend()
    assert thresholds(small) == []
    data = small.load_simulation(EXAMPLE_NAMES[1], load_data=True)
    for _ in range(3):
        small.tend()
    with LocalLibrary.open(small.location, cache_budget_mb=small.memory().budget_mb) as other:
        other.tend()
    (event,) = thresholds(small)
    assert event.simulation_id is None
    assert event.data["level"] == "cache"
    assert event.data["share"] == pytest.approx(1 / 1.1, rel=0.01)
    assert event.data["taken_mb"] < event.data["limit_mb"]
    assert (event.data["threshold"], event.data["suggestions"]) == (0.8, [])
    data.unload_results()
    small.evict(EXAMPLE_NAMES[1])
    small.tend()
    small.load_simulation(EXAMPLE_NAMES[1], load_data=True)
    small.tend()
    assert len(thresholds(small)) == 2


def test_full_memory_is_told_with_what_would_help(
    library: LocalLibrary, memory: dict[str, int]
) -> None:
    for _ in range(6):
        library.load_simulation(EXAMPLE_NAMES[0], load_data=True).unload_results()
        library.evict(EXAMPLE_NAMES[0])
    for taken in (75, 85, 75, 90, 65, 80):
        memory["taken"] = taken
        library.tend()
    first, second = thresholds(library)
    assert (first.data["level"], first.data["share"], second.data["share"]) == ("memory", 0.85, 0.8)
    (suggestion,) = first.data["suggestions"]
    assert EXAMPLE_NAMES[0] in suggestion["sentence"]
    library.apply_suggestion(suggestion["suggestion_id"])


def test_the_threshold_can_be_chosen(tmp_path: Path, memory: dict[str, int]) -> None:
    with pytest.raises(InvalidArgumentError, match="threshold"):
        LocalLibrary.open(tmp_path / "new", memory_threshold=0)
    memory["taken"] = 35
    with LocalLibrary.open(tmp_path / "new", memory_threshold=0.3) as library:
        library.tend()
        assert len(thresholds(library)) == 1


def test_a_used_library_looks_by_itself(library: LocalLibrary, memory: dict[str, int]) -> None:
    memory["taken"] = 99
    library.search()
    deadline = time.monotonic() + 60
    while not thresholds(library) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(thresholds(library)) == 1


def suggested(library: LocalLibrary, kind: SuggestionKind) -> list[Advice]:
    return [s.advice for s in library.get_optimization_suggestions() if s.kind is kind]


def test_a_raised_budget_holds_for_all(small: LocalLibrary) -> None:
    before = small.memory().budget_mb
    for _ in range(8):
        for name in EXAMPLE_NAMES:
            small.load_simulation(name, load_data=True).unload_results()
    report = small.performance()
    assert report.hit_rate is not None
    assert report.hit_rate < 0.7
    (advice,) = suggested(small, SuggestionKind.RAISE_BUDGET)
    assert advice.saves_seconds is not None
    assert 0 < advice.saves_seconds <= report.recent.miss_seconds
    applied = small.apply_suggestion(advice.suggestion_id)
    after = small.memory().budget_mb
    assert after == pytest.approx(2 * before, rel=1e-3)
    assert f"{after:,.1f}" in str(applied)
    with LocalLibrary.open(small.location) as other:
        assert other.memory().budget_mb == pytest.approx(after, rel=1e-3)
    # What was seen with the smaller one says nothing of the larger.
    assert suggested(small, SuggestionKind.RAISE_BUDGET) == []
    assert small.performance().misses == report.misses


def test_what_users_evict_is_no_sign_of_a_small_budget(library: LocalLibrary) -> None:
    for _ in range(21):
        library.load_simulation(EXAMPLE_NAMES[0], load_data=True).unload_results()
        library.evict(EXAMPLE_NAMES[0])
    assert library.performance().evictions == 21
    assert suggested(library, SuggestionKind.RAISE_BUDGET) == []


def test_idle_runs_are_unloaded(small: LocalLibrary) -> None:
    small.load_simulation(EXAMPLE_NAMES[1], load_data=True).unload_results()

    def resident() -> RunMemory:
        (run,) = small.memory().runs
        return run

    assert suggested(small, SuggestionKind.UNLOAD_IDLE) == []
    long_ago = time.time() - 7200
    for stamp in small.directory.glob(f"cache/*/{LEASE_FILE}"):
        os.utime(stamp, (long_ago, long_ago))
    before = resident().resident_mb
    if not before:
        pytest.fail("This system does not tell what is in memory.")
    (advice,) = suggested(small, SuggestionKind.UNLOAD_IDLE)
    assert advice.saves_mb == before
    applied = small.apply_suggestion(advice.suggestion_id)
    assert EXAMPLE_NAMES[1] in str(applied)
    runs = small.memory().runs
    assert not runs or runs[0].resident_mb < before / 2
    assert suggested(small, SuggestionKind.UNLOAD_IDLE) == []


def test_verifying_is_suggested_when_it_is_overdue(library: LocalLibrary) -> None:
    def let_days_pass(days: float) -> None:
        def age(measurements: Measurements) -> None:
            measurements.since -= days * 86_400
            for name in measurements.moments:
                measurements.moments[name] -= days * 86_400

        library._monitor.write()
        library._monitor._gathered.file.update(age)

    let_days_pass(29)
    assert suggested(library, SuggestionKind.VERIFY) == []
    let_days_pass(2)
    (advice,) = suggested(library, SuggestionKind.VERIFY)
    assert advice.evidence["n_runs"] == 3
    library.verify(fast=True)
    library.verify(EXAMPLE_NAMES[0])
    assert suggested(library, SuggestionKind.VERIFY) == [advice]
    assert "nothing is wrong" in str(library.apply_suggestion(advice.suggestion_id))
    assert suggested(library, SuggestionKind.VERIFY) == []
    let_days_pass(31)
    assert len(suggested(library, SuggestionKind.VERIFY)) == 1


def test_links_that_keep_changing_are_copied(tmp_path: Path, runs: Path) -> None:
    own = Path(shutil.copytree(next(runs.iterdir()), tmp_path / "own" / next(runs.iterdir()).name))
    visits = own / "visits.parquet"
    with LocalLibrary.open(tmp_path / "linking") as library:
        (run,) = library.import_results(own, copy=False)
        for _ in range(2):
            assert suggested(library, SuggestionKind.COPY_LINKED) == []
            moved = visits.rename(own / "elsewhere")
            with pytest.raises(CorruptedDataError):
                library.load_simulation(run.sim_id, load_data=True)
            moved.rename(visits)
            assert library.verify(repair=True).ok
        (advice,) = suggested(library, SuggestionKind.COPY_LINKED)
        assert advice.sim_id == run.sim_id
        library.apply_suggestion(advice.suggestion_id)
        assert library.get_metadata(run.sim_id).source.value == "imported"
        assert suggested(library, SuggestionKind.COPY_LINKED) == []
        shutil.rmtree(own)
        library.load_simulation(run.sim_id, load_data=True)


def test_outputs_that_a_notebook_keeps_are_dropped_and_variables_stay() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], check=True, capture_output=True, text=True, timeout=60
    )
    assert float(done.stdout.splitlines()[-1]) > 150


def test_copies_of_another_process_are_left_to_it() -> None:
    advice = Advice(
        suggestion_id="drop_copies-1",
        kind=SuggestionKind.DROP_COPIES,
        sim_id=None,
        sentence="Drop them.",
        evidence={"pid": os.getppid()},
        saves_mb=1000,
        saves_seconds=None,
    )
    with pytest.raises(ConflictError, match=str(os.getppid())):
        drop_copies(advice)


def test_names_are_no_html(library: LocalLibrary, runs: Path) -> None:
    run = library.load_simulation(EXAMPLE_NAMES[0], load_data=True).load_results()
    library.register(run.patients, run.visits, name="<script>alert(1)</script>")
    library.load_simulation("<script>", load_data=True)
    html = library.performance()._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
