"""The record: immutable, content-addressed result sets in Parquet."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.results.canonical import RunTables
from ape_jupyter.results.digest import TableDigest, table_digest
from ape_jupyter.results.durable import fsync_directory, fsync_file, reporting_full_disk
from ape_jupyter.results.schema import COSTS, PATIENTS, RESOURCES, VISITS
from ape_jupyter.results.sorting import BucketObserver
from ape_jupyter.results.stored import StoredRows, stored_table

__all__ = ["ObjectStore", "StoredObject"]

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
PARQUET_OPTIONS: Mapping[str, Any] = {
    "compression": "zstd",
    # A flipped bit inside a compressed page otherwise reads back as other values.
    "write_page_checksum": True,
    # Objects are read whole: nobody would skip pages by what is in them.
    "write_statistics": False,
    "write_batch_size": 2**14,
}


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

    def publish(
        self,
        tables: RunTables,
        documents: Mapping[str, Any],
        observers: Sequence[BucketObserver] = (),
        on_rows: Callable[[int, int], None] | None = None,
    ) -> StoredObject:
        """Store a result set; one that is there already is left alone.

        Parameters
        ----------
        observers : sequence of BucketObserver
            Told each bucket of visits in passing.
        on_rows : callable, optional
            Told how many visits of how many are written. What it raises stops the work.

        Raises
        ------
        OutOfSpaceError
            If the disk is full. Nothing of the object stays behind.
        """
        with reporting_full_disk(self.directory), self.staged() as staged:
            path = staged / "object"
            path.mkdir(mode=0o700)
            content = {
                "tables": self._write_tables(path, tables, observers, on_rows),
                "documents": {name: _sha256(_canonical(item)) for name, item in documents.items()},
            }
            digest = _sha256(_canonical(content))
            target = self.path(digest)
            if not (target / MANIFEST).exists():
                self._complete(path, documents, content)
                self._publish(path, target)
        size_bytes = sum(file.stat().st_size for file in target.iterdir())
        return StoredObject(digest=digest, size_bytes=size_bytes)

    @staticmethod
    def _write_tables(
        path: Path,
        tables: RunTables,
        observers: Sequence[BucketObserver],
        on_rows: Callable[[int, int], None] | None,
    ) -> dict[str, str]:
        digests = {}
        for name, content in tables.items():
            file = path / f"{name}.parquet"
            if isinstance(content, pa.Table):
                repetitive = [name for name in content.schema.names if name != "patient_id"]
                pq.write_table(content, file, use_dictionary=repetitive, **PARQUET_OPTIONS)
                digests[name] = table_digest(content)
                continue
            digest = TableDigest(content.schema)
            n_written = 0
            with pq.ParquetWriter(file, content.schema, **PARQUET_OPTIONS) as writer:
                for bucket in content.buckets():
                    rows = bucket.localised()
                    digest.add(bucket.rows)
                    writer.write_table(rows, row_group_size=max(rows.num_rows, 1))
                    n_written += rows.num_rows
                    if name != "visits":
                        continue
                    for observer in observers:
                        observer.add(tables.patients_of(bucket), rows)
                    if on_rows:
                        on_rows(n_written, content.num_rows)
            digests[name] = digest.hexdigest()
        return digests

    @staticmethod
    def _complete(path: Path, documents: Mapping[str, Any], content: Mapping[str, Any]) -> None:
        """Add documents and manifest to the tables, and wait until all are on the disk."""
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

    def read(self, digest: str) -> RunTables:
        """Read the tables of an object; visits and costs are read when they are asked for.

        Raises
        ------
        CorruptedDataError
            If a file is missing, damaged, or does not hold what the manifest says. Of visits
            and costs the latter is raised at the end of reading them.
        """
        expected = self.table_digests(digest)
        path = self.path(digest)
        try:
            content: dict[str, Any] = {}
            for spec in (PATIENTS, RESOURCES):
                if spec.name in expected:
                    file = path / f"{spec.name}.parquet"
                    content[spec.name] = stored_table(file, spec, expected[spec.name])
            ids = content["patients"]["patient_id"].combine_chunks()
            for spec in (VISITS, COSTS):
                if spec.name in expected:
                    file = path / f"{spec.name}.parquet"
                    content[spec.name] = StoredRows(file, spec, expected[spec.name], ids)
            return RunTables(**content)
        except (KeyError, TypeError) as error:
            message = f"The manifest of object {digest[:12]} names no patients or no visits."
            raise CorruptedDataError(message) from error

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
