"""Packages that are uploaded."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tornado import web

from ape_jupyter.errors import Fault, InvalidArgumentError, InvalidResultsError, OutOfSpaceError
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.kernel_identity import check_digest
from ape_jupyter.server.permissions import authenticated, authorized

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["PackagesHandler"]

_BUFFER_BYTES = 2**20
_LABEL = "the package"


class _StagedFile:
    """A private file on the library's file system that receives an upload."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The name is the server's own, never the client's.
        self.path = directory / f"upload-{uuid.uuid4().hex}.zip"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "wb")
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)

    def complete(self) -> str:
        """Close the file and return the sha256 of its content."""
        self._file.close()
        return self._sha256.hexdigest()

    def discard(self) -> None:
        with contextlib.suppress(OSError):  # a full disk makes closing fail, too
            self._file.close()
        self.path.unlink(missing_ok=True)


@web.stream_request_body
class PackagesHandler(ApeHandler):
    """``packages``."""

    streams_body = True

    _staged: _StagedFile | None = None
    _received_bytes = 0
    _failure: OutOfSpaceError | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse, before the first byte of the body is taken, what will be refused anyway."""
        await super().prepare()
        if self.request.method != "POST":
            return
        await self._admit()
        # Beyond this tornado itself ends the connection.
        self.request.connection.set_max_body_size(self._limit_bytes)  # type: ignore[union-attr]
        self._received = bytearray()
        self._staged = await self.access.run(self._stage, heavy=True)

    @authenticated
    @authorized("write", "ape-simulations")
    async def _admit(self) -> None:
        self.require_feature(self.ape.uploads, "Packages can not be uploaded", "uploads")
        if int(self.request.headers.get("Content-Length", 0)) > self._limit_bytes:
            raise web.HTTPError(
                413, f"The package is larger than {self.ape.max_upload_mb:,} MB, the limit here."
            )
        kind = self.request.headers.get("Content-Type", "application/zip").partition(";")[0]
        if kind.strip().lower() not in _ZIP_TYPES:
            raise web.HTTPError(415, f"A package is sent as application/zip, not as {kind}.")

    @property
    def _limit_bytes(self) -> int:
        return self.ape.max_upload_mb * 10**6

    def _stage(self) -> _StagedFile:
        # A library that does not open gets no staging directory.
        self.access.library()
        return _StagedFile(self.access.staging)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body."""
        if self._staged is None:  # refused already
            return
        self._received += chunk
        if len(self._received) >= _BUFFER_BYTES:
            await self._store(self._staged)

    async def _store(self, staged: _StagedFile) -> None:
        data, self._received = bytes(self._received), bytearray()
        self._received_bytes += len(data)
        if self._failure is None:
            try:
                await self.access.run(lambda: staged.write(data), heavy=True)
            except OSError as error:
                # Raised from here, tornado would drop the connection without an answer.
                self._failure = OutOfSpaceError(f"The package can not be stored: {error.strerror}")

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Import the package that was received."""
        staged = self._staged
        if staged is None:  # not reached: prepare() has raised then
            raise web.HTTPError(500)
        await self._store(staged)
        if self._failure is not None:
            raise self._failure
        digest = await self.access.run(staged.complete, heavy=True)
        if self.kernel_signature is not None:
            check_digest(self.kernel_signature, digest)
        if not self._received_bytes:
            raise InvalidArgumentError("The body is empty; send the package as the body.")
        query = parse_qsl(self.request.query, keep_blank_values=True)
        tags = tuple(value for name, value in query if name == "tags")
        owner = self.owner

        def import_package(library: LocalLibrary) -> ImportOutcome:
            return library.import_package(staged.path, tags=tags, user=owner)

        outcome = await self.access.call(import_package, heavy=True)
        if outcome.status is ImportStatus.REFUSED:
            raise InvalidResultsError(_LABEL, _under_its_name(outcome.faults, staged))
        outcome = replace(outcome, path=_LABEL)
        self.answer(outcome, status=201 if outcome.status is ImportStatus.IMPORTED else 200)

    def on_finish(self) -> None:
        """Remove the staged file, whether it was imported or refused."""
        self._discard()
        super().on_finish()

    def on_connection_close(self) -> None:
        """Remove the staged file of an upload that was broken off."""
        super().on_connection_close()
        self._discard()

    def _discard(self) -> None:
        staged, self._staged = self._staged, None
        if staged is not None:
            self.ape.discard_later(staged.discard)


def _under_its_name(faults: Sequence[Fault], staged: _StagedFile) -> list[Fault]:
    """Name the package in its faults as the user knows it, not as it was staged."""
    staged_names = {staged.path.name, str(staged.path)}
    return [
        replace(fault, file=_LABEL) if fault.file in staged_names else fault for fault in faults
    ]


_ZIP_TYPES = {"application/zip", "application/x-zip-compressed", "application/octet-stream"}
