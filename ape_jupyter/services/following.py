"""A folder that somebody keeps writing runs to: what is in it, and what of that is complete.

Nothing here opens a file for writing, or makes one.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["FolderScan", "is_complete", "scan_folder", "stamp_of"]

MAX_DEPTH = 6
MAX_JSON_BYTES = 16 * 2**20
_MARKS = {"metadata.json", "patients.parquet", "visits.parquet"}
_TABLES = ("patients.parquet", "visits.parquet")
_COST_TABLES = ("visits_with_costs.parquet", "daily_resource_usage.parquet")


@dataclass(slots=True)
class FolderScan:
    """What one look through a folder has found.

    Attributes
    ----------
    stamps : dict
        Path of each run, and a text that changes with any of its files.
    unreadable : list of str
        Subfolders that could not be looked into.
    """

    stamps: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def scan_folder(folder: Path, known: Mapping[str, str]) -> FolderScan:
    """Look through a folder for results directories and packages.

    Parameters
    ----------
    known : mapping
        Stamps of runs that need no second look: as long as their directory has the same time,
        their files are not looked at, so that a folder of thousands costs one ``stat`` each.

    Raises
    ------
    OSError
        If the folder itself can not be looked into.
    """
    scan = FolderScan()
    _look_into(folder, MAX_DEPTH, known, scan)
    return scan


def _look_into(directory: Path, depth: int, known: Mapping[str, str], scan: FolderScan) -> None:
    with os.scandir(directory) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    if directory.name.startswith("sim_") or any(entry.name in _MARKS for entry in entries):
        scan.stamps[str(directory)] = _stamp_of_directory(directory.stat(), entries)
        return
    for entry in entries:
        # A link can lead out of the folder, or round in circles.
        if entry.name.startswith(".") or entry.is_symlink():
            continue
        try:
            if entry.is_dir():
                before = known.get(entry.path, "")
                if before and before.startswith(f"{entry.stat().st_mtime_ns}:"):
                    scan.stamps[entry.path] = before
                elif depth > 0:
                    _look_into(Path(entry.path), depth - 1, known, scan)
            elif entry.name.lower().endswith(".zip") and entry.is_file():
                scan.stamps[entry.path] = _stamp_of_file(entry.stat())
        except FileNotFoundError:
            continue  # renamed or deleted since it was listed
        except OSError:
            scan.unreadable.append(entry.path)
            if entry.name.startswith("sim_"):
                scan.stamps[entry.path] = "unreadable"


def stamp_of(path: Path) -> str:
    """Return the stamp of one run as it is now; empty when it is not there or not readable."""
    try:
        if path.is_dir():
            with os.scandir(path) as entries:
                return _stamp_of_directory(path.stat(), entries)
        return _stamp_of_file(path.stat())
    except OSError:
        return ""


def _stamp_of_directory(status: os.stat_result, entries: Any) -> str:
    parts = sorted(f"{entry.name}:{_stamp_of_entry(entry)}" for entry in entries)
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{status.st_mtime_ns}:{digest[:24]}"


def _stamp_of_entry(entry: os.DirEntry[str]) -> str:
    try:
        return _stamp_of_file(entry.stat())
    except FileNotFoundError:
        return "gone"


def _stamp_of_file(status: os.stat_result) -> str:
    # The mode, because a file that was not readable changes in nothing else when it is.
    return f"{status.st_mtime_ns}:{status.st_size}:{status.st_mode:o}"


def is_complete(path: Path) -> bool:
    """Tell whether all files of a run are there, and whole as far as a short look can tell.

    One that is not may still be a run: older versions of APE leave files out. Who has waited
    long enough lets the import judge.
    """
    try:
        if path.is_file():
            with zipfile.ZipFile(path) as package:  # its directory is written last
                return "manifest.json" in package.namelist()
        return all(_checks(path))
    except (OSError, ValueError, RecursionError, NotImplementedError, pa.ArrowException):
        return False
    except zipfile.BadZipFile:
        return False


def _checks(directory: Path) -> Iterator[bool]:
    yield isinstance(_json(directory / "metadata.json"), dict)
    log = _json(directory / "audit_log.json")
    yield isinstance(log, list)
    yield (directory / "protocol.yaml").stat().st_size > 0
    has_costs = any(isinstance(event, dict) and event.get("resource_tracking") for event in log)
    for name in _TABLES + _COST_TABLES * has_costs:
        # The footer is the last that is written of a table.
        yield pq.read_metadata(directory / name) is not None


def _json(path: Path) -> Any:
    with path.open("rb") as file:
        content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise ValueError(f"{path} is too large")
    return json.loads(content)
