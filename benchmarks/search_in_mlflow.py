"""The searches of ``benchmarks.search`` that MLflow can express, on the same made-up runs.

``benchmarks.search`` starts it in the environment of MLflow, which needs no ape-jupyter.
Logging a hundred thousand runs one by one would take hours: their rows are written into
MLflow's own tables, made by its own migrations, and searched through its ``MlflowClient``.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mlflow.tracking import MlflowClient

from benchmarks.made_up_runs import MadeUpRun, made_up_runs

ROUNDS = 3
PAGE = 20
BATCH = 2_000
NEWEST = ["attributes.start_time DESC"]
# Its language has neither OR nor numbers of parameters: what is asked here is what it can.
SEARCHES: tuple[tuple[str, list[str]], ...] = (
    ("", NEWEST),
    ("attributes.run_name LIKE '%pond%'", NEWEST),
    ("tags.`mlflow.note.content` ILIKE '%saturday%'", NEWEST),
    ("tags.`mlflow.note.content` ILIKE '%site042%'", NEWEST),
    ("params.protocol_name = 'Treat and Extend'", NEWEST),
    ("params.engine = 'abs' AND params.protocol_name = 'Pro re nata'", NEWEST),
    ("tags.`nhs/glasgow` = 'yes'", NEWEST),
    ("metrics.n_patients >= 10000", NEWEST),
    ("metrics.mean_final_vision > 65", NEWEST),
    ("metrics.n_patients >= 10000 AND tags.`nhs/glasgow` = 'yes'", NEWEST),
    ("params.min_interval_days = '56'", NEWEST),
    ("params.`group_3.value_3` = 'rule 7'", NEWEST),
    ("", ["metrics.n_patients DESC"]),
    ("", ["attributes.run_name ASC"]),
)


def fill(path: Path, experiment: str, n_runs: int, n_parameters: int) -> None:
    connection = sqlite3.connect(path)
    runs = made_up_runs(n_runs, n_parameters)
    while batch := [run for run, _ in zip(runs, range(BATCH), strict=False)]:
        _insert(connection, "runs", [_run_row(run, experiment) for run in batch])
        _insert(connection, "params", [row for run in batch for row in _parameters(run)])
        _insert(connection, "tags", [row for run in batch for row in _tags(run)])
        _insert(connection, "latest_metrics", [row for run in batch for row in _metrics(run)])
    connection.commit()
    connection.execute("ANALYZE")
    connection.close()


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = list(rows[0])
        values = ", ".join(f":{name}" for name in names)
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"
        connection.executemany(statement, rows)


def _run_row(run: MadeUpRun, experiment: str) -> dict[str, Any]:
    started = int(run.created_at.timestamp() * 1000)
    return {
        "run_uuid": run.sim_id,
        "name": run.name,
        "source_type": "LOCAL",
        "source_name": "",
        "entry_point_name": "",
        "user_id": run.owner,
        "status": "FINISHED",
        "start_time": started,
        "end_time": started + 1000,
        "lifecycle_stage": "active",
        "artifact_uri": f"file:///nowhere/{run.sim_id}",
        "experiment_id": int(experiment),
    }


def _parameters(run: MadeUpRun) -> Iterator[dict[str, Any]]:
    of_run = {"protocol_name": run.protocol, "engine": run.engine, "seed": run.seed}
    for key, value in (run.parameters | of_run).items():
        yield {"run_uuid": run.sim_id, "key": key, "value": str(value)}


def _tags(run: MadeUpRun) -> Iterator[dict[str, Any]]:
    texts = {"mlflow.note.content": run.notes, "mlflow.runName": run.name}
    for key, value in (dict.fromkeys(run.tags, "yes") | texts).items():
        yield {"run_uuid": run.sim_id, "key": key, "value": value}


def _metrics(run: MadeUpRun) -> Iterator[dict[str, Any]]:
    for key in ("n_patients", "n_visits", "duration_years", "mean_final_vision"):
        yield {
            "run_uuid": run.sim_id,
            "key": key,
            "value": float(getattr(run, key)),
            "timestamp": 0,
            "step": 0,
            "is_nan": 0,
        }


def main() -> None:
    directory, n_runs, n_parameters = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    path = directory / "mlflow.db"
    client = MlflowClient(f"sqlite:///{path}")
    experiment = client.create_experiment("made up")
    fill(path, experiment, n_runs, n_parameters)
    taken = []
    for text, order in SEARCHES:
        client.search_runs([experiment], text, max_results=PAGE, order_by=order)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            client.search_runs([experiment], text, max_results=PAGE, order_by=order)
            taken.append((time.perf_counter() - started) * 1e3)
    print(json.dumps({"ms": taken, "size_mb": round(path.stat().st_size / 1e6)}))


if __name__ == "__main__":
    main()
