"""The extension: its options, its routes, and what it starts and stops."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Integer, List, Unicode, default

from ape_jupyter.library.location import default_target
from ape_jupyter.library.place import LibraryPlace
from ape_jupyter.server.discovery_file import DiscoveryFile, server_info
from ape_jupyter.server.event_feed import EventFeed
from ape_jupyter.server.handlers import HANDLERS
from ape_jupyter.server.hints import ChangeHints
from ape_jupyter.server.jobs import ImportJobs
from ape_jupyter.server.kernel_identity import KernelIdentityProvider
from ape_jupyter.server.kernel_processes import kernel_pids
from ape_jupyter.server.library_access import LibraryAccess
from ape_jupyter.server.metrics import LibraryMetrics
from ape_jupyter.server.shared_answer import SharedAnswer
from ape_jupyter.server.tending import tend
from ape_jupyter.wire.messages import Features
from ape_jupyter.wire.version import API_PATH

if TYPE_CHECKING:
    from jupyter_events import EventLogger
    from jupyter_server.serverapp import ServerApp

    from ape_jupyter.library.listing import ImportReport
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.model.progress import ProgressCallback
    from ape_jupyter.wire.messages import ImportOrder

__all__ = ["ApeJupyterApp"]

_STOP_SECONDS = 10


class ApeJupyterApp(ExtensionApp):
    """Serves a library of simulation runs."""

    name = "ape_jupyter"
    extension_url = "/"
    load_other_extensions = True

    library = Unicode(
        help="""Directory of the library, or postgresql://HOST/DATABASE?library=DIRECTORY. Default:
        the environment variable APE_JUPYTER_LIBRARY, else "ape-jupyter" in Jupyter's data
        directory."""
    ).tag(config=True)

    kernel_access = Bool(
        True,
        help="""Whether kernels of this server can use its library without a token, by
        signing their requests with the key of their connection file.""",
    ).tag(config=True)

    path_imports = Bool(
        True,
        help="""Whether results can be imported by their path on the server's host. They are
        read with the rights of the server.""",
    ).tag(config=True)

    uploads = Bool(
        True, help="Whether packages can be uploaded; `register` from a kernel needs it, too."
    ).tag(config=True)

    max_upload_mb = Integer(
        4096, min=1, help="Largest package that can be uploaded, in MB (1,000,000 bytes)."
    ).tag(config=True)

    file_watching = Bool(
        True,
        help="""Whether folders are followed whose runs come in as they are complete. Nothing in
        them is changed.""",
    ).tag(config=True)

    watched_folders = List(
        Unicode(),
        help="""Folders to follow, beside those that users have followed. They are read with the
        rights of the server.""",
    ).tag(config=True)

    cache_budget_mb = Float(
        None,
        allow_none=True,
        min=0,
        help="""What the mapped files of the runs may take on disk, in MB (1,000,000 bytes).
        Default: the environment variable APE_JUPYTER_CACHE_BUDGET_MB, else a fifth of the disk
        or half of the memory that the server's container has, whichever is less. Never more
        than the disk has free.""",
    ).tag(config=True)

    shared_cache = Bool(
        True,
        help="""Whether kernels map the server's own files, so that a run is in memory once.
        Without, each user's kernels fetch the tables and share copies of their own.""",
    ).tag(config=True)

    memory_threshold = Float(
        0.8,
        min=0.01,
        max=1,
        help="""Share of the container's memory, and of the cache's budget, from which an event
        tells that it is reached; once, until the level was a tenth below it.""",
    ).tag(config=True)

    tend_every_seconds = Float(
        30,
        min=0,
        help="""How often the server looks whether memory is nearly full, and whether the cache
        is over its budget because a kernel let go of a run or died. 0 for never.""",
    ).tag(config=True)

    allow_network_file_system = Bool(
        False,
        help="""Whether to open a library that is not on a disk of this machine. Should another
        machine use it at the same time, the database can be damaged and kernels be killed.""",
    ).tag(config=True)

    @default("library")
    def _default_library(self) -> str:
        return default_target()

    access: LibraryAccess
    jobs: ImportJobs
    events: EventFeed
    kernel_identity: KernelIdentityProvider
    memory_answer: SharedAnswer
    suggestions_answer: SharedAnswer

    @property
    def features(self) -> Features:
        """What is switched on."""
        return Features(
            kernel_access=self.kernel_access,
            path_imports=self.path_imports,
            uploads=self.uploads,
            shared_cache=self.shared_cache,
            file_watching=self.file_watching,
        )

    def initialize_settings(self) -> None:
        """Make the parts; none of them touches the library yet."""
        serverapp = cast("ServerApp", self.serverapp)
        self.events = EventFeed(ChangeHints(cast("EventLogger", serverapp.event_logger)).announce)
        self.access = LibraryAccess(
            LibraryPlace.of(self.library),
            on_opened=self.events.follow,
            cache_budget_mb=self.cache_budget_mb,
            memory_threshold=self.memory_threshold,
            allow_network_file_system=self.allow_network_file_system,
        )
        records = self.access.directory / "jobs"
        self.jobs = ImportJobs(self._import_results, records, resumes=self.path_imports)
        self.memory_answer, self.suggestions_answer = SharedAnswer(), SharedAnswer()
        self._metrics = LibraryMetrics(self.access)
        self._tending: asyncio.Task[None] | None = None
        self.kernel_identity = KernelIdentityProvider(
            parent=serverapp, kernels=serverapp.kernel_manager, enabled=self.kernel_access
        )
        self._discovery = DiscoveryFile(Path(serverapp.runtime_dir))
        self._background: set[asyncio.Task[Any]] = set()

    def initialize_handlers(self) -> None:
        """Register the routes."""
        for path, handler in HANDLERS:
            self.handlers.append((pattern(path), handler))

    def _import_results(
        self, order: ImportOrder, *, progress: ProgressCallback, user: str | None
    ) -> ImportReport:
        return self.access.library().import_results(
            order.path, copy=order.copy, tags=order.tags, progress=progress, user=user
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Let kernels find the server, and open the library so that the first user need not wait.

        Neither may keep the server from starting.
        """
        try:
            if self.kernel_access:
                self._discovery.write(server_info(serverapp))
        except OSError as error:
            self.log.warning(
                "Kernels will not find this server's library: %s can not be written (%s)",
                self._discovery.path,
                error,
            )
        self._in_background(self._open_library())
        self._metrics.register()
        if self.tend_every_seconds and self._tending is None:
            kernels = partial(kernel_pids, serverapp.kernel_manager)
            self._tending = asyncio.create_task(tend(self.access, kernels, self.tend_every_seconds))

    async def _open_library(self) -> None:
        try:
            location = await self.access.call(lambda library: library.location)
            self.log.info("ape-jupyter serves the library %s", location)
            await self.access.call(self._go_on)
        except Exception as error:  # noqa: BLE001  # every request will tell the user again
            self.log.warning("ape-jupyter: %s", error)

    def _go_on(self, library: LocalLibrary) -> None:
        """Take up what an earlier server has left, and follow folders."""
        self.jobs.resume()
        if self.file_watching:
            folders = [str(Path(path).expanduser()) for path in self.watched_folders]
            library.follow_watches(folders)

    def discard_later(self, discard: Callable[[], None]) -> None:
        """Run something short in a thread when nobody waits for it any more."""
        self._in_background(self.access.run(discard, heavy=True))

    def _in_background(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        # The loop itself keeps only a weak reference to a task.
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def stop_extension(self) -> None:
        """Remove the discovery file, leave imports to the next server, and close the library."""
        if not hasattr(self, "_discovery"):  # was never initialised
            return
        self._discovery.remove()
        self.events.close()
        self._metrics.unregister()
        if self._tending is not None:
            self._tending.cancel()
        if self._background:
            await asyncio.wait(self._background, timeout=_STOP_SECONDS)
        loop = asyncio.get_running_loop()
        try:
            closing = loop.run_in_executor(None, self._close)
            await asyncio.wait_for(asyncio.shield(closing), _STOP_SECONDS)
        except TimeoutError:
            self.log.warning("ape-jupyter: stopping while a run is still being imported")

    def _close(self) -> None:
        self.jobs.close()
        self.events.stop()
        self.access.close()


def pattern(path: str) -> str:
    """Return the regular expression, below the base URL, for a path of the table of routes."""
    return f"/{API_PATH}/" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
