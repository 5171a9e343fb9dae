"""APE packages: zip files from anywhere, so nothing in them is believed before it is checked."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ape_jupyter.errors import Fault, InvalidResultsError, OutOfSpaceError
from ape_jupyter.results.reading import DOCUMENT_FILES, RunFiles, displayed
from ape_jupyter.results.schema import TABLE_FILES

__all__ = ["PackageLimits", "extract_package"]

_MANIFEST = "manifest.json"
_METADATA = ("metadata.json", "data/metadata.json", "data/metadata.parquet")
_CHUNK_BYTES = 2**20
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError)


class PackageLimits:
    """How much a package may claim; beyond, it is refused before it costs anything."""

    max_entries = 10_000
    max_total_bytes = 64 * 2**30
    max_ratio = 200
    max_manifest_bytes = 2**20


def extract_package(path: Path, staging: Path) -> RunFiles:
    """Unpack the files of a run into a private directory, under names of our own.

    Parameters
    ----------
    path : Path
        The package.
    staging : Path
        An empty directory that nobody else writes to.

    Raises
    ------
    InvalidResultsError
        If the file is no zip, claims too much, has links, encrypted entries or two of one
        name, or if a file's checksum is not the manifest's.
    """
    label = displayed(path)
    try:
        with zipfile.ZipFile(path) as package:
            entries = _checked_entries(package, label)
            return _extract(package, entries, label, staging)
    except FileNotFoundError as error:
        raise InvalidResultsError(label, [Fault(path.name, "is missing")]) from error
    except (*_DAMAGED, ValueError, RuntimeError) as error:
        if isinstance(error, InvalidResultsError):
            raise
        fault = Fault(path.name, f"is not a readable zip file: {error}")
        raise InvalidResultsError(label, [fault]) from error
    except OSError as error:
        if isinstance(error, OutOfSpaceError) or error.errno is not None:
            raise
        raise InvalidResultsError(label, [Fault(path.name, f"is damaged: {error}")]) from error


def _checked_entries(package: zipfile.ZipFile, label: str) -> dict[str, zipfile.ZipInfo]:
    infos = package.infolist()
    faults = []
    if len(infos) > PackageLimits.max_entries:
        faults.append(Fault(label, f"has {len(infos):,} entries"))
    entries: dict[str, zipfile.ZipInfo] = {}
    end_of_last = -1
    for info in sorted(infos, key=lambda item: item.header_offset):
        name = ascii(info.filename)[1:-1]
        if info.is_dir():
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            faults.append(Fault(name, "is a link"))
        if info.flag_bits & 0x1:
            faults.append(Fault(name, "is encrypted"))
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            faults.append(Fault(name, "is compressed with a method that APE does not use"))
        if info.file_size > PackageLimits.max_ratio * max(info.compress_size, 1024):
            faults.append(Fault(name, "unpacks to more than it can hold"))
        if info.header_offset < end_of_last:
            faults.append(Fault(name, "overlaps another entry"))
        end_of_last = info.header_offset + info.compress_size
        key = info.filename.casefold()
        if key in entries:
            faults.append(Fault(name, "is there more than once"))
        entries[key] = info
    if sum(info.file_size for info in infos) > PackageLimits.max_total_bytes:
        faults.append(Fault(label, "unpacks to more than 64 GiB"))
    if faults:
        raise InvalidResultsError(label, faults)
    return entries


def _extract(
    package: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], label: str, staging: Path
) -> RunFiles:
    faults: list[Fault] = []
    checksums = _checksums(package, entries, faults)
    wanted = {f"data/{file}": staging / file for file in TABLE_FILES.values()}
    wanted |= {file: staging / file for file in DOCUMENT_FILES.values()}
    metadata_name = next((name for name in _METADATA if name in entries), None)
    if metadata_name is not None:
        wanted[metadata_name] = staging / Path(metadata_name).name
    for name, target in wanted.items():
        if name in entries:
            digest = _write(package, entries[name], target)
            if checksums.get(name, digest) != digest:
                faults.append(Fault(name, "has another checksum than the manifest says"))
    for name in sorted(set(checksums) - set(entries)):
        if name in wanted:
            faults.append(Fault(name, "is in the manifest but not in the package"))
    files = RunFiles.of_directory(staging)
    return RunFiles(
        label=label,
        metadata=_metadata(staging, metadata_name, faults),
        tables=files.tables,
        documents=files.documents,
        faults=tuple(faults),
    )


def _checksums(
    package: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], faults: list[Fault]
) -> dict[str, str]:
    info = entries.get(_MANIFEST)
    if info is None:
        faults.append(Fault(_MANIFEST, "is missing"))
        return {}
    try:
        with package.open(info) as file:
            manifest = json.loads(file.read(PackageLimits.max_manifest_bytes))
        version = manifest.get("package_version")
        if version != "1.0":
            faults.append(Fault(_MANIFEST, f"is {version!r}, expected '1.0'", "package_version"))
        return {str(name): str(value) for name, value in manifest["file_checksums"].items()}
    except (ValueError, KeyError, AttributeError, RecursionError) as error:
        faults.append(Fault(_MANIFEST, f"can not be read: {error!r}"[:200]))
        return {}


def _write(package: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> str:
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with package.open(info) as source, os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        # zipfile stops at the size that the directory declares, so this is bounded by it.
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _metadata(
    staging: Path, name: str | None, faults: list[Fault]
) -> Path | Mapping[str, Any] | None:
    if name is None or name.endswith(".json"):
        return staging / "metadata.json" if name else None
    path = staging / "metadata.parquet"
    try:
        with path.open("rb") as file:
            rows = pq.ParquetFile(file).read().slice(0, 1).to_pylist()
        return rows[0] if rows else None
    except (pa.ArrowException, OSError, ValueError) as error:
        faults.append(Fault(path.name, f"is not a readable Parquet file: {error}"))
        return {}
