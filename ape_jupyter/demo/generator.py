"""Writes demonstration runs as the directories that an APE engine would leave."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from ape_jupyter.demo.cohort import draw_cohort
from ape_jupyter.demo.costs import (
    CostTables,
    build_cost_tables,
    cost_per_patient_year,
    total_costs,
)
from ape_jupyter.demo.course import simulate_course
from ape_jupyter.demo.package import write_package
from ape_jupyter.demo.protocols import protocol_document
from ape_jupyter.demo.spec import RunSpec
from ape_jupyter.demo.tables import CHUNK_ROWS, Tables, build_tables

__all__ = ["RunSpec", "simulate", "write_package", "write_results"]


def simulate(spec: RunSpec) -> Tables:
    """Return the patients and visits of a run; equal specifications give equal tables."""
    # Streams of their own: what a protocol draws does not change who enrols.
    for_cohort, for_course = np.random.SeedSequence(spec.seed).spawn(2)
    cohort = draw_cohort(spec, np.random.default_rng(for_cohort))
    course = simulate_course(spec, cohort, np.random.default_rng(for_course))
    return build_tables(spec, cohort, course)


def write_results(directory: Path, spec: RunSpec) -> Path:
    """Write a run into a new directory below ``directory`` and return that.

    The directory appears whole: an interrupted call leaves nothing under its final name.

    Raises
    ------
    FileExistsError
        If the run is there already.
    """
    run = Path(directory) / spec.sim_id
    if run.exists():
        raise FileExistsError(f"{run} is there already")
    run.parent.mkdir(parents=True, exist_ok=True)
    partial = run.parent / f".{spec.sim_id}.{uuid.uuid4().hex}.partial"
    partial.mkdir()
    try:
        _write_files(partial, spec)
        partial.rename(run)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return run


def _write_files(run: Path, spec: RunSpec) -> None:
    tables = simulate(spec)
    costs = build_cost_tables(spec, tables) if spec.with_costs else None
    protocol = yaml.safe_dump(
        protocol_document(spec.protocol, spec.model_type), sort_keys=False, allow_unicode=True
    ).encode()
    summary = _summary(spec, tables)

    _write_table(run / "patients.parquet", tables.patients)
    _write_table(run / "visits.parquet", tables.visits)
    n_patients = len(tables.patients)
    _write_table(
        run / "patient_index.parquet",
        pa.table(
            {"patient_id": tables.patients["patient_id"], "row_number": np.arange(n_patients)}
        ),
    )
    _write_table(run / "metadata.parquet", pa.Table.from_pylist([summary]))
    _write_json(
        run / "summary_stats.json",
        summary
        | {
            "total_visits": len(tables.visits),
            "mean_visits_per_patient": len(tables.visits) / n_patients,
            "patient_count": n_patients,
        },
    )
    (run / "protocol.yaml").write_bytes(protocol)
    _write_json(run / "metadata.json", _metadata(spec))
    checksum = hashlib.sha256(protocol).hexdigest()
    _write_json(run / "audit_log.json", _audit_log(spec, tables, costs, summary, checksum))
    if costs is not None:
        _write_table(run / "visits_with_costs.parquet", costs.visits_with_costs)
        _write_table(run / "daily_resource_usage.parquet", costs.daily_resource_usage)
        for name, document in costs.documents.items():
            _write_json(run / name, document)


def _metadata(spec: RunSpec) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "sim_id": spec.sim_id,
        "protocol_name": spec.protocol.name,
        "protocol_version": spec.protocol.version,
        "engine_type": spec.engine_type,
        "n_patients": spec.n_patients,
        "duration_years": float(spec.duration_years),
        "seed": spec.seed,
        "timestamp": spec.timestamp,
        "runtime_seconds": spec.runtime_seconds,
        "storage_type": "parquet",
    }
    if spec.schema_version != "1.0.0":
        metadata |= {"memorable_name": spec.memorable_name, "model_type": spec.model_type}
    return metadata


def _summary(spec: RunSpec, tables: Tables) -> dict[str, Any]:
    """Return APE's own figures; its final vision leaves out patients without a visit."""
    patients = tables.patients
    seen = patients.filter(pc.greater(patients["total_visits"], 0))["final_vision"].to_numpy()
    stopped = (
        pc.mean(patients["discontinued"]).as_py()
        if "discontinued" in patients.column_names
        else 0.0
    )
    return {
        "total_patients": len(patients),
        "total_injections": pc.sum(patients["total_injections"]).as_py(),
        "mean_final_vision": float(seen.mean()),
        "std_final_vision": float(seen.std()),
        "discontinuation_rate": float(stopped),
        "write_time_seconds": round(spec.runtime_seconds / 4, 6),
        "chunk_size": CHUNK_ROWS,
        "has_resource_tracking": spec.with_costs,
    }


def _audit_log(
    spec: RunSpec,
    tables: Tables,
    costs: CostTables | None,
    summary: dict[str, Any],
    checksum: str,
) -> list[dict[str, Any]]:
    # Unlike the metadata, the log of real runs never says a zone.
    finished = spec.created_at.astimezone(UTC).replace(tzinfo=None)
    started = finished - timedelta(seconds=spec.runtime_seconds)
    suffix = "_with_resources" if costs is not None else ""
    start: dict[str, Any] = {
        "event": f"simulation_start{suffix}",
        "timestamp": started.isoformat(),
        "engine_type": spec.engine_type,
        "n_patients": spec.n_patients,
        "duration_years": float(spec.duration_years),
        "seed": spec.seed,
        "protocol_name": spec.protocol.name,
        "protocol_version": spec.protocol.version,
    }
    end: dict[str, Any] = {
        "event": f"simulation_complete{suffix}",
        "timestamp": finished.isoformat(),
        "total_injections": summary["total_injections"],
        "final_vision_mean": summary["mean_final_vision"],
        "final_vision_std": summary["std_final_vision"],
        "discontinuation_rate": summary["discontinuation_rate"],
        "patient_count": summary["total_patients"],
    }
    if costs is None:
        start["protocol_checksum"] = checksum
    else:
        start["resource_tracking"] = True
        priced = costs.visits_with_costs
        end |= {
            "total_costs": total_costs(priced),
            "average_cost_per_patient_year": cost_per_patient_year(
                spec, priced, len(tables.patients)
            ),
            "total_visits": len(priced),
            "bottleneck_count": len(costs.documents["bottlenecks.json"]),
        }
    loaded = {
        "event": "protocol_loaded",
        "timestamp": started.isoformat(),
        "protocol": {
            "protocol_name": spec.protocol.name,
            "protocol_version": spec.protocol.version,
            "source_file": "protocols/demonstration.yaml",
            "checksum": checksum,
            "load_timestamp": started.isoformat(),
        },
    }
    return [loaded, start, end]


def _write_table(path: Path, table: pa.Table) -> None:
    # One row group, as the engine writes, however many chunks its rows came in.
    pq.write_table(table, path, row_group_size=max(len(table), 1), compression="snappy")


def _write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
