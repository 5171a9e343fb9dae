"""The extension: its options, its routes, and what it starts and stops."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Integer, Unicode, default

from ape_jupyter.library.location import default_directory
from ape_jupyter.server.discovery_file import DiscoveryFile, server_info
from ape_jupyter.server.handlers import HANDLERS
from ape_jupyter.server.jobs import ImportJobs
from ape_jupyter.server.kernel_identity import KernelIdentityProvider
from ape_jupyter.server.library_access import LibraryAccess
from ape_jupyter.wire.messages import Features
from ape_jupyter.wire.version import API_PATH

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from ape_jupyter.library.listing import ImportReport
    from ape_jupyter.model.progress import ProgressCallback

__all__ = ["ApeJupyterApp"]

_STOP_SECONDS = 10


class ApeJupyterApp(ExtensionApp):
    """Serves a library of simulation runs."""

    name = "ape_jupyter"
    extension_url = "/"
    load_other_extensions = True

    library = Unicode(
        help="""Directory of the library. Default: the environment variable
        APE_JUPYTER_LIBRARY, else "ape-jupyter" in Jupyter's data directory."""
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

    cache_budget_mb = Float(
        None,
        allow_none=True,
        min=0,
        help="""What the mapped files of the runs may take on disk, in MB (1,000,000 bytes).
        Default: the environment variable APE_JUPYTER_CACHE_BUDGET_MB, else a fifth of the disk
        or half of the memory that the server's container has, whichever is less. Never more
        than the disk has free.""",
    ).tag(config=True)

    @default("library")
    def _default_library(self) -> str:
        return str(default_directory())

    access: LibraryAccess
    jobs: ImportJobs
    kernel_identity: KernelIdentityProvider

    @property
    def features(self) -> Features:
        """What is switched on."""
        return Features(
            kernel_access=self.kernel_access,
            path_imports=self.path_imports,
            uploads=self.uploads,
        )

    def initialize_settings(self) -> None:
        """Make the parts; none of them touches the library yet."""
        serverapp = cast("ServerApp", self.serverapp)
        self.access = LibraryAccess(
            Path(self.library).expanduser().absolute(), self.cache_budget_mb
        )
        self.jobs = ImportJobs(self._import_results)
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
        self,
        path: Path,
        *,
        copy: bool,
        tags: tuple[str, ...],
        progress: ProgressCallback,
        user: str | None,
    ) -> ImportReport:
        library = self.access.library()
        return library.import_results(path, copy=copy, tags=tags, progress=progress, user=user)

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

    async def _open_library(self) -> None:
        try:
            location = await self.access.call(lambda library: library.location)
            self.log.info("ape-jupyter serves the library %s", location)
        except Exception as error:  # noqa: BLE001  # every request will tell the user again
            self.log.warning("ape-jupyter: %s", error)

    def discard_later(self, discard: Callable[[], None]) -> None:
        """Run something short in a thread when nobody waits for it any more."""
        self._in_background(self.access.run(discard, heavy=True))

    def _in_background(self, coroutine: Any) -> None:
        task = asyncio.ensure_future(coroutine)
        # The loop itself keeps only a weak reference to a task.
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def stop_extension(self) -> None:
        """Remove the discovery file, cancel imports, and close the library."""
        if not hasattr(self, "_discovery"):  # was never initialised
            return
        self._discovery.remove()
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
        self.access.close()


def pattern(path: str) -> str:
    """Return the regular expression, below the base URL, for a path of the table of routes."""
    return f"/{API_PATH}/" + re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))
