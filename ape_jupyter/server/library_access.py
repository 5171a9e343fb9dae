"""The library, called in threads so that the server's event loop never waits for it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ape_jupyter.errors import LibraryBusyError, SchemaTooNewError, ServerUnavailableError
from ape_jupyter.library.place import LibraryPlace

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["LibraryAccess"]

T = TypeVar("T")

_QUICK_THREADS = 4
_HEAVY_THREADS = 2
_STALE_UPLOAD_SECONDS = 24 * 3600

_log = logging.getLogger(__name__)


class LibraryAccess:
    """Opens the library with the first call, and runs all calls in threads of its own.

    There are two sets of threads, so that questions to the registry are answered while runs
    are being opened or registered. A library that can not be opened fails every call with
    the reason and is tried again with the next; the server itself is not affected.

    Safe to use from the event loop and from any thread.

    Parameters
    ----------
    on_opened : callable, optional
        Given the library once it is open, in the thread that opened it.
    **options
        For :meth:`LocalLibrary.open`.
    """

    def __init__(
        self,
        place: LibraryPlace,
        on_opened: Callable[[LocalLibrary], None] | None = None,
        **options: Any,
    ) -> None:
        self.directory = place.directory
        self._database = place.database
        self._on_opened = on_opened
        self._options = options
        self._library: LocalLibrary | None = None
        self._opening = threading.Lock()
        self._quick = ThreadPoolExecutor(_QUICK_THREADS, thread_name_prefix="ape-quick")
        self._heavy = ThreadPoolExecutor(_HEAVY_THREADS, thread_name_prefix="ape-heavy")

    @property
    def opened(self) -> LocalLibrary | None:
        """The library, if it is open."""
        return self._library

    @property
    def staging(self) -> Path:
        """Private directory for uploads, on the library's own file system."""
        return self.directory / "staging"

    async def call(self, function: Callable[[LocalLibrary], T], *, heavy: bool = False) -> T:
        """Return ``function(library)``; ``heavy`` when it reads or writes results."""
        return await self.run(lambda: function(self.library()), heavy=heavy)

    async def run(self, function: Callable[[], T], *, heavy: bool = False) -> T:
        """Return ``function()``, run in a thread like a call of the library."""
        executor: Executor = self._heavy if heavy else self._quick
        return await asyncio.get_running_loop().run_in_executor(executor, function)

    def library(self) -> LocalLibrary:
        """Return the library, opened if need be; blocks, so not for the event loop.

        Raises
        ------
        ServerUnavailableError, SchemaTooNewError, LibraryBusyError
            If it can not be opened.
        """
        with self._opening:
            if self._library is None:
                self._library = self._open()
                self._discard_stale_uploads()
                if self._on_opened is not None:
                    self._on_opened(self._library)
            return self._library

    def _open(self) -> LocalLibrary:
        try:
            # Loading pyarrow takes longer than a Jupyter server should need to start.
            from ape_jupyter.library.local import LocalLibrary

            return LocalLibrary.open(self.directory, database=self._database, **self._options)
        except (SchemaTooNewError, LibraryBusyError):
            raise
        # Whatever is wrong with a library, the user has to hear it from the extension.
        except Exception as error:
            _log.warning("The library %s can not be opened", self.directory, exc_info=True)
            raise ServerUnavailableError(
                f"The library {self.directory} can not be opened: {error}"
            ) from error

    def _discard_stale_uploads(self) -> None:
        """Remove what a server that was killed during an upload has left behind."""
        before = time.time() - _STALE_UPLOAD_SECONDS
        for path in self.staging.glob("upload-*.zip"):
            try:
                if path.stat().st_mtime < before:
                    path.unlink()
            except FileNotFoundError:
                continue

    def close(self) -> None:
        """Finish the calls that run, drop those that wait, and release the library. Blocks."""
        for executor in (self._quick, self._heavy):
            executor.shutdown(wait=True, cancel_futures=True)
        with self._opening:
            if self._library is not None:
                self._library.close()
                self._library = None
