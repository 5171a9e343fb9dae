"""The shared cache: Arrow files written once, then mapped read-only by any number of processes."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from filelock import FileLock

__all__ = ["PersistentCache", "map_table", "write_table"]


def map_table(path: Path) -> pa.Table:
    """Map an Arrow file; its columns are views of the file's pages, shared with all readers.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    """
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def write_table(table: pa.Table, path: Path) -> None:
    """Write an Arrow file durably, as one uncompressed batch that can be mapped as it is.

    The file appears complete or not at all; readers of an older file of that name keep it.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table.combine_chunks())
            file.flush()
            # After a power cut, a name without its bytes would kill whoever maps it.
            os.fsync(file.fileno())
        partial.chmod(0o440)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class PersistentCache:
    """Mapped files by result set, under ``cache/<digest>/``.

    Processes and threads may use one directory at the same time. Who first needs a file
    writes it; others wait for that. The directory may be deleted while it is in use: maps
    that are open stay readable, and what is missing is written again.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, digest: str, name: str) -> Path:
        """Where the Arrow file of a table is, or would be."""
        return self.directory / digest / f"{name}.arrow"

    def files(
        self, digest: str, names: Sequence[str], build: Callable[[], Mapping[str, pa.Table]]
    ) -> dict[str, Path]:
        """Return the files of a result set, first writing those that are missing.

        Parameters
        ----------
        names : sequence of str
            The tables wanted.
        build : callable
            Gives the tables by name; called only when one is missing, under a lock that
            keeps other processes from doing the same work.
        """
        paths = {name: self.path(digest, name) for name in names}
        if all(path.exists() for path in paths.values()):
            return paths
        locks = self.directory / ".locks"
        locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(locks / f"{digest}.lock"):
            missing = {name: path for name, path in paths.items() if not path.exists()}
            if missing:
                (self.directory / digest).mkdir(mode=0o700, exist_ok=True)
                tables = build()
                for name, path in missing.items():
                    write_table(tables[name], path)
        return paths
