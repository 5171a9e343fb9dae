"""The tables of a run on a server, as files that this process can map."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import uuid
from base64 import b64decode
from pathlib import Path

import pyarrow as pa
from platformdirs import user_cache_path

from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.eviction import Evictor
from ape_jupyter.cache.leases import LEASE_FILE
from ape_jupyter.cache.mapped import map_table
from ape_jupyter.cache.seals import is_sealed, seal
from ape_jupyter.client.transport import Transport
from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.wire.messages import OpenedSimulation, OpenedTable

__all__ = ["TableFetcher"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class TableFetcher:
    """Finds the server's own files where they are on this host, and fetches them elsewhere.

    Fetched files are kept under the digest of their result set, which never changes, so each
    is fetched once. Processes may share the directory: files appear complete.
    """

    def __init__(self, transport: Transport, directory: Path | None = None) -> None:
        self._transport = transport
        self._directory = directory or user_cache_path("ape-jupyter") / "fetched"
        self._evictor = Evictor(self._directory, Budget.of())

    def paths(self, opened: OpenedSimulation) -> dict[str, Path]:
        """Return a file for every table of a run.

        Raises
        ------
        CorruptedDataError
            If what was fetched is not what was sent, or is no valid table.
        """
        return {name: self._path(opened, name, table) for name, table in opened.tables.items()}

    def _path(self, opened: OpenedSimulation, name: str, table: OpenedTable) -> Path:
        shared = Path(table.path)
        if _is_file_of_size(shared, table.size_bytes) and os.access(shared, os.R_OK):
            return shared
        run = opened.metadata
        if shared.parent.name == run.checksum and os.access(shared.parent, os.X_OK):
            # The server's own cache, which evicted the run just now; it will make it again.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(shared))
        # Both come from the network and become a path here.
        if not (_NAME.fullmatch(name) and _NAME.fullmatch(run.checksum)):
            raise CorruptedDataError(f"The server named a table {name!r} of {run.checksum!r}.")
        fetched = self._directory / run.checksum / f"{name}.arrow"
        if not (_is_file_of_size(fetched, table.size_bytes) and is_sealed(fetched)):
            self._evictor.make_room(table.size_bytes, keep=[run.checksum])
            self._fetch(run.sim_id, name, fetched)
        (fetched.parent / LEASE_FILE).touch(0o600)
        return fetched

    def _fetch(self, sim_id: str, name: str, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = target.with_name(f".{name}.{uuid.uuid4().hex}.partial")
        digest = hashlib.sha256()
        try:
            with self._transport.download("simulations", sim_id, "tables", name) as response:
                with partial.open("xb") as file:
                    for chunk in response.iter_bytes():
                        digest.update(chunk)
                        file.write(chunk)
                expected = _sha256_of(response.headers.get("Repr-Digest", ""))
            if digest.digest() != expected:
                raise CorruptedDataError(f"The table {name} of {sim_id} was damaged on its way.")
            _validate(partial, f"{name} of {sim_id}")
            partial.chmod(0o440)
            partial.replace(target)
            seal(target, digest.hexdigest())
        finally:
            partial.unlink(missing_ok=True)


def _is_file_of_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.is_file() and path.stat().st_size == size_bytes
    except OSError:
        return False


def _sha256_of(header: str) -> bytes | None:
    match = re.search(r"sha-256=:([A-Za-z0-9+/=]+):", header)
    return b64decode(match[1]) if match else None


def _validate(path: Path, label: str) -> None:
    # A wrong offset in a mapped file kills the process that touches it; only the full check
    # finds all of them.
    try:
        map_table(path).validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorruptedDataError(f"The table {label} is damaged: {error}") from error
