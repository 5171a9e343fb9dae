"""Memory of registering against the number of visits: it should not grow with them.

    python -m benchmarks.streaming [millions …]

Each size is generated in a temporary directory and registered in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.machine import machine_facts

SIZES = (1, 6, 20, 60)
VISITS_PER_PATIENT = 60
ROW_GROUP = 1_000_000
START = np.datetime64("2024-01-01", "us")
YEARS = 5.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", nargs="*", type=float, default=SIZES)
    parser.add_argument("--register", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.register:
        print(json.dumps(_register(options.register)))
        return
    with tempfile.TemporaryDirectory(prefix="ape-streaming-") as directory:
        for name, fact in machine_facts(Path(directory)).items():
            print(f"{name}: {fact}")
    print()
    print(
        "| million visits | peak MB | of it tables of patients | register s | visits/s | open s |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    measured = []
    for millions in options.millions:
        figures = _measure(round(millions * 1e6))
        measured.append((millions, figures["peak_mb"]))
        print(
            f"| {millions:g} | {figures['peak_mb']:,.0f} | {figures['patients_mb']:,.0f} "
            f"| {figures['seconds']:.1f} | {figures['visits'] / figures['seconds']:,.0f} "
            f"| {figures['open_seconds']:.1f} (peak {figures['open_peak_mb']:,.0f} MB) |",
            flush=True,
        )
    if len(measured) > 1:
        sizes, peaks = zip(*measured, strict=True)
        print(f"\nslope over all: {np.polyfit(sizes, peaks, 1)[0]:.2f} MB per million visits")
        if len(measured) > 2:
            slope = np.polyfit(sizes[1:], peaks[1:], 1)[0]
            print(f"slope from {sizes[1]:g} million on: {slope:.2f} MB per million visits")


def _measure(n_visits: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="ape-streaming-") as directory:
        # In a process of its own, whose memory is not inherited by the one that is measured.
        _run_generation(Path(directory), n_visits)
        command = [sys.executable, "-m", "benchmarks.streaming", "--register", directory]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures: dict[str, Any] = json.loads(done.stdout)
        return figures


def _run_generation(directory: Path, n_visits: int) -> None:
    code = (
        "import pathlib, sys; from benchmarks.streaming import write_run; "
        "write_run(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", code, str(directory), str(n_visits)], check=True)


def write_run(directory: Path, n_visits: int) -> None:
    """Write a run as APE does: sorted by patient in chunks, that overlap in patients."""
    random = np.random.default_rng(n_visits)
    n_patients = max(n_visits // VISITS_PER_PATIENT, 1)
    names = [f"PATIENT{number:08d}" for number in range(n_patients)]
    ids = pa.array(names, pa.large_string())
    vision = random.integers(0, 101, n_patients)
    patients = pa.table(
        {
            "patient_id": ids,
            "enrollment_date": np.full(n_patients, START),
            "enrollment_time_days": np.zeros(n_patients, np.int64),
            "baseline_vision": vision,
            "final_vision": vision,
            "final_disease_state": pa.array(["DiseaseState.STABLE"] * n_patients),
            "total_injections": np.full(n_patients, VISITS_PER_PATIENT),
            "total_visits": np.full(n_patients, VISITS_PER_PATIENT),
            "discontinued": np.zeros(n_patients, np.bool_),
        }
    )
    pq.write_table(patients, directory / "patients.parquet")
    states = pa.array(["DiseaseState.STABLE", "DiseaseState.ACTIVE", "DiseaseState.NAIVE"])
    writer = None
    for start in range(0, n_visits, ROW_GROUP):
        rows = min(ROW_GROUP, n_visits - start)
        # Any patient can be in any row group: the worst there is for sorting.
        owner = np.sort(random.integers(0, n_patients, rows))
        days = random.integers(0, round(YEARS * 365), rows)
        table = pa.table(
            {
                "patient_id": ids.take(pa.array(owner)),
                "date": START + days.astype("timedelta64[D]"),
                "time_days": days,
                "vision": random.integers(0, 101, rows),
                "injected": random.random(rows) < 0.5,
                "next_interval_days": random.integers(28, 113, rows).astype(np.float64),
                "disease_state": states.take(pa.array(random.integers(0, 3, rows))),
            }
        )
        if writer is None:
            writer = pq.ParquetWriter(directory / "visits.parquet", table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _register(directory: Path) -> dict[str, float]:
    from ape_jupyter.library import isolation
    from ape_jupyter.library.local import LocalLibrary

    with LocalLibrary.open(directory / "library") as library:
        begin = time.perf_counter()
        run = library.register(
            directory / "patients.parquet",
            directory / "visits.parquet",
            parameters={"duration_years": YEARS},
        )
        seconds = time.perf_counter() - begin
        # The system tells what a child took at most once it has ended.
        isolation._READERS.close()  # noqa: SLF001
        own, reader = _peak_mb(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        peak = max(own, reader)
        begin = time.perf_counter()
        results = library.load_simulation(run.sim_id).load_results()
        open_seconds = time.perf_counter() - begin
        return {
            "visits": run.n_visits,
            "seconds": seconds,
            "peak_mb": peak,
            "patients_mb": results.patients.nbytes / 1e6,
            "open_seconds": open_seconds,
            "open_peak_mb": _peak_mb(),
        }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
