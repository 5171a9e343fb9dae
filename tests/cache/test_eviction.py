"""Leases, eviction and the budget, between real processes."""

from __future__ import annotations

import copy
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ape_jupyter.cache import leases
from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.leases import HAS_LEASES, LEASE_FILE, Lease, holders
from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import OutOfSpaceError

pytestmark = pytest.mark.skipif(not HAS_LEASES, reason="leases need fcntl")

ROWS = 100_000
SIZE = ROWS * 8


def build(rows: int = ROWS) -> Callable[[], Mapping[str, pa.Table]]:
    return lambda: {"visits": pa.table({"value": np.arange(rows)})}


def used(cache: PersistentCache) -> set[str]:
    return {run.digest for run in cache.evictor.runs()}


def test_a_lease_keeps_a_run(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("d", ["visits"], build())
    with Lease([tmp_path / "d"]) as lease:
        assert lease.is_held
        assert holders(tmp_path / "d") == [os.getpid()]
        assert cache.evictor.evict("d") is None
        with Lease([tmp_path / "d"]):
            pass
        assert cache.evictor.evict("d") is None
    assert cache.evictor.evict("d") >= SIZE
    assert cache.evictor.evict("d") == 0
    assert cache.evictor.evict("never there") == 0


def test_summaries_stay(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("d", ["summary-1"], lambda: {"summary-1": pa.table({"n": [1]})})
    cache.files("d", ["visits"], build())
    cache.evictor.evict("d")
    cache.evictor.make_room(2**62)
    assert cache.path("d", "summary-1").exists()
    assert not cache.path("d", "visits").exists()


def test_a_lease_ends_with_its_process(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("d", ["visits"], build())
    code = (
        "import sys, time; from pathlib import Path; from ape_jupyter.cache.leases import Lease\n"
        "lease = Lease([Path(sys.argv[1])]); print(lease.is_held, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "d")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "True\n"
    assert cache.evictor.evict("d") is None
    assert cache.evictor.holders("d") == [process.pid]
    process.kill()
    process.communicate()
    assert cache.evictor.evict("d") > 0


def test_without_leases_or_descriptors_everything_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("d", ["visits"], build())
    monkeypatch.setattr(leases, "_is_scarce", lambda _: True)
    assert not Lease([tmp_path / "d"]).is_held
    monkeypatch.setattr(leases, "HAS_LEASES", False)
    assert not Lease([tmp_path / "d"]).is_held
    assert cache.evictor.evict("d") > 0


def test_the_budget_is_kept(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path, Budget(int(3.5 * SIZE)))
    for number in range(6):
        cache.files(f"d{number}", ["visits"], build())
        os.utime(tmp_path / f"d{number}" / LEASE_FILE, (0, number + 1))
        (tmp_path / f"d{number}" / LEASE_FILE).write_text("1.0")
        os.utime(tmp_path / f"d{number}" / LEASE_FILE, (0, number + 1))
    assert used(cache) == {"d3", "d4", "d5"}
    # Used again, by whatever process: not the next to go. A new object reads the same stamps.
    cache.files("d3", ["visits"], build())
    PersistentCache(tmp_path, Budget(int(3.5 * SIZE))).files("d6", ["visits"], build())
    assert used(cache) == {"d3", "d5", "d6"}


def test_pinned_and_leased_runs_stay(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path, Budget(SIZE), pinned=lambda: {"pinned"})
    cache.files("pinned", ["visits"], build())
    cache.files("leased", ["visits"], build())
    with Lease([tmp_path / "leased"]):
        for name in ("a", "b"):
            assert cache.files(name, ["visits"], build())["visits"].exists()
        assert used(cache) == {"pinned", "leased", "b"}
    cache.files("c", ["visits"], build())
    assert used(cache) == {"pinned", "c"}


def test_a_full_disk_is_said_and_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("old", ["visits"], build())

    def full(table: pa.Table, path: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ape_jupyter.cache.mapped.write_table", full)
        with pytest.raises(OutOfSpaceError, match="full"):
            cache.files("new", ["visits"], build())
    assert used(cache) == set()
    assert cache.files("new", ["visits"], build())["visits"].exists()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, hard))
        with pytest.raises(OutOfSpaceError, match="full"):
            cache.files("d", ["visits"], build())
        cache.files("small", ["visits"], build(10))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert used(cache) == {"small"}
    assert not list(tmp_path.rglob("*.partial"))
    cache.files("d", ["visits"], build())
    assert used(cache) == {"small", "d"}


def test_what_killed_writers_leave_is_swept(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("d", ["visits"], build())
    (tmp_path / "d" / ".visits.arrow.1234.partial").write_bytes(b"x" * 1000)
    with Lease([tmp_path / "d"]):
        assert cache.evictor.sweep() == 0
    assert cache.evictor.sweep() == 1000
    assert cache.path("d", "visits").exists()


READER = """
import random, sys, time
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.compute as pc
from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.library.data import SimulationData

directory, rows, seed, budget = sys.argv[1:]
rows, random = int(rows), random.Random(int(seed))
cache = PersistentCache(Path(directory), Budget(int(budget)))
print("ready", flush=True)
end, opened = float(sys.stdin.readline()), 0
while time.time() < end:
    number = random.randrange(6)
    build = lambda: {"visits": pa.table({"value": np.arange(rows) + number}),
                     "patients": pa.table({"value": np.arange(10) + number})}
    data = SimulationData(None, documents=None, read_metadata=None,
        open_tables=lambda: cache.files(f"d{number}", ["visits", "patients"], build))
    results = data.load_results()
    if random.random() < 0.5:
        time.sleep(random.random() * 0.02)
    visits = results.visits
    if random.random() < 0.3:
        data.unload_results()
        time.sleep(random.random() * 0.01)
    total = pc.sum(visits["value"]).as_py()
    assert total == rows * (rows - 1) // 2 + number * rows, (number, total)
    opened += 1
    data = results = visits = None
print(opened)
"""


def start_readers(
    directory: Path, count: int, seconds: float, budget: int
) -> tuple[list[subprocess.Popen], float]:
    """Start readers, wait until all are up, and return them with the time when they end."""
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, directory, str(ROWS), str(seed), str(budget)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(count)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    end = time.time() + seconds
    for reader in readers:
        reader.stdin.write(f"{end}\n")
        reader.stdin.flush()
    return readers, end


def finish(readers: list[subprocess.Popen]) -> list[int]:
    opened = []
    for reader in readers:
        output, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, (reader.returncode, errors)
        opened.append(int(output))
    return opened


def test_readers_against_an_evictor_some_killed(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path, Budget(2**62))
    rng = np.random.default_rng(7)
    readers, end = start_readers(tmp_path, 8, 8, 2**62)
    evicted = in_use = 0
    killed: list[subprocess.Popen] = []
    next_kill = time.time() + 3
    while time.time() < end:
        freed = cache.evictor.evict(f"d{rng.integers(6)}")
        evicted += bool(freed)
        in_use += freed is None
        time.sleep(0.001)
        if time.time() > next_kill and len(killed) < 3:
            killed.append(readers.pop(int(rng.integers(len(readers)))))
            killed[-1].send_signal(signal.SIGKILL)
            next_kill = time.time() + 1
    opened = finish(readers)
    for reader in killed:
        reader.communicate()
        assert reader.returncode == -signal.SIGKILL
    assert evicted > 20
    assert in_use > 0
    assert min(opened) > 0
    # All leases ended with their processes: everything goes, and its space comes back.
    cache.evictor.make_room(2**62)
    cache.evictor.sweep()
    assert used(cache) == set()
    assert not list(tmp_path.rglob("*.partial"))
    print(f"{sum(opened)} openings, {evicted} evictions, {in_use} refused as in use")


def test_the_directory_is_deleted_under_readers(tmp_path: Path) -> None:
    directory = tmp_path / "cache"
    readers, end = start_readers(directory, 3, 4, 2**62)
    deleted = 0
    while time.time() < end:
        time.sleep(0.25)
        shutil.rmtree(directory, ignore_errors=True)
        deleted += 1
    opened = finish(readers)
    assert min(opened) > 0
    assert deleted > 5


def test_processes_keep_one_budget(tmp_path: Path) -> None:
    budget = int(2.5 * SIZE)
    readers, end = start_readers(tmp_path, 2, 4, budget)
    cache = PersistentCache(tmp_path, Budget(budget))
    peak = 0
    while time.time() < end:
        peak = max(peak, cache.evictor.used_bytes())
        time.sleep(0.005)
    finish(readers)
    assert 0 < cache.evictor.used_bytes() <= budget
    # Each may just be writing one while the other's is in use.
    assert budget / 2 < peak < budget + 2.2 * SIZE
    print(f"at most {peak / budget:.0%} of the budget")


def test_a_lease_can_be_copied_and_sent(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    cache.files("d", ["visits"], build())
    with Lease([tmp_path / "d"]) as lease:
        assert not copy.deepcopy(lease).is_held
        assert lease.is_held
        assert cache.evictor.evict("d") is None


def test_readers_write_nowhere(tmp_path: Path) -> None:
    assert not Lease([tmp_path]).is_held
    assert list(tmp_path.iterdir()) == []


def test_reading_stays_right_while_evicted(tmp_path: Path) -> None:
    from ape_jupyter.cache.mapped import map_table

    cache = PersistentCache(tmp_path)
    mapped = map_table(cache.files("d", ["visits"], build())["visits"])
    assert cache.evictor.evict("d") > 0
    assert pc.sum(mapped["value"]).as_py() == ROWS * (ROWS - 1) // 2
