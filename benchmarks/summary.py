"""Time and size of summaries: ``python -m benchmarks.summary``.

Times are CPU seconds of one core: the largest run of ``../shared/data`` (or a generated one), and
the same patients ten times over, as one table and in buckets.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa

from ape_jupyter.cache.mapped import map_table, write_table
from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.registration import run_start
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.digest import table_digest
from ape_jupyter.results.reading import RunFiles, read_run
from ape_jupyter.results.summary import (
    Distribution,
    Method,
    Summary,
    SummaryBuilder,
    summarise,
)
from benchmarks.main_job import N_PATIENTS, largest_real_run

COPIES = 10
BUCKET_PATIENTS = 100_000


def copied(tables: ResultTables, copies: int) -> ResultTables:
    """Return the run with its patients so many times over, under ids of their own."""
    n = tables.patients.num_rows
    ids = pa.array([f"{copy:02}-{i:07}" for copy in range(copies) for i in range(n)])
    patients = pa.concat_tables([tables.patients] * copies).combine_chunks()
    codes = tables.visits["patient_id"].combine_chunks().indices.to_numpy()
    shifted = np.concatenate([codes + copy * n for copy in range(copies)])
    visits = pa.concat_tables([tables.visits] * copies).combine_chunks()
    column = pa.DictionaryArray.from_arrays(pa.array(shifted, pa.int32()), ids)
    return ResultTables(
        patients=patients.set_column(0, "patient_id", ids),
        visits=visits.set_column(visits.schema.get_field_index("patient_id"), "patient_id", column),
    )


def in_buckets(tables: ResultTables, start: object, years: float) -> Summary:
    builder = SummaryBuilder(start, years)  # type: ignore[arg-type]
    codes = tables.visits["patient_id"].combine_chunks().indices.to_numpy()
    for first in range(0, tables.patients.num_rows, BUCKET_PATIENTS):
        begin, end = np.searchsorted(codes, [first, first + BUCKET_PATIENTS])
        visits = tables.visits.slice(begin, end - begin)
        builder.add(tables.patients.slice(first, BUCKET_PATIENTS), visits, first)
    return builder.result()


def report(what: str, seconds: float, n_visits: int) -> None:
    print(f"{what:<46}{seconds:8.3f} s {n_visits / seconds / 1e6:8.2f} million visits/s/core")


def best(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = process_time()
        action()
        times.append(process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as scratch:
        directory = largest_real_run() or write_results(
            Path(scratch), RunSpec(memorable_name="summary", n_patients=N_PATIENTS)
        )
        run = read_run(RunFiles.of_directory(Path(directory)), Path(scratch))
        start, years = run_start(run.tables), run.details.duration_years
        tables = run.tables.in_memory()
        n = tables.visits.num_rows
        print(f"{tables.patients.num_rows:,} patients, {n:,} visits")
        report("summary", best(lambda: summarise(tables, start, years), repeats), n)
        digests = best(lambda: [table_digest(t) for _, t in tables.items()], repeats)
        report("digests of the tables, for comparison", digests, n)

        path = Path(scratch) / "summary.arrow"
        summary = summarise(tables, start, years)
        write_table(summary.to_arrow(), path)
        print(f"file: {path.stat().st_size / 1e6:.2f} MB, {len(summary.tables)} tables")
        times = []
        for _ in range(20):
            begin = perf_counter()
            counts = Summary.from_arrow(map_table(path)).counts(
                "vision", Method.OBSERVED, TimeAlignment.RELATIVE
            )
            _ = Distribution.observed(counts, 4).mean
            times.append(perf_counter() - begin)
        print(f"map the file and take the mean vision: {1e3 * min(times):.2f} ms")

        large = copied(tables, COPIES)
        n = large.visits.num_rows
        print(f"{large.patients.num_rows:,} patients, {n:,} visits")
        report("summary in one piece", best(lambda: summarise(large, start, years), 2), n)
        seconds = best(lambda: in_buckets(large, start, years), 2)
        report(f"summary in buckets of {BUCKET_PATIENTS:,} patients", seconds, n)


if __name__ == "__main__":
    main()
