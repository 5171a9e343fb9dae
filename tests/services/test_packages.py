"""Packages: hostile until they have been checked."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ape_jupyter.demo.generator import write_package
from ape_jupyter.errors import InvalidResultsError
from ape_jupyter.results.reading import read_run
from ape_jupyter.services.packages import extract_package

Files = dict[str, bytes]


@pytest.fixture
def package(results_folder: Path, tmp_path: Path) -> Path:
    return write_package(tmp_path / "run.zip", next(results_folder.glob("*calm-river")))


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    path = tmp_path / "staging"
    path.mkdir()
    return path


def contents(package: Path) -> Files:
    with zipfile.ZipFile(package) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, files: Files, *, mend: bool = True) -> Path:
    if mend:
        manifest = json.loads(files["manifest.json"])
        manifest["file_checksums"] = {
            name: hashlib.sha256(files[name]).hexdigest()
            for name in manifest["file_checksums"]
            if name in files
        }
        files = {**files, "manifest.json": json.dumps(manifest).encode()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_package_holds_what_its_directory_held(package: Path, staging: Path) -> None:
    run = read_run(extract_package(package, staging), staging)
    assert run.details.name == "calm-river"
    assert "protocol" in run.documents


def test_only_known_names_are_written(package: Path, staging: Path, tmp_path: Path) -> None:
    files = contents(package)
    files["../outside.txt"] = files["/absolute.txt"] = files["data/more.bin"] = b"x"
    extract_package(rewritten(tmp_path / "more.zip", files), staging)
    assert {path.suffix for path in staging.iterdir()} <= {".parquet", ".yaml", ".json"}
    assert not (tmp_path / "outside.txt").exists()
    assert not Path("/absolute.txt").exists()


def faults(path: Path, staging: Path) -> str:
    with pytest.raises(InvalidResultsError) as caught:
        read_run(extract_package(path, staging), staging)
    return str(caught.value)


def test_a_changed_file_is_noticed(package: Path, staging: Path, tmp_path: Path) -> None:
    files = contents(package)
    files["protocol.yaml"] += b"\nmin_interval_days: 1\n"
    message = faults(rewritten(tmp_path / "bad.zip", files, mend=False), staging)
    assert "protocol.yaml: has another checksum" in message


def test_all_faults_are_told(package: Path, staging: Path, tmp_path: Path) -> None:
    files = contents(package)
    del files["data/visits.parquet"]
    files["data/patients.parquet"] = files["data/patients.parquet"][:-40]
    message = faults(rewritten(tmp_path / "bad.zip", files, mend=False), staging)
    for words in ("visits.parquet", "is missing", "another checksum", "readable Parquet"):
        assert words in message


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("protocol.yaml")
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


def bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("data/patients.parquet", b"\0" * 50_000_000)


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("protocol.yaml", "a: 1")
    archive.writestr("PROTOCOL.YAML", "a: 2")


def odd_method(archive: zipfile.ZipFile) -> None:
    archive.writestr("protocol.yaml", b"x" * 100, compress_type=zipfile.ZIP_BZIP2)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (link, "is a link"),
        (bomb, "more than it can hold"),
        (twice, "more than once"),
        (odd_method, "a method that APE does not use"),
    ],
)
def test_traps_are_refused_before_anything_is_unpacked(
    tmp_path: Path, staging: Path, spoil: Callable[[zipfile.ZipFile], None], words: str
) -> None:
    path = tmp_path / "trap.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        spoil(archive)
    assert words in faults(path, staging)
    assert list(staging.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"not a zip" * 50])
def test_what_is_no_zip_is_refused(tmp_path: Path, staging: Path, content: bytes) -> None:
    path = tmp_path / "no.zip"
    path.write_bytes(content)
    assert "zip file" in faults(path, staging)


def test_a_cut_package_is_refused(package: Path, staging: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    path.write_bytes(package.read_bytes()[:-100])
    assert "zip file" in faults(path, staging)


def test_a_manifest_without_checksums_is_refused(
    package: Path, staging: Path, tmp_path: Path
) -> None:
    files = {**contents(package), "manifest.json": b'{"package_version": "9"}'}
    message = faults(rewritten(tmp_path / "bad.zip", files, mend=False), staging)
    assert "expected '1.0'" in message
