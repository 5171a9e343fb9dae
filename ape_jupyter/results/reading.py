"""Reading the files of one APE run, wherever they lie."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from ape_jupyter.errors import Fault, InvalidResultsError
from ape_jupyter.model.simulation import Source, is_valid_sim_id
from ape_jupyter.results.canonical import RunTables, canonical_tables
from ape_jupyter.results.schema import TABLE_FILES

__all__ = [
    "DOCUMENT_FILES",
    "RunDetails",
    "RunFiles",
    "RunOrigin",
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
REQUIRED_TABLES = ("patients", "visits")
MAX_DOCUMENT_BYTES = 16 * 2**20
# YAML aliases let a few bytes stand for billions of nodes.
MAX_DOCUMENT_NODES = 200_000


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
            metadata=directory / "metadata.json",
            tables={n: p for n, p in tables.items() if n in REQUIRED_TABLES or p.exists()},
            documents={n: p for n, p in documents.items() if p.exists()},
            faults=tuple(faults),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrigin:
    """What a program that registers a run says beside what APE says."""

    source: Source = Source.IMPORTED
    notes: str = ""
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """What ``metadata.json`` says of a run, checked; times are aware and in UTC."""

    sim_id: str
    name: str | None
    created_at: datetime
    protocol_name: str
    protocol_version: str
    engine_type: str
    model_type: str | None
    n_patients: int
    duration_years: float
    seed: int | None
    runtime_seconds: float | None
    origin: RunOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResults:
    """A run as read and checked."""

    details: RunDetails
    tables: RunTables
    documents: Mapping[str, Any]


def read_run(
    files: RunFiles, scratch: Path, on_rows: Callable[[int, int], None] | None = None
) -> RunResults:
    """Read and check all files of a run.

    Parameters
    ----------
    scratch : Path
        A private directory for parts of a large run; needed as long as the result is.
    on_rows : callable, optional
        Told how many visits of how many have been read. What it raises stops the reading.

    Raises
    ------
    InvalidResultsError
        With every fault of every file.
    """
    faults = list(files.faults)
    details = _read_details(files.metadata, faults)
    documents = {
        name: _read_document(name, source, faults) for name, source in files.documents.items()
    }
    tables = canonical_tables(files.tables, scratch, faults, on_rows=on_rows)
    if faults or details is None or tables is None:
        raise InvalidResultsError(files.label, faults)
    return RunResults(details=details, tables=tables, documents=documents)


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


def _read_details(
    source: Path | Mapping[str, Any] | None, faults: list[Fault]
) -> RunDetails | None:
    file = "metadata.json"
    if source is None:
        faults.append(Fault(file, "is missing"))
        return None
    if isinstance(source, Path):
        text = _read_text(source, faults)
        if text is None:
            return None
        try:
            source = json.loads(text)
        except (ValueError, RecursionError) as error:
            faults.append(Fault(file, f"is not JSON: {error}"))
            return None
    if not isinstance(source, Mapping):
        faults.append(Fault(file, "holds no mapping"))
        return None
    return _details(_Fields(source, file, faults))


def _details(fields: _Fields) -> RunDetails | None:
    before = len(fields.faults)
    sim_id = fields.text("sim_id")
    if sim_id is not None and not is_valid_sim_id(sim_id):
        fields.fault("sim_id", "holds characters that an id can not have")
    created_at = fields.time("timestamp")
    details = {
        "name": fields.text("memorable_name", required=False),
        "protocol_name": fields.text("protocol_name"),
        "protocol_version": fields.text("protocol_version", required=False) or "",
        "engine_type": fields.text("engine_type"),
        "model_type": fields.text("model_type", required=False),
        "n_patients": fields.number("n_patients", int, minimum=0),
        "duration_years": fields.number("duration_years", float, minimum=0),
        "seed": fields.number("seed", int, required=False),
        "runtime_seconds": fields.number("runtime_seconds", float, required=False),
        "origin": _origin(fields),
    }
    if len(fields.faults) > before:
        return None
    return RunDetails(sim_id=sim_id, created_at=created_at, **details)  # type: ignore[arg-type]


def _origin(fields: _Fields) -> RunOrigin | None:
    given = fields.values.get("library")
    if given is None:
        return RunOrigin()
    if not isinstance(given, Mapping):
        fields.fault("library", "holds no mapping")
        return None
    own = _Fields(given, f"{fields.file}, library", fields.faults)
    source = own.text("source", required=False) or Source.IMPORTED
    notes = own.text("notes", required=False) or ""
    parent = own.text("parent", required=False)
    if source not in (Source.IMPORTED, Source.REGISTERED):
        own.fault("source", f"is {source[:40]!r}, expected 'imported' or 'registered'")
        return None
    if parent is not None and not is_valid_sim_id(parent):
        own.fault("parent", "holds characters that an id can not have")
    return RunOrigin(source=Source(source), notes=notes, parent=parent)


@dataclass(frozen=True, slots=True)
class _Fields:
    values: Mapping[str, Any]
    file: str
    faults: list[Fault]

    def fault(self, name: str, problem: str) -> None:
        self.faults.append(Fault(self.file, problem, name))

    def text(self, name: str, required: bool = True) -> str | None:
        value = self.values.get(name)
        if value is None or value == "":
            if required:
                self.fault(name, "is missing")
            return None
        # Protocol versions are written 1.0 without quotes by some versions of APE.
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.fault(name, f"has type {type(value).__name__}, expected text")
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fault(name, "is not valid Unicode")
            return None
        return value

    def number(
        self, name: str, kind: type, required: bool = True, minimum: float | None = None
    ) -> Any:
        value = self.values.get(name)
        if value is None:
            if required:
                self.fault(name, "is missing")
            return None
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(name, f"has type {type(value).__name__}, expected a number")
        elif not math.isfinite(value) or (kind is int and not whole):
            self.fault(name, f"is {value}, expected {'a whole' if kind is int else 'a'} number")
        elif (minimum is not None and value < minimum) or abs(value) >= 2**63:
            self.fault(name, f"is {value}, out of range")
        else:
            return kind(value)
        return None

    def time(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            time = datetime.fromisoformat(text)
            # APE writes times with and without a zone; those without are taken as UTC.
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fault(name, f"is {text[:40]!r}, expected an ISO time")
            return None
