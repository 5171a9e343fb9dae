"""Import, open and compare a run of 100,000 patients; ratios against pandas in the same run.

``python -m benchmarks.main_job`` takes the largest run of ``../shared/data``, or makes one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import pandas as pd

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.demo.protocols import FIXED_Q8W
from ape_jupyter.library.local import LocalLibrary
from benchmarks.machine import machine_facts

ROOT = Path(__file__).parents[1]
REAL_RUNS = ROOT.parent / "shared" / "data" / "ape-results"
BIN_DAYS = 28
N_PATIENTS = 100_000


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One line of the table; times in milliseconds."""

    what: str
    ape_jupyter_ms: float
    pandas_ms: float
    pandas_does: str
    target: str = ""
    met: bool | None = None

    @property
    def ratio(self) -> float:
        return self.pandas_ms / self.ape_jupyter_ms


def median_ms(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return 1_000 * statistics.median(times)


def largest_real_run() -> Path | None:
    runs = [path.parent for path in REAL_RUNS.glob("*/visits.parquet")]
    return max(runs, key=lambda run: (run / "visits.parquet").stat().st_size, default=None)


def read_with_pandas(run: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    return pd.read_parquet(run / "patients.parquet"), pd.read_parquet(run / "visits.parquet")


def compare_with_pandas(runs: Sequence[Path]) -> list[pd.DataFrame]:
    curves = []
    for run in runs:
        visits = read_with_pandas(run)[1]
        by_bin = visits["vision"].groupby(visits["time_days"] // BIN_DAYS)
        curves.append(by_bin.describe(percentiles=[0.1, 0.25, 0.5, 0.75, 0.9]))
    return curves


def measure_import(run: Path, scratch: Path, repeats: int) -> Measurement:
    libraries = iter(range(repeats))

    def import_into_a_new_library() -> None:
        with LocalLibrary.open(scratch / f"library-{next(libraries)}") as library:
            library.import_results(run)

    milliseconds = median_ms(import_into_a_new_library, repeats)
    return Measurement(
        what="import, with all checks and summaries",
        ape_jupyter_ms=milliseconds,
        pandas_ms=median_ms(lambda: read_with_pandas(run), repeats),
        pandas_does="read_parquet of both tables",
        target="at most 3 s",
        met=milliseconds <= 3_000,
    )


def measure_open(run: Path, library: Path, sim_id: str, repeats: int) -> list[Measurement]:
    command = [sys.executable, "-m", "benchmarks.second_process", str(library), sim_id]
    command += [str(run / "patients.parquet"), str(run / "visits.parquet")]
    answers = [
        json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
        for _ in range(repeats)
    ]
    ms = {key: 1_000 * statistics.median(answer[key] for answer in answers) for key in answers[0]}
    return [
        Measurement(
            what="open warm in a second process",
            ape_jupyter_ms=ms["open"],
            pandas_ms=ms["pandas_open"],
            pandas_does="read_parquet of both tables",
            target="at most 10 ms, at least 50 times faster",
            met=ms["open"] <= 10 and ms["pandas_open"] >= 50 * ms["open"],
        ),
        Measurement(
            what="of that, the results without the metadata",
            ape_jupyter_ms=ms["map"],
            pandas_ms=ms["pandas_open"],
            pandas_does="read_parquet of both tables",
        ),
        Measurement(
            what="open, and the mean of all vision",
            ape_jupyter_ms=ms["open_and_mean"],
            pandas_ms=ms["pandas_open_and_mean"],
            pandas_does="read_parquet of both tables, mean",
        ),
    ]


def measure_compare(
    runs: Sequence[Path], library_path: Path, sim_ids: list[str], repeats: int
) -> Measurement:
    with LocalLibrary.open(library_path) as library:
        milliseconds = median_ms(
            lambda: library.compare_simulations(
                sim_ids, "overlay", metrics=["vision"], time_alignment="relative"
            ),
            repeats,
        )
    return Measurement(
        what="compare two runs, from summaries",
        ape_jupyter_ms=milliseconds,
        pandas_ms=median_ms(lambda: compare_with_pandas(runs), max(1, repeats // 3)),
        pandas_does="read_parquet, mean and quantiles by 28 days",
        target="at most 1 s",
        met=milliseconds <= 1_000,
    )


def measure(run: Path, scratch: Path, repeats: int) -> list[Measurement]:
    other = write_results(
        scratch / "other",
        RunSpec(protocol=FIXED_Q8W, n_patients=N_PATIENTS, duration_years=5, seed=2),
    )
    imported = measure_import(run, scratch, repeats)
    library_path = scratch / "library-0"
    with LocalLibrary.open(library_path) as library:
        sim_ids = [library.import_results(path)[0].sim_id for path in (run, other)]
        library.load_simulation(sim_ids[0], load_data=True)  # makes the mapped files
    opened = measure_open(run, library_path, sim_ids[0], repeats)
    return [imported, *opened, measure_compare([run, other], library_path, sim_ids, repeats)]


def print_table(measurements: Sequence[Measurement]) -> None:
    rows = [("", "ape-jupyter", "pandas", "pandas / ape", "pandas does", "target", "met")]
    for one in measurements:
        rows.append(
            (
                one.what,
                f"{one.ape_jupyter_ms:,.1f} ms",
                f"{one.pandas_ms:,.1f} ms",
                f"{one.ratio:,.2f}",
                one.pandas_does,
                one.target,
                {True: "yes", False: "NO", None: ""}[one.met],
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if 1 <= position <= 3 else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.main_job", description=__doc__)
    parser.add_argument("--results", type=Path, help="the results directory to measure with")
    parser.add_argument("--repeats", type=int, default=5, help="medians are of so many times")
    parser.add_argument("--json", type=Path, help="write the measurements to this file, too")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="ape-jupyter-benchmark-") as name:
        scratch = Path(name)
        run = arguments.results or largest_real_run()
        if run is None:
            spec = RunSpec(n_patients=N_PATIENTS, duration_years=5)
            run = write_results(scratch / "generated", spec)
        facts = machine_facts(scratch)
        measurements = measure(run, scratch, arguments.repeats)

    for fact, value in facts.items():
        print(f"{fact + ':':13} {value}")
    print(f"{'run:':13} {run.name}\n")
    print_table(measurements)
    if arguments.json:
        lines = [{**asdict(one), "ratio": one.ratio} for one in measurements]
        document = {"machine": facts, "run": run.name, "measurements": lines}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
