"""Opening runs of 1,000 to a million patients, looking up one patient, and converting to pandas.

``python -m benchmarks.opening [patients …]``. Warm openings are of a process that has the library
open; cold ones make the mapped files from Parquet first. The best of several counts.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pandas as pd

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.local import LocalLibrary
from benchmarks.machine import machine_facts

SIZES = (1_000, 100_000, 1_000_000)
REPEATS = 15
LOOK_UPS = 200


def best_ms(action: Callable[[], object], repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        begin = perf_counter()
        action()
        times.append(perf_counter() - begin)
    return 1_000 * min(times)


def measure(n_patients: int, scratch: Path) -> list[float]:
    run = write_results(scratch, RunSpec(n_patients=n_patients, duration_years=5))
    with LocalLibrary.open(scratch / "library") as library:
        begin = perf_counter()
        imported = library.import_results(run)[0]
        import_seconds = perf_counter() - begin
        sim_id = imported.sim_id

        def open_cold() -> None:
            library.evict(sim_id)
            library.load_simulation(sim_id).load_results()

        cold = best_ms(open_cold, 3)
        warm = best_ms(lambda: library.load_simulation(sim_id).load_results())
        results = library.load_simulation(sim_id).load_results()
        ids = results.patients["patient_id"][:: max(1, imported.n_patients // LOOK_UPS)]
        names = iter(ids.to_pylist())
        one = best_ms(lambda: results.patient(next(names)), len(ids))
        frame = best_ms(results.visits_df, 3)
        vision = best_ms(lambda: results.visits_df(columns=["time_days", "vision"]), 3)
        read = best_ms(lambda: pd.read_parquet(run / "visits.parquet"), 3)
        return [imported.n_visits, 1_000 * import_seconds, cold, warm, one, frame, vision, read]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.opening", description=__doc__)
    parser.add_argument("patients", nargs="*", type=int, default=SIZES)
    sizes = parser.parse_args().patients
    with tempfile.TemporaryDirectory(prefix="ape-opening-") as name:
        for fact, value in machine_facts(Path(name)).items():
            print(f"{fact + ':':13} {value}")
    print(
        "\n| patients | visits | import, ms | open cold, ms | open warm, ms | one patient, ms "
        "| all visits to pandas, ms | two columns, ms | read_parquet of visits, ms |"
    )
    print("|---:" * 9 + "|")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="ape-opening-") as name:
            n_visits, *times = measure(size, Path(name))
        cells = " | ".join(f"{time:,.2f}" if time < 100 else f"{time:,.0f}" for time in times)
        print(f"| {size:,} | {n_visits:,} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
