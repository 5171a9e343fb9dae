"""Many processes and threads on one database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ape_jupyter.registry.registry import Registry
from ape_jupyter.testing.postgresql import PostgresqlServer
from ape_jupyter.testing.suite_registry import example_metadata

N_PROCESSES, N_WRITERS, N_READERS, N_CHANGES = 2, 32, 64, 2

# One or more of these are 32 writers and 64 readers. What any of them raises is its exit.
WORKERS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.grammar import parse

location, me, n_writers, n_readers, n_changes = sys.argv[1], *map(int, sys.argv[2:])
registry = Registry(location if "://" in location else Path(location))
sys.stdin.readline()

def write(worker):
    for number in range(n_changes):
        registry.set_tags(["sim_0001"], [f"{me}-{worker}-{number}"], ["absent"])

def read(_):
    for _ in range(n_changes):
        registry.find("sim_0001")
        registry.search(parse("run"), SearchRequest())
        registry.record_access("sim_0001")

with ThreadPoolExecutor(n_writers + n_readers) as pool:
    done = [pool.submit(write, worker) for worker in range(n_writers)]
    done += [pool.submit(read, reader) for reader in range(n_readers)]
    for future in done:
        future.result()
registry.close()
"""


@contextmanager
def started(
    location: Path | str, n_processes: int = N_PROCESSES
) -> Iterator[list[subprocess.Popen[bytes]]]:
    numbers = [N_WRITERS // n_processes, N_READERS // n_processes, N_CHANGES]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKERS, str(location), *map(str, [me, *numbers])],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for me in range(n_processes)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(params=["sqlite", "postgresql"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    if request.param == "sqlite":
        yield tmp_path / "registry.db"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    with server.database() as url:
        yield url


@pytest.mark.parametrize("n_processes", [1, N_PROCESSES])
def test_32_writers_and_64_readers_wait_for_each_other_and_lose_nothing(
    location: Path | str, n_processes: int
) -> None:
    registry = Registry(location)
    registry.add(example_metadata(1), {})
    with started(location, n_processes) as processes:
        for process in processes:
            process.stdin.write(b"\n")
            process.stdin.flush()
        errors = [process.communicate()[1].decode() for process in processes]
        assert errors == [""] * n_processes
        assert [process.returncode for process in processes] == [0] * n_processes
    run = registry.get("sim_0001")
    n_tags = N_WRITERS * N_CHANGES
    assert len(run.tags) == n_tags
    assert run.revision == 1 + n_tags
    assert run.access_count == N_READERS * N_CHANGES
    seqs = [event.seq for event in registry.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert registry.broken_history() is None
    registry.close()
