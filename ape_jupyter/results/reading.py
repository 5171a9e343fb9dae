"""Reading the files of one APE run, wherever they lie."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import yaml

from ape_jupyter.errors import Fault, InvalidResultsError, MigrationError
from ape_jupyter.model.migration import MigratedDocument, SchemaVersion
from ape_jupyter.model.simulation import METADATA_SCHEMA_VERSION
from ape_jupyter.results.canonical import RunTables, canonical_tables
from ape_jupyter.results.details import RunDetails, read_details
from ape_jupyter.results.schema import TABLE_FILES

__all__ = [
    "DOCUMENT_FILES",
    "ORIGINAL_METADATA",
    "Migrate",
    "RunFiles",
    "RunResults",
    "displayed",
    "read_run",
]

DOCUMENT_FILES = {
    "protocol": "protocol.yaml",
    "parameters": "parameters.json",
    "audit_log": "audit_log.json",
    "resource_config": "resource_config.json",
}
METADATA_FILE = "metadata.json"
ORIGINAL_METADATA = "metadata_original"
"""Kind of the document that holds the metadata of a run as it was before migrations."""
REQUIRED_TABLES = ("patients", "visits")
MAX_DOCUMENT_BYTES = 16 * 2**20
# YAML aliases let a few bytes stand for billions of nodes.
MAX_DOCUMENT_NODES = 200_000

Migrate: TypeAlias = Callable[[Mapping[str, Any]], MigratedDocument]


def displayed(path: Path) -> str:
    """Return a path that can be printed and stored, with bytes that are not UTF-8 escaped."""
    return str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFiles:
    """Where the files of one run are, before anything is known of their content.

    Attributes
    ----------
    label : str
        How messages name the run.
    metadata : Path, mapping or None
        ``metadata.json``, or its content when it came from elsewhere.
    tables, documents : mapping
        Paths (or tables in memory, or parsed documents) by name.
    faults : tuple of Fault
        What was already wrong when the files were found.
    """

    label: str
    metadata: Path | Mapping[str, Any] | None
    tables: Mapping[str, Path | pa.Table]
    documents: Mapping[str, Path | Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    @classmethod
    def of_directory(cls, directory: Path) -> RunFiles:
        """Find the files of an APE results directory."""
        faults = []
        if displayed(directory) != str(directory):
            faults.append(Fault(displayed(directory), "has a name that is not UTF-8"))
        tables = {name: directory / file for name, file in TABLE_FILES.items()}
        documents = {name: directory / file for name, file in DOCUMENT_FILES.items()}
        return cls(
            label=displayed(directory),
            metadata=directory / METADATA_FILE,
            tables={n: p for n, p in tables.items() if n in REQUIRED_TABLES or p.exists()},
            documents={n: p for n, p in documents.items() if p.exists()},
            faults=tuple(faults),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults:
    """A run as read and checked.

    Attributes
    ----------
    metadata : MigratedDocument
        What ``details`` was read from.
    """

    details: RunDetails
    metadata: MigratedDocument
    tables: RunTables
    documents: Mapping[str, Any]


def read_run(
    files: RunFiles,
    scratch: Path,
    on_rows: Callable[[int, int], None] | None = None,
    *,
    migrate: Migrate | None = None,
) -> RunResults:
    """Read and check all files of a run.

    Parameters
    ----------
    scratch : Path
        A private directory for parts of a large run; needed as long as the result is.
    on_rows : callable, optional
        Told how many visits of how many have been read. What it raises stops the reading.
    migrate : callable, optional
        Brings the metadata to the version that is read here; without it, it is read as it is.

    Raises
    ------
    InvalidResultsError
        With every fault of every file.
    """
    faults = list(files.faults)
    metadata = _read_metadata(files.metadata, migrate or _as_it_is, faults)
    details = None
    if metadata is not None:
        details = read_details(metadata.document, METADATA_FILE, faults)
    documents = {
        name: _read_document(name, source, faults) for name, source in files.documents.items()
    }
    tables = canonical_tables(files.tables, scratch, faults, on_rows=on_rows)
    if metadata is not None:
        documents |= _originals(metadata, faults)
    if faults or metadata is None or details is None or tables is None:
        raise InvalidResultsError(files.label, faults)
    return RunResults(details=details, metadata=metadata, tables=tables, documents=documents)


def _read_text(path: Path, faults: list[Fault]) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_DOCUMENT_BYTES + 1)
    except FileNotFoundError:
        faults.append(Fault(path.name, "is missing"))
        return None
    except OSError as error:
        faults.append(Fault(path.name, f"can not be read: {error.strerror}"))
        return None
    if len(content) > MAX_DOCUMENT_BYTES:
        faults.append(Fault(path.name, f"is larger than {MAX_DOCUMENT_BYTES // 2**20} MiB"))
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        faults.append(Fault(path.name, f"is not UTF-8 (byte {error.start})"))
        return None


def _read_document(name: str, source: Path | Any, faults: list[Fault]) -> Any:
    if not isinstance(source, Path):
        return _plain(source)
    text = _read_text(source, faults)
    if text is None:
        return None
    try:
        if source.suffix == ".yaml":
            parsed = yaml.load(text, Loader=yaml.CSafeLoader)
        else:
            parsed = json.loads(text)
        document = _plain(parsed)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        faults.append(Fault(source.name, f"can not be parsed: {reason}"))
        return None
    expected = list if name == "audit_log" else dict
    if not isinstance(document, expected):
        faults.append(Fault(source.name, f"holds no {'list' if expected is list else 'mapping'}"))
        return None
    return document


def _plain(value: Any) -> Any:
    """Reduce a document to what JSON can hold, within a budget of nodes."""
    budget = MAX_DOCUMENT_NODES

    def reduce(node: Any) -> Any:
        nonlocal budget
        budget -= 1
        if budget < 0:
            raise ValueError(f"more than {MAX_DOCUMENT_NODES:,} values")
        if isinstance(node, Mapping):
            return {str(key): reduce(item) for key, item in node.items()}
        if isinstance(node, list | tuple | set):
            return [reduce(item) for item in node]
        if isinstance(node, float) and not math.isfinite(node):
            return str(node)
        if isinstance(node, datetime | date):
            return node.isoformat()
        if node is None or isinstance(node, str | int | float | bool):
            return node
        return str(node)

    return reduce(value)


def _read_metadata(
    source: Path | Mapping[str, Any] | None, migrate: Migrate, faults: list[Fault]
) -> MigratedDocument | None:
    if source is None:
        faults.append(Fault(METADATA_FILE, "is missing"))
        return None
    if isinstance(source, Path):
        text = _read_text(source, faults)
        if text is None:
            return None
        try:
            source = json.loads(text)
        except (ValueError, RecursionError) as error:
            faults.append(Fault(METADATA_FILE, f"is not JSON: {error}"))
            return None
    if not isinstance(source, Mapping):
        faults.append(Fault(METADATA_FILE, "holds no mapping"))
        return None
    try:
        return migrate(source)
    except MigrationError as error:
        faults.append(Fault(METADATA_FILE, error.message, "schema_version"))
        return None


def _as_it_is(document: Mapping[str, Any]) -> MigratedDocument:
    version = SchemaVersion.parse(METADATA_SCHEMA_VERSION)
    return MigratedDocument(document=document, original=document, found=version)


def _originals(metadata: MigratedDocument, faults: list[Fault]) -> dict[str, Any]:
    """Return the metadata as it was found, where that is not what was read."""
    if not metadata.steps:
        return {}
    try:
        return {ORIGINAL_METADATA: _plain(metadata.original)}
    except (ValueError, RecursionError) as error:
        faults.append(Fault(METADATA_FILE, f"can not be kept: {error}"))
        return {}
