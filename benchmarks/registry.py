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
# What a commit of a tag appends to the write-ahead log.
PAGES_OF_A_COMMIT = 8
WRITERS, READERS = 32, 64
CROWDS = (8, 1)
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
            numbered = [{**row_of(run), "number": n} for n, run in enumerate(runs, start + 1)]
            connection.execute(sa.insert(simulations), numbered)
            tagged = [
                {"sim_id": run["sim_id"], "number": run["number"]}
                | dict.fromkeys(("tag", "tag_key"), f"tag-{run['number'] % 7}")
                for run in numbered
            ]
            connection.execute(sa.insert(tags), tagged)


def seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def fsync_ms(directory: Path, n_pages: int = 1) -> float:
    """Return what the disk takes to append pages to a file and fsync it, median."""
    path = directory / "probe"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(COMMITS):
            file.write(bytes(4096 * n_pages))
            taken.append(seconds(lambda: os.fsync(file.fileno())))
    return median(taken) * 1e3


def share_of_crowd(n_processes: int, directory: Path) -> int:
    """Write and read in threads of one of the processes; return how often was read."""
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

    n_writers, n_readers = WRITERS // n_processes, READERS // n_processes
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


def crowd(directory: Path, n_processes: int) -> dict[str, float]:
    """Let writers and readers of processes use one run; what fails in one is raised."""
    started = time.perf_counter()
    share = partial(share_of_crowd, n_processes)
    with ProcessPoolExecutor(n_processes, multiprocessing.get_context("spawn")) as processes:
        n_reads = sum(processes.map(share, [directory] * n_processes))
    taken = time.perf_counter() - started
    n_writes = WRITERS * CHANGES_EACH
    with LocalLibrary.open(directory) as library:
        kept = [tag for tag in library.get_metadata(TAGGED).tags if tag.startswith("crowd")]
        library.set_tags([TAGGED], remove=kept)
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
                log_fsync = fsync_ms(Path(scratch), PAGES_OF_A_COMMIT)
                started = time.process_time()
                tag = median(
                    seconds(lambda n=number: library.add_tag(TAGGED, f"t{n}"))
                    for number in range(COMMITS)
                )
                processor = (time.process_time() - started) / COMMITS
                figures[f"commit of a tag among {n_runs:,}, ms"] = round(tag * 1e3, 2)
                figures[f"of that the processor's ({n_runs:,})"] = round(processor * 1e3, 2)
                figures[f"the same ({n_runs:,}), in fsyncs"] = {
                    f"of a page, {fsync:.2f} ms": round(tag * 1e3 / fsync, 1),
                    f"of {PAGES_OF_A_COMMIT} pages, {log_fsync:.2f} ms": round(
                        tag * 1e3 / log_fsync, 1
                    ),
                }
        for n_processes in CROWDS:
            what = f"{WRITERS} writers and {READERS} readers in {n_processes} process(es)"
            figures[what] = crowd(Path(scratch) / str(SIZES[0]), n_processes)
        print(json.dumps({"machine": machine_facts(Path(scratch)), "found": figures}, indent=2))


if __name__ == "__main__":
    main()
