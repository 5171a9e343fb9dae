"""The record: immutable, content-addressed result sets in Parquet."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ape_jupyter.errors import CorruptedDataError, Fault
from ape_jupyter.results.canonical import RunTables, canonical_tables
from ape_jupyter.results.document_files import read_documents, write_documents
from ape_jupyter.results.durable import fsync_directory, reporting_full_disk, settle
from ape_jupyter.results.linked import changed_link, check_links
from ape_jupyter.results.manifest import MANIFEST, LinkedFile, Manifest, read_manifest
from ape_jupyter.results.schema import COSTS, PATIENTS, RESOURCES, VISITS
from ape_jupyter.results.sealed import canonical_json, file_sha256, sha256_of
from ape_jupyter.results.sorting import BucketObserver
from ape_jupyter.results.staging import discard_abandoned, staged_directory
from ape_jupyter.results.stored import StoredRows, stored_table
from ape_jupyter.results.stored_object import StagedObject, StoredObject
from ape_jupyter.results.table_files import write_tables

__all__ = ["ObjectStore", "StagedObject", "StoredObject"]


class ObjectStore:
    """Result sets under ``objects/``, each in a directory named by its digest.

    Any number of processes may publish and read at the same time: an object appears with
    one rename, complete, and never changes what it says. Only damaged files, and links to
    files outside, are replaced: by files that say the same.
    """

    def __init__(self, directory: Path, staging: Path) -> None:
        self.directory = directory
        self.staging = staging

    def staged(self) -> AbstractContextManager[Path]:
        """Give a private directory on the store's file system; it is gone afterwards."""
        return staged_directory(self.staging)

    def discard_abandoned(self) -> None:
        """Remove the staged directories whose processes are dead."""
        discard_abandoned(self.staging)

    def path(self, digest: str) -> Path:
        """Where the object of a digest is, or would be."""
        return self.directory / digest[:2] / digest

    def publish(
        self,
        tables: RunTables,
        documents: Mapping[str, Any],
        observers: Sequence[BucketObserver] = (),
        on_rows: Callable[[int, int], None] | None = None,
        *,
        links: Mapping[str, LinkedFile] | None = None,
    ) -> StoredObject:
        """Store a result set; :meth:`stage` and :meth:`put` in one."""
        with reporting_full_disk(self.directory), self.staged() as place:
            staged = self.stage(place, tables, documents, observers, on_rows, links=links)
            self.put(staged)
        return staged.stored

    def stage(
        self,
        place: Path,
        tables: RunTables,
        documents: Mapping[str, Any],
        observers: Sequence[BucketObserver] = (),
        on_rows: Callable[[int, int], None] | None = None,
        *,
        links: Mapping[str, LinkedFile] | None = None,
    ) -> StagedObject:
        """Write a result set where nobody sees it.

        Parameters
        ----------
        place : Path
            A directory that :meth:`staged` gave.
        links : mapping, optional
            The files that ``tables`` were read from, by table. They stay where they are, and
            nothing is stored but documents and digests.
        observers : sequence of BucketObserver
            Told each bucket of visits in passing.
        on_rows : callable, optional
            Told how many visits of how many are written. What it raises stops the work.
        """
        path = place / "object"
        path.mkdir(mode=0o700)
        content = Manifest(
            tables=write_tables(None if links else path, tables, observers, on_rows),
            documents={n: sha256_of(canonical_json(item)) for n, item in documents.items()},
            links=links or {},
        )
        is_there = self._has_as_good(content)
        manifest = self._complete(path, documents, content)
        if is_there:
            manifest = read_manifest(self.path(content.digest))
        return StagedObject(stored=self._stored(manifest), path=path, is_there=is_there)

    def staged_at(self, path: Path) -> StagedObject:
        """Return the result set that was staged elsewhere, and is complete in this directory.

        Parameters
        ----------
        path : Path
            Named by the digest, in a directory that :meth:`staged` gave.
        """
        manifest = read_manifest(path)
        is_there = self._has_as_good(manifest)
        if is_there:
            manifest = read_manifest(self.path(manifest.digest))
        return StagedObject(stored=self._stored(manifest), path=path, is_there=is_there)

    def put(self, staged: StagedObject) -> None:
        """Put a staged result set in its place; one that is there already, and sound, stays."""
        target = self.path(staged.stored.digest)
        # It may have been purged since it was looked for.
        if not (staged.is_there and (target / MANIFEST).exists()):
            self._publish(staged.path, target)

    def _has_as_good(self, wanted: Manifest) -> bool:
        try:
            there = read_manifest(self.path(wanted.digest))
        except CorruptedDataError:
            return False
        if there.links and not wanted.links:
            return False
        return not self.problems(wanted.digest)

    @staticmethod
    def _stored(manifest: Manifest) -> StoredObject:
        linked = [link.size_bytes for link in manifest.links.values()]
        return StoredObject(
            digest=manifest.digest,
            size_bytes=sum([*manifest.sizes.values(), *linked]),
            tables=manifest.tables,
            is_linked=bool(manifest.links),
        )

    @staticmethod
    def _complete(path: Path, documents: Mapping[str, Any], content: Manifest) -> Manifest:
        """Add documents and manifest to the tables, and wait until all are on the disk."""
        write_documents(path, documents)
        files = sorted(path.iterdir())
        manifest = Manifest(
            tables=content.tables,
            documents=content.documents,
            files={file.name: file_sha256(file) for file in files},
            sizes={file.name: file.stat().st_size for file in files},
            links=content.links,
        )
        (path / MANIFEST).write_bytes(manifest.to_json())
        settle(path)
        return manifest

    def _publish(self, staged: Path, target: Path) -> None:
        parent = target.parent
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            staged.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            # It is damaged, or a link; or another process was first, and its files are as good
            # as ours. Readers find either file of a name, and both say the same.
            for file in sorted(staged.iterdir(), key=lambda file: file.name == MANIFEST):
                file.replace(target / file.name)
            fsync_directory(target)
        fsync_directory(parent)
        fsync_directory(self.directory)

    def digests(self) -> list[str]:
        """Return the digests of all objects that are there."""
        return sorted(path.name for path in self.directory.glob("??/*") if path.is_dir())

    def table_digests(self, digest: str) -> dict[str, str]:
        """Return the digest of each table of an object."""
        return dict(self.manifest(digest).tables)

    def manifest(self, digest: str) -> Manifest:
        """Return the manifest of an object.

        Raises
        ------
        CorruptedDataError
            If it is missing or damaged.
        SchemaTooNewError
            If a newer version wrote it.
        """
        return read_manifest(self.path(digest))

    def problems(self, digest: str, *, fast: bool = False) -> list[str]:
        """Say what is wrong with an object, a sentence for each file; nothing when it is sound.

        Parameters
        ----------
        fast : bool
            Whether to look at names, sizes and times only, and to read no table.
        """
        try:
            manifest = self.manifest(digest)
        except CorruptedDataError as error:
            return [error.message]
        found = [changed_link(link, read=not fast) for link in manifest.links.values()]
        for name, sha256 in manifest.files.items():
            found.append(
                _problem(
                    self.path(digest) / name, manifest.sizes.get(name), None if fast else sha256
                )
            )
        return [problem for problem in found if problem]

    def documents(self, digest: str) -> dict[str, Any]:
        """Return the documents of an object by name.

        Raises
        ------
        CorruptedDataError
            If one is missing or damaged.
        """
        return read_documents(self.path(digest), self.manifest(digest).documents)

    def check_links(self, digest: str) -> None:
        """Check the files that an object links to, by their sizes and times.

        Raises
        ------
        CorruptedDataError
            If one has changed or is gone.
        """
        check_links(self.manifest(digest).links)

    @contextmanager
    def reading(self, digest: str) -> Iterator[RunTables]:
        """Give the tables of an object, whether it holds or links them; see :meth:`read`."""
        manifest = self.manifest(digest)
        if not manifest.links:
            yield self.read(digest)
            return
        check_links(manifest.links, read=True)
        paths = {name: Path(link.path) for name, link in manifest.links.items()}
        with reporting_full_disk(self.directory), self.staged() as scratch:
            faults: list[Fault] = []
            tables = canonical_tables(paths, scratch, faults)
            if tables is None or tables.digests() != manifest.tables:
                files = ", ".join(map(str, paths.values()))
                raise CorruptedDataError(
                    f"{files} do not say what they said when they were linked."
                )
            yield tables

    def size_bytes(self, digest: str) -> int:
        """Return what the files of an object take; those it links to are not among them."""
        try:
            return sum(file.stat().st_size for file in self.path(digest).iterdir())
        except FileNotFoundError:
            return 0

    def remove(self, digest: str) -> None:
        """Remove an object that no run has; files it links to stay.

        It leaves its place with one rename, so that half an object is never there.
        """
        gone = self.staging / uuid.uuid4().hex
        try:
            self.path(digest).rename(gone)
        except FileNotFoundError:
            return
        fsync_directory(self.path(digest).parent)
        shutil.rmtree(gone, ignore_errors=True)

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


def _problem(path: Path, size_bytes: int | None, sha256: str | None) -> str | None:
    label = f"{path.name} of object {path.parent.name[:12]}"
    try:
        if size_bytes not in (None, path.stat().st_size):
            return f"{label} has another size than was stored."
        if sha256 is not None and file_sha256(path) != sha256:
            return f"{label} has other bytes than were stored."
    except FileNotFoundError:
        return f"{label} is missing."
    except OSError as error:
        return f"{label} can not be read: {error.strerror}."
    return None
