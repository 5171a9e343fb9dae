"""Computed answers on disk, by what they depend on, shared by all processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from pathlib import Path

__all__ = ["ANSWERS", "AnswerCache"]

ANSWERS = ".answers"
"""Under the cache directory; with the dot, evictors do not take it for a run."""

MAX_BYTES = 128 * 2**20
_DIGEST_BYTES = 32


class AnswerCache:
    """Bytes by key, of which those that were not used for longest go first.

    Threads and processes may share a directory, and it may be deleted while it is in use: an
    answer appears whole or not at all, and one that is damaged or missing is computed again.

    Parameters
    ----------
    directory : Path
        Made when something is kept.
    max_bytes : int
        What all answers may take; a larger one is not kept.
    """

    def __init__(self, directory: Path, max_bytes: int = MAX_BYTES) -> None:
        self.directory = directory
        self.max_bytes = max_bytes

    def get(self, key: str) -> bytes | None:
        """Return an answer, and note that it was of use; None when there is none."""
        path = self.directory / key
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, answer = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(answer).digest() != digest:
            return None
        # A cache that can only be read is still of use.
        with contextlib.suppress(OSError):
            os.utime(path)
        return answer

    def put(self, key: str, answer: bytes) -> None:
        """Keep an answer. On a full disk, or one that can only be read, nothing is kept."""
        if len(answer) > self.max_bytes:
            return
        with contextlib.suppress(OSError):
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial = self.directory / f".{uuid.uuid4().hex}.partial"
            try:
                partial.write_bytes(hashlib.sha256(answer).digest() + answer)
                partial.replace(self.directory / key)
            finally:
                partial.unlink(missing_ok=True)
            self._make_room()

    def _make_room(self) -> None:
        found = []
        for path in self.directory.iterdir():
            # Another process may be making room, too.
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        excess = sum(size for _, size, _ in found) - self.max_bytes
        for _, size, path in sorted(found):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= size
