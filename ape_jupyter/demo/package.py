"""Packs a results directory as APE packs it to hand it on."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["write_package"]

PACKAGE_VERSION = "1.0"
_PARAMETERS = ("engine_type", "n_patients", "duration_years", "seed", "runtime_seconds")
_README = """APE Simulation Package
=====================

Simulation ID: {sim_id}
Package Version: {version}
Created: {created}

A demonstration run of ape-jupyter, packed the way the AMD Protocol Explorer packs its runs.
"""


def write_package(path: Path, results_dir: Path) -> Path:
    """Write the run in ``results_dir`` to the zip ``path`` and return that.

    As in real packages ``metadata.json`` is replaced by ``data/metadata.parquet``, which does
    not know the model type.
    """
    metadata: dict[str, Any] = json.loads((results_dir / "metadata.json").read_text("utf-8"))
    files: dict[str, bytes] = {
        f"data/{table.name}": table.read_bytes()
        for table in sorted(results_dir.glob("*.parquet"))
        if table.name not in ("metadata.parquet", "patient_index.parquet")
    }
    known = {name: value for name, value in metadata.items() if name != "model_type"}
    index = pq.read_table(results_dir / "patients.parquet", columns=["patient_id"])
    parameters = {name: metadata[name] for name in _PARAMETERS}
    files |= {
        "data/metadata.parquet": _parquet(pa.Table.from_pylist([known])),
        "data/patient_index.parquet": _parquet(index),
        "protocol.yaml": (results_dir / "protocol.yaml").read_bytes(),
        "parameters.json": json.dumps(parameters, indent=2).encode(),
        "data/summary_stats.json": (results_dir / "summary_stats.json").read_bytes(),
        "audit_log.json": (results_dir / "audit_log.json").read_bytes(),
    }
    manifest = {
        "package_version": PACKAGE_VERSION,
        "sim_id": metadata["sim_id"],
        "created_date": metadata["timestamp"].removesuffix("+00:00"),
        "file_checksums": {
            name: hashlib.sha256(content).hexdigest() for name, content in files.items()
        },
        "total_files": len(files),
        "package_type": "ape_simulation",
    }
    readme = _README.format(
        sim_id=metadata["sim_id"], version=PACKAGE_VERSION, created=manifest["created_date"]
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", json.dumps(manifest, indent=2))
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("README.txt", readme)
    return path


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()
