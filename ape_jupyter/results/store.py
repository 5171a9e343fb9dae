"""The record: immutable, content-addressed result sets in Parquet."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from ape_jupyter.errors import CorruptedDataError, Fault
from ape_jupyter.results.canonical import ResultTables, canonical_tables
from ape_jupyter.results.digest import table_digest
from ape_jupyter.results.durable import fsync_directory, fsync_file, reporting_full_disk

__all__ = ["ObjectStore", "StoredObject"]

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """A published result set: its digest and the bytes it takes on disk."""

    digest: str
    size_bytes: int


class ObjectStore:
    """Result sets under ``objects/``, each in a directory named by its digest.

    Any number of processes may publish and read at the same time: an object appears with
    one rename, complete, and never changes.
    """

    def __init__(self, directory: Path, staging: Path) -> None:
        self.directory = directory
        self.staging = staging

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """Give a private directory on the store's file system; it is gone afterwards."""
        path = self.staging / uuid.uuid4().hex
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    def path(self, digest: str) -> Path:
        """Where the object of a digest is, or would be."""
        return self.directory / digest[:2] / digest

    def publish(self, tables: ResultTables, documents: Mapping[str, Any]) -> StoredObject:
        """Store a result set; one that is there already is left alone.

        Raises
        ------
        OutOfSpaceError
            If the disk is full. Nothing of the object stays behind.
        """
        digests = {name: table_digest(table) for name, table in tables.items()}
        content = {
            "tables": digests,
            "documents": {name: _sha256(_canonical(item)) for name, item in documents.items()},
        }
        digest = _sha256(_canonical(content))
        target = self.path(digest)
        if not (target / MANIFEST).exists():
            with reporting_full_disk(self.directory), self.staged() as staged:
                self._write(staged / "object", tables, documents, content)
                self._publish(staged / "object", target)
        size_bytes = sum(file.stat().st_size for file in target.iterdir())
        return StoredObject(digest=digest, size_bytes=size_bytes)

    def _write(
        self,
        path: Path,
        tables: ResultTables,
        documents: Mapping[str, Any],
        content: Mapping[str, Any],
    ) -> None:
        path.mkdir(mode=0o700)
        for name, table in tables.items():
            pq.write_table(
                table,
                path / f"{name}.parquet",
                compression="zstd",
                # A flipped bit inside a compressed page otherwise reads back as other values.
                write_page_checksum=True,
            )
        for name, document in documents.items():
            if name == "protocol":
                text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
                (path / "protocol.yaml").write_text(text, encoding="utf-8")
            else:
                (path / f"{name}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
        files = {file.name: _file_sha256(file) for file in sorted(path.iterdir())}
        manifest = {"manifest_version": MANIFEST_VERSION, **content, "files": files}
        (path / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
        for file in path.iterdir():
            file.chmod(0o440)
            fsync_file(file)
        fsync_directory(path)

    def _publish(self, staged: Path, target: Path) -> None:
        parent = target.parent
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            staged.rename(target)
        except OSError:
            # Another process published the same content first; its object is as good as ours.
            if not (target / MANIFEST).exists():
                raise
        fsync_directory(parent)
        fsync_directory(self.directory)

    def table_digests(self, digest: str) -> dict[str, str]:
        """Return the digest of each table of an object."""
        return dict(self._manifest(digest)["tables"])

    def read(self, digest: str) -> ResultTables:
        """Read the tables of an object.

        Raises
        ------
        CorruptedDataError
            If a file is missing, damaged, or does not hold what the manifest says.
        """
        raw = {}
        expected = self.table_digests(digest)
        for name in expected:
            path = self.path(digest) / f"{name}.parquet"
            try:
                with path.open("rb") as file:
                    raw[name] = pq.ParquetFile(file, page_checksum_verification=True).read()
            except (pa.ArrowException, OSError) as error:
                message = f"{name}.parquet of object {digest[:12]} can not be read: {error}"
                raise CorruptedDataError(message) from error
        faults: list[Fault] = []
        tables = canonical_tables(raw, faults)
        if tables is None:
            detail = "; ".join(map(str, faults))
            raise CorruptedDataError(f"Object {digest[:12]} is damaged: {detail}")
        for name, table in tables.items():
            # Parquet guards its pages with checksums, and its footer with none.
            if table_digest(table) != expected[name]:
                message = (
                    f"{name}.parquet of object {digest[:12]} holds other data than was stored."
                )
                raise CorruptedDataError(message)
        return tables

    def _manifest(self, digest: str) -> dict[str, Any]:
        try:
            manifest = json.loads((self.path(digest) / MANIFEST).read_bytes())
            if manifest["manifest_version"] > MANIFEST_VERSION:
                message = f"Object {digest[:12]} was written by a newer version of ape-jupyter."
                raise CorruptedDataError(message)
            return dict(manifest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"The manifest of object {digest[:12]} can not be read: {error}"
            raise CorruptedDataError(message) from error


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
