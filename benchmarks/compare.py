"""Compare 2, 50 and 200 runs of 100,000 and of 1,000,000 patients; pandas and scipy beside it.

``python -m benchmarks.compare``. Comparisons start from summaries, so the runs of the library are
small ones to each of which the summary of a large one is given: what a server does is the same.
The summary of a million patients is the sum of those of ten times 100,000.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from scipy import stats

from ape_jupyter.cache.answers import ANSWERS
from ape_jupyter.cache.mapped import PersistentCache, map_table, write_table
from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.intake import SUMMARY
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.results.summary import Summary
from ape_jupyter.wire.comparison import comparison_message
from ape_jupyter.wire.encoding import written
from benchmarks.machine import machine_facts
from benchmarks.main_job import median_ms

N_RUNS = (2, 50, 200)
TARGETS_MS = {2: 20, 50: 200, 200: 1000}
YEARS = 5.0
BIN_DAYS = 28


def summary_of(folder: Path, n_patients: int, seed: int) -> Summary:
    """Make a run, summarise it through the library, and take its summary."""
    spec = RunSpec(n_patients=n_patients, duration_years=YEARS, seed=seed)
    run = write_results(folder / f"{n_patients}-{seed}", spec)
    with LocalLibrary.open(folder / f"library-{n_patients}-{seed}") as library:
        (found,) = library.import_results(run)
        checksum = library.get_metadata(found.sim_id).checksum
        path = PersistentCache(library.directory / "cache").path(checksum, SUMMARY)
        return Summary.from_arrow(map_table(path))


def library_of(directory: Path, runs: Sequence[Path], summaries: Sequence[Summary]) -> list[str]:
    """Fill a library with runs, each with one of the summaries in turn; return their ids."""
    with LocalLibrary.open(directory) as library:
        ids = []
        for place, run in enumerate(runs):
            (found,) = library.import_results(run)
            checksum = library.get_metadata(found.sim_id).checksum
            path = PersistentCache(directory / "cache").path(checksum, SUMMARY)
            path.unlink(missing_ok=True)
            write_table(summaries[place % len(summaries)].to_arrow(), path)
            ids.append(found.sim_id)
    return ids


def with_pandas_and_scipy(runs: Sequence[Path]) -> list[object]:
    """Curves with means and quantiles, and Welch's test of the last bin, of each pair."""
    found: list[object] = []
    first = None
    for run in runs:
        visits = pd.read_parquet(run / "visits.parquet", columns=["time_days", "vision"])
        by_bin = visits["vision"].groupby(visits["time_days"] // BIN_DAYS)
        found.append(by_bin.describe(percentiles=[0.1, 0.25, 0.5, 0.75, 0.9]))
        last = visits["vision"][visits["time_days"] >= 365]
        if first is not None:
            found.append(stats.ttest_ind(last, first, equal_var=False))
        first = last if first is None else first
    return found


def measured(library: LocalLibrary, ids: list[str], kind: str, repeats: int) -> Iterator[float]:
    """Yield milliseconds: computed from summaries, remembered, and with the answer as JSON."""

    def compare() -> object:
        return library.compare_simulations(ids, kind, ["vision"], "relative")

    def anew() -> None:
        shutil.rmtree(library.directory / "cache" / ANSWERS, ignore_errors=True)
        compare()

    anew()
    yield median_ms(anew, repeats)
    compare()
    yield median_ms(compare, repeats)
    yield median_ms(lambda: written(comparison_message(compare())), repeats)  # type: ignore[arg-type]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--parts", type=int, default=10, help="100,000 patients each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ape-compare-") as scratch:
        folder = Path(scratch)
        parts = [summary_of(folder, 100_000, seed) for seed in range(arguments.parts)]
        million = Summary.total(parts)
        large = [next((folder / f"100000-{seed}").iterdir()) for seed in range(2)]
        runs = [
            write_results(
                folder / "small",
                RunSpec(
                    memorable_name=f"run-{seed}", n_patients=5, duration_years=YEARS, seed=seed
                ),
            )
            for seed in range(max(N_RUNS))
        ]
        libraries = {
            "100,000": library_of(folder / "library-100,000", runs, parts[:2]),
            f"{arguments.parts}00,000": library_of(folder / "library-m", runs, [million, parts[0]]),
        }
        directories = {"100,000": "library-100,000"}
        pandas_ms = median_ms(lambda: with_pandas_and_scipy(large), 3)
        print(machine_facts(folder))
        print(f"pandas and scipy, 2 runs of 100,000 patients: {pandas_ms:.0f} ms")
        print("patients runs kind computed_ms remembered_ms with_json_ms goal_ms")
        for patients, ids in libraries.items():
            with LocalLibrary.open(folder / directories.get(patients, "library-m")) as library:
                for n_runs in N_RUNS:
                    for kind in ("overlay", "statistical"):
                        times = measured(library, ids[:n_runs], kind, arguments.repeats)
                        shown = " ".join(f"{ms:.1f}" for ms in times)
                        print(patients, n_runs, kind, shown, TARGETS_MS[n_runs])


if __name__ == "__main__":
    main()
