"""Visits taken in per second and core, with all checks, digests and summaries.

``python -m benchmarks.importing [--profile]`` measures the largest run of ``../shared/data``, if
it is there, and generated ones. Each import runs in a process that is held on one core, into a
library of its own; the best of several counts, since other programs use the machine too.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.demo.protocols import FIXED_Q8W, TREAT_AND_EXTEND
from benchmarks.machine import machine_facts
from benchmarks.main_job import N_PATIENTS, ROOT, largest_real_run

IMPORTS_IN_A_PROCESS = 3


def runs(scratch: Path) -> Iterator[Path]:
    """Yield runs that differ in how many visits a patient has, and in how they are sorted."""
    real = largest_real_run()
    if real is not None:
        yield real
    for seed, protocol in enumerate((TREAT_AND_EXTEND, FIXED_Q8W)):
        spec = RunSpec(
            protocol=protocol,
            n_patients=N_PATIENTS,
            duration_years=5,
            seed=seed,
            memorable_name=f"generated-{seed}",
        )
        yield write_results(scratch, spec)


def processor_seconds() -> float:
    """Return what this process has computed, and the one that reads for it, with its forks."""
    own = time.process_time()
    readers = [child.cpu_times() for child in psutil.Process().children()]
    return own + sum(
        t.user + t.system + getattr(t, "children_user", 0) + getattr(t, "children_system", 0)
        for t in readers
    )


def import_here(run: Path, scratch: Path, *, profile: bool) -> list[dict[str, float]]:
    """Import a run on one core, several times; the first one also loads what is needed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # Imported on one core: Arrow makes its pool of threads as large as it finds the machine.
    import pandas as pd
    import pyarrow as pa

    from ape_jupyter.library.local import LocalLibrary

    pa.set_cpu_count(1)
    profiler = cProfile.Profile()
    measured = []
    for number in range(IMPORTS_IN_A_PROCESS):
        directory = scratch / f"library-{number}"
        with LocalLibrary.open(directory) as library:
            last = number == IMPORTS_IN_A_PROCESS - 1
            if profile and last:
                profiler.enable()
            wall, processor = time.perf_counter(), processor_seconds()
            found = library.import_results(run)[0]
            wall, processor = time.perf_counter() - wall, processor_seconds() - processor
            profiler.disable()
        shutil.rmtree(directory)
        begin = time.process_time()
        pd.read_parquet(run / "patients.parquet"), pd.read_parquet(run / "visits.parquet")
        reading = time.process_time() - begin
        figures = {"wall": wall, "processor": processor, "pandas": reading}
        measured.append({**figures, "visits": found.n_visits, "patients": found.n_patients})
    if profile:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(45)
    return measured


def measure(run: Path, repeats: int, *, profile: bool) -> dict[str, Any]:
    """Return the least times of several processes."""
    measured: list[dict[str, float]] = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(prefix="ape-importing-") as scratch:
            command = [sys.executable, "-m", "benchmarks.importing", "--of", str(run), scratch]
            command += ["--profile"] if profile else []
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
            measured += json.loads(done.stdout)
    return {name: min(one[name] for one in measured) for name in measured[0]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="so many processes for each run")
    parser.add_argument("--profile", action="store_true", help="show where the time goes")
    parser.add_argument("--of", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.of:
        print(json.dumps(import_here(*arguments.of, profile=arguments.profile)))
        return
    with tempfile.TemporaryDirectory(prefix="ape-importing-") as name:
        for fact, value in machine_facts(Path(name)).items():
            print(f"{fact + ':':13} {value}")
        print("\n| run | patients | visits | visits/s of a core | by the clock | / read_parquet |")
        print("|---|---:|---:|---:|---:|---:|")
        for run in runs(Path(name)):
            best = measure(run, arguments.repeats, profile=arguments.profile)
            print(
                f"| {run.name} | {best['patients']:,} | {best['visits']:,} "
                f"| {best['visits'] / best['processor']:,.0f} "
                f"| {best['visits'] / best['wall']:,.0f} "
                f"| {best['processor'] / best['pandas']:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
