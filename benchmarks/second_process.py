"""Opens a run in a process that has never seen it, and prints how long that took.

Run by ``main_job`` as ``python -m benchmarks.second_process LIBRARY SIM_ID PATIENTS VISITS``.
"""

from __future__ import annotations

import io
import json
import sys
from time import perf_counter

import pandas as pd
import pyarrow.compute as pc

from ape_jupyter.library.local import LocalLibrary


def main(library_path: str, sim_id: str, patients: str, visits: str) -> None:
    # Both sides pay for their imports before the clock starts, and for a first connection or
    # a first, tiny file: what is measured is this run.
    library = LocalLibrary.open(library_path)
    library.get_all_metadata()
    tiny = io.BytesIO(pd.DataFrame({"x": [1]}).to_parquet())
    pd.read_parquet(tiny)

    start = perf_counter()
    simulation = library.load_simulation(sim_id)
    found = perf_counter()
    results = simulation.load_results()
    opened = perf_counter()
    mean = pc.mean(results.visits["vision"]).as_py()
    used = perf_counter()

    pandas_start = perf_counter()
    frames = pd.read_parquet(patients), pd.read_parquet(visits)
    pandas_read = perf_counter()
    pandas_mean = frames[1]["vision"].mean()
    pandas_used = perf_counter()
    if abs(mean - pandas_mean) > 1e-9:
        raise AssertionError(f"{mean} is not {pandas_mean}")
    times = {
        "open": opened - start,
        "map": opened - found,
        "open_and_mean": used - start,
        "pandas_open": pandas_read - pandas_start,
        "pandas_open_and_mean": pandas_used - pandas_start,
    }
    print(json.dumps(times))


if __name__ == "__main__":
    main(*sys.argv[1:])
