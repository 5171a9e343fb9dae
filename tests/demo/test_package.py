"""Packages have the files, the types and the checksums of APE's own."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ape_jupyter.demo.generator import RunSpec, write_package, write_results


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path, RunSpec(n_patients=60))


def test_content(tmp_path: Path, results: Path) -> None:
    path = write_package(tmp_path / "run.zip", results)
    with zipfile.ZipFile(path) as package:
        manifest = json.loads(package.read("manifest.json"))
        assert set(package.namelist()) == {
            "manifest.json",
            "README.txt",
            "audit_log.json",
            "data/metadata.parquet",
            "data/patient_index.parquet",
            "data/patients.parquet",
            "data/summary_stats.json",
            "data/visits.parquet",
            "parameters.json",
            "protocol.yaml",
        }
        assert manifest["package_version"] == "1.0"
        assert manifest["package_type"] == "ape_simulation"
        assert manifest["sim_id"] == results.name
        assert manifest["total_files"] == len(manifest["file_checksums"]) == 8
        for name, checksum in manifest["file_checksums"].items():
            assert hashlib.sha256(package.read(name)).hexdigest() == checksum
        assert package.read("data/visits.parquet") == (results / "visits.parquet").read_bytes()
        (metadata,) = pq.read_table(io.BytesIO(package.read("data/metadata.parquet"))).to_pylist()
    assert metadata["sim_id"] == results.name
    assert "model_type" not in metadata


def test_costs_are_packed_too(tmp_path: Path) -> None:
    results = write_results(tmp_path, RunSpec(n_patients=60, with_costs=True))
    with zipfile.ZipFile(write_package(tmp_path / "run.zip", results)) as package:
        assert "data/visits_with_costs.parquet" in package.namelist()
