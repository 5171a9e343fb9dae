"""What a library and its reading process say to each other, as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from ape_jupyter.errors import (
    ApeError,
    ConflictError,
    CorruptedDataError,
    Fault,
    InvalidResultsError,
    OutOfSpaceError,
    SchemaTooNewError,
)
from ape_jupyter.library.preparation import NewResults, PreparedRun, Request
from ape_jupyter.registry.rows import metadata_of, row_of
from ape_jupyter.results.reading import RunFiles
from ape_jupyter.results.store import ObjectStore, StagedObject, StoredObject

__all__ = ["Order", "error_in", "failed", "prepared", "prepared_in", "receive", "send"]

_ERRORS = {
    cls.__name__: cls
    for cls in (ConflictError, CorruptedDataError, OutOfSpaceError, SchemaTooNewError)
}


def send(file: IO[bytes], message: Mapping[str, Any]) -> None:
    """Write a message."""
    # Names of files need not be UTF-8; escaped as ASCII they come back as they were.
    file.write(json.dumps(message).encode("ascii") + b"\n")
    file.flush()


def receive(file: IO[bytes]) -> dict[str, Any] | None:
    """Read a message; None when the other side is gone."""
    line = file.readline()
    return dict(json.loads(line)) if line.endswith(b"\n") else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A run to be prepared.

    Attributes
    ----------
    memory_bytes, cpu_seconds : int
        What reading it may take.
    """

    files: RunFiles
    request: Request
    store: ObjectStore
    scratch: Path
    memory_bytes: int
    cpu_seconds: int

    def to_json(self) -> dict[str, Any]:
        """Return the order as a message."""
        files = self.files
        return {
            "label": files.label,
            "metadata": _packed(files.metadata),
            "tables": {name: str(path) for name, path in files.tables.items()},
            "documents": {name: _packed(item) for name, item in files.documents.items()},
            "faults": [asdict(fault) for fault in files.faults],
            "request": asdict(self.request),
            "objects": str(self.store.directory),
            "staging": str(self.store.staging),
            "scratch": str(self.scratch),
            "memory_bytes": self.memory_bytes,
            "cpu_seconds": self.cpu_seconds,
        }

    @classmethod
    def from_json(cls, message: Mapping[str, Any]) -> Order:
        """Read the order from a message."""
        request = message["request"]
        return cls(
            files=RunFiles(
                label=message["label"],
                metadata=_unpacked(message["metadata"]),
                tables={name: Path(path) for name, path in message["tables"].items()},
                documents={n: _unpacked(item) for n, item in message["documents"].items()},
                faults=tuple(Fault(**fault) for fault in message["faults"]),
            ),
            request=Request(tuple(request["tags"]), request["owner"], request["link"]),
            store=ObjectStore(Path(message["objects"]), Path(message["staging"])),
            scratch=Path(message["scratch"]),
            memory_bytes=message["memory_bytes"],
            cpu_seconds=message["cpu_seconds"],
        )


def _packed(source: Path | Any) -> dict[str, Any]:
    return {"path": str(source)} if isinstance(source, Path) else {"content": source}


def _unpacked(packed: Mapping[str, Any]) -> Path | Any:
    return Path(packed["path"]) if "path" in packed else packed["content"]


def prepared(run: PreparedRun) -> dict[str, Any]:
    """Return a prepared run as a message; its summary goes as a file."""
    message: dict[str, Any] = {"sim_id": run.sim_id, "tables": dict(run.tables), "new": None}
    if run.new is not None:
        staged = run.new.staged
        message["new"] = {
            "row": row_of(run.new.metadata),
            "tags": list(run.new.metadata.tags),
            "documents": run.new.documents,
            "stored": {**asdict(staged.stored), "tables": dict(staged.stored.tables)},
            "path": str(staged.path),
            "is_there": staged.is_there,
        }
    return message


def prepared_in(message: Mapping[str, Any], summary: Callable[[], pa.Table]) -> PreparedRun:
    """Read a prepared run from a message; ``summary`` gives what came as a file."""
    new = message["new"]
    results = None
    if new is not None:
        results = NewResults(
            metadata=metadata_of(new["row"], new["tags"]),
            documents=new["documents"],
            staged=StagedObject(
                stored=StoredObject(**new["stored"]),
                path=Path(new["path"]),
                is_there=new["is_there"],
            ),
            summary=summary(),
        )
    return PreparedRun(sim_id=message["sim_id"], tables=message["tables"], new=results)


def failed(error: ApeError) -> dict[str, Any]:
    """Return an error as a message."""
    if isinstance(error, InvalidResultsError):
        return {"run": error.run, "faults": [asdict(fault) for fault in error.faults]}
    return {"error": type(error).__name__, "message": error.message}


def error_in(message: Mapping[str, Any]) -> ApeError:
    """Read an error from a message."""
    if "faults" in message:
        return InvalidResultsError(message["run"], [Fault(**f) for f in message["faults"]])
    return _ERRORS.get(message["error"], ApeError)(message["message"])
