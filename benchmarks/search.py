"""Searching large libraries through a server. ``python -m benchmarks.search``.

``--runs 1000000`` measures a library of another size; ``--mlflow PYTHON`` names the Python of an
environment with MLflow (``pip install mlflow-skinny sqlalchemy alembic``), to measure that too.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from ape_jupyter.testing.servers import running_server

from .filled_library import fill
from .machine import machine_facts

SIZES = ((1_000, 75), (100_000, 75))
# Of a million runs, the disk here has no place for more.
PARAMETERS_OF_OTHER_SIZES = 3
ROUNDS = 15
PAGE = 20
REPOSITORY = Path(__file__).parent.parent

# Words are ranked; without, or with too many runs that have them, the newest come first.
BEST = ("relevance", True)
FACETS = ("protocol", "engine", "model", "tags", "owner", "size", "year")
# What people type, from the first letters to a question with everything in it.
SEARCHES: tuple[tuple[str, tuple[str, bool]], ...] = (
    ("", BEST),
    ("", ("name", False)),
    ("", ("n_patients", True)),
    ("", ("protocol_name", False)),
    ("pond", BEST),
    ("po", BEST),
    ("saturday", BEST),
    ("site042", BEST),
    ("calm pond", BEST),
    ("calm pond saturday", ("n_visits", True)),
    ('"treat and extend"', BEST),
    ('"clinics on saturday"', BEST),
    ("protocol:fixed", BEST),
    ("owner:modeller07", ("n_patients", True)),
    ("engine:abs", BEST),
    ("engine:abs,des protocol:aflibercept", BEST),
    ("name=calm-pond-17", BEST),
    ("tag:nhs", BEST),
    ("tag:nhs/glasgow", ("name", False)),
    ("tag:nhs -tag:draft", BEST),
    ("n_patients>=10k", BEST),
    ("n_patients:1k..5k duration_years>=5", ("n_visits", True)),
    ("created:2025-01..2025-06", BEST),
    ("headline.mean_final_vision>65", BEST),
    ("protocol.min_interval_days>=56", BEST),
    ("protocol.group_3.value_11<20 protocol.min_interval_days=28", BEST),
    ("protocol.group_3.value_3:rule-7", BEST),
    ("aflibercept OR faricimab", BEST),
    ("-saturday", BEST),
    ("(calm OR bold) tag:nhs n_patients>=10k protocol.min_interval_days=56 -draft", BEST),
)


def serve(directory: Path, home: Path, pipe: Connection) -> None:
    with running_server(home, directory) as server:
        pipe.send((server.info.url, server.token))
        pipe.recv()


def measure(directory: Path, home: Path) -> dict[str, Any]:
    """Ask a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(directory, home, there))
    process.start()
    try:
        url, token = here.recv()
        with httpx.Client(
            base_url=f"{url.rstrip('/')}/ape-jupyter/api/v1/",
            headers={"Authorization": f"token {token}"},
            timeout=120,
        ) as client:
            cold = ask(client, *SEARCHES[0])[0]
            by_search = ask_all(client, ())
            cold_facets = ask(client, *SEARCHES[0], FACETS)[0]
            counted = ask_all(client, FACETS)
    finally:
        here.send(None)
        process.join()
    warm = [[ms for ms, _ in asked[1:]] for asked in by_search]
    slowest = sorted(
        (
            (round(sum(taken) / len(taken), 1), asked[0][1], " ".join(map(str, search)))
            for search, taken, asked in zip(SEARCHES, warm, by_search, strict=True)
        ),
        reverse=True,
    )
    return {
        "warm, ms": percentiles([ms for taken in warm for ms in taken]),
        f"warm, with {len(FACETS)} facets, ms": percentiles(
            [ms for asked in counted for ms, _ in asked[1:]]
        ),
        "first search of a server, ms": round(cold),
        "first facets after a change, ms": round(cold_facets),
        "slowest, ms, of runs that match": slowest[:8],
    }


def ask_all(client: httpx.Client, facets: Sequence[str]) -> list[list[tuple[float, int]]]:
    return [[ask(client, *search, facets) for _ in range(ROUNDS + 1)] for search in SEARCHES]


def ask(
    client: httpx.Client, query: str, order: tuple[str, bool], facets: Sequence[str] = ()
) -> tuple[float, int]:
    """Return what a search took in ms, and how many runs match."""
    params: dict[str, str | list[str]] = {
        "query": query,
        "sort_by": order[0],
        "descending": str(order[1]).lower(),
        "limit": str(PAGE),
        "facet": list(facets),
    }
    started = time.perf_counter()
    response = client.get("simulations", params=params)
    taken = (time.perf_counter() - started) * 1e3
    return taken, response.raise_for_status().json()["total"]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return {f"p{n}": round(cuts[n - 1], 1) for n in (50, 95, 99)}


def measure_mlflow(python: str, directory: Path, n_runs: int, n_parameters: int) -> dict[str, Any]:
    command = [python, "-m", "benchmarks.search_in_mlflow", str(directory)]
    command += [str(n_runs), str(n_parameters)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=REPOSITORY)
    answer = json.loads(done.stdout.splitlines()[-1])
    return {"warm, ms": percentiles(answer["ms"]), "size, MB": answer["size_mb"]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, help="measure a library of this size only")
    parser.add_argument("--parameters", type=int, default=PARAMETERS_OF_OTHER_SIZES)
    parser.add_argument("--mlflow", metavar="PYTHON")
    parser.add_argument("--keep", type=Path, help="where libraries are kept for the next time")
    options = parser.parse_args()
    sizes = ((options.runs, options.parameters),) if options.runs else SIZES
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for n_runs, n_parameters in sizes:
            directory = (options.keep or Path(scratch)) / f"{n_runs}x{n_parameters}"
            if not directory.exists():
                fill(directory, n_runs, n_parameters)
            figures = measure(directory, Path(scratch) / f"server-{n_runs}")
            figures["size, MB"] = round((directory / "registry.db").stat().st_size / 1e6)
            figures["load"] = round(os.getloadavg()[0], 1)
            if options.mlflow:
                place = Path(scratch) / f"mlflow-{n_runs}"
                place.mkdir()
                mlflow = measure_mlflow(options.mlflow, place, n_runs, n_parameters)
                figures["MLflow"] = mlflow
                ratios = {
                    name: round(ms / figures["warm, ms"][name], 1)
                    for name, ms in mlflow["warm, ms"].items()
                }
                figures["MLflow is slower by"] = ratios
            found[f"{n_runs:,} runs with {n_parameters} parameters"] = figures
        print(json.dumps({"machine": machine_facts(Path(scratch)), "found": found}, indent=1))


if __name__ == "__main__":
    main()
