"""Tables as files, for programs on another host than the server."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tornado import web
from tornado.iostream import StreamClosedError

from ape_jupyter.cache.leases import leased
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.routes import ARROW_FILE

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["TableHandler"]

_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class _OpenFile:
    file: BinaryIO
    size_bytes: int
    digest: bytes


class TableHandler(ApeHandler):
    """``simulations/{sim_id}/tables/{table}``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, sim_id: str, table: str) -> None:
        """Send the Arrow file of a table."""
        opened = await self.access.call(lambda library: _open(library, sim_id, table), heavy=True)
        try:
            self.set_header("Content-Type", ARROW_FILE)
            self.set_header("Content-Length", str(opened.size_bytes))
            self.set_header("Content-Disposition", "attachment")
            digest = b64encode(opened.digest).decode("ascii")
            self.set_header("Repr-Digest", f"sha-256=:{digest}:")
            while chunk := await self.access.run(lambda: opened.file.read(_CHUNK_BYTES)):
                self.write(chunk)
                await self.flush()
            self.finish(set_content_type=ARROW_FILE)
        except StreamClosedError:
            self.log.debug("The download of %s of %s was aborted", table, sim_id)
        finally:
            opened.file.close()


def _open(library: LocalLibrary, sim_id: str, table: str) -> _OpenFile:
    paths = library.open_tables(sim_id).paths
    if table not in paths:
        raise web.HTTPError(
            404,
            reason=None,
            log_message=f"The run has no table {table}; it has {', '.join(paths)}.",
        )
    # An open file stays readable when the cache evicts it.
    file = leased(
        lambda: library.open_tables(sim_id).paths,
        lambda paths, _: paths[table].open("rb"),
    )
    digest = hashlib.file_digest(file, "sha256").digest()
    size_bytes = file.tell()
    file.seek(0)
    return _OpenFile(file, size_bytes, digest)
