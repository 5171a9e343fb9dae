"""What the registry of a large library costs. ``python -m benchmarks.registry``."""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.registry.rows import row_of
from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.testing.suite_registry import example_metadata

from .machine import machine_facts

SIZES = (10_000, 100_000)
ROUNDS = 3
COMMITS = 50
PROCESSES, WRITERS, READERS = 8, 32, 64
READER_PAUSE_SECONDS = 0.01
TAGGED = "sim_00000001"
CHANGES_EACH = 10


def fill(library: LocalLibrary, n_runs: int) -> None:
    """Write rows as registering would, without results."""
    first = example_metadata(0)
    with library._registry._database.write() as connection:  # noqa: SLF001
        for start in range(0, n_runs, 5000):
            runs = [
                replace(first, sim_id=f"sim_{number:08d}", name=f"run-{number}")
                for number in range(start, min(start + 5000, n_runs))
            ]
            connection.execute(sa.insert(simulations), [row_of(run) for run in runs])
            tagged = [
                {"sim_id": run.sim_id, "tag": f"tag-{n % 7}", "tag_key": f"tag-{n % 7}"}
                for n, run in enumerate(runs)
            ]
            connection.execute(sa.insert(tags), tagged)


def seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def fsync_ms(directory: Path) -> float:
    """Return what the disk takes to write and fsync a page, median."""
    path = directory / "probe"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            file.write(bytes(4096))
            taken.append(seconds(lambda: os.fsync(file.fileno())))
    return median(taken) * 1e3


def share_of_crowd(directory: Path) -> int:
    """Write and read in threads of this process; return how often was read."""
    finished = threading.Event()

    def read(library: LocalLibrary, sim_id: str) -> int:
        count = 0
        while not finished.is_set():
            library.get_metadata(sim_id)
            count += 1
            time.sleep(READER_PAUSE_SECONDS)
        return count

    def write(library: LocalLibrary, number: int) -> None:
        for change in range(CHANGES_EACH):
            library.add_tag(TAGGED, f"crowd-{os.getpid()}-{number}-{change}")

    n_writers, n_readers = WRITERS // PROCESSES, READERS // PROCESSES
    with (
        LocalLibrary.open(directory) as library,
        ThreadPoolExecutor(n_writers) as writers,
        ThreadPoolExecutor(n_readers) as readers,
    ):
        reading = [readers.submit(read, library, TAGGED) for _ in range(n_readers)]
        try:
            list(writers.map(partial(write, library), range(n_writers)))
        finally:
            finished.set()
        return sum(future.result() for future in reading)


def crowd(directory: Path) -> dict[str, float]:
    """Let writers and readers of several processes use one run; what fails in one is raised."""
    started = time.perf_counter()
    with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as processes:
        n_reads = sum(processes.map(share_of_crowd, [directory] * PROCESSES))
    taken = time.perf_counter() - started
    n_writes = WRITERS * CHANGES_EACH
    with LocalLibrary.open(directory) as library:
        kept = [tag for tag in library.get_metadata(TAGGED).tags if tag.startswith("crowd")]
    return {
        "writes per second": round(n_writes / taken, 1),
        "reads per second meanwhile": round(n_reads / taken),
        "changes lost": n_writes - len(kept),
    }


def main() -> None:
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for n_runs in SIZES:
            with LocalLibrary.open(Path(scratch) / str(n_runs)) as library:
                fill(library, n_runs)
                best = min(
                    seconds(lambda: library.get_all_metadata().to_pandas()) for _ in range(ROUNDS)
                )
                figures[f"{n_runs:,} runs to a DataFrame, s"] = round(best, 2)
                fsync = fsync_ms(Path(scratch))
                tag = median(
                    seconds(lambda n=number: library.add_tag(TAGGED, f"t{n}"))
                    for number in range(COMMITS)
                )
                figures[f"commit of a tag among {n_runs:,}, ms"] = round(tag * 1e3, 2)
                figures[f"the same, in fsyncs of {fsync:.2f} ms"] = round(tag * 1e3 / fsync, 1)
        figures[f"{WRITERS} writers and {READERS} readers in {PROCESSES} processes"] = crowd(
            Path(scratch) / str(SIZES[0])
        )
        print(json.dumps({"machine": machine_facts(Path(scratch)), "found": figures}, indent=2))


if __name__ == "__main__":
    main()
