"""A real Jupyter server for a test, in a thread, up in a few hundredths of a second."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from ape_jupyter.server.discovery_file import server_info
from ape_jupyter.wire.server_info import ServerInfo

__all__ = ["RunningServer", "running_server"]

_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers."""

    app: ServerApp
    info: ServerInfo
    token: str


@contextmanager
def running_server(
    home: Path,
    library: Path,
    *,
    server_options: Mapping[str, Any] | None = None,
    app_options: Mapping[str, Any] | None = None,
) -> Iterator[RunningServer]:
    """Serve a library, with token and XSRF on and nothing open without them.

    Parameters
    ----------
    home : Path
        A directory for the server's own files.
    server_options, app_options : mapping
        Further traits of ``ServerApp`` and ``ApeJupyterApp``.
    """
    token = secrets.token_hex(16)
    options = dict(server_options or {})
    traits = {
        "open_browser": False,
        "allow_root": True,
        "base_url": "/a%20b/",
        "root_dir": str(home),
        "jpserver_extensions": {"ape_jupyter": True},
        "allow_unauthenticated_access": False,
        **({"ip": "127.0.0.1", "port": 0} if "sock" not in options else {}),
        **options,
    }
    home.mkdir(parents=True, exist_ok=True)
    config = Config(
        {
            "ServerApp": traits,
            "IdentityProvider": {"token": token},
            "ApeJupyterApp": {"library": str(library), **(app_options or {})},
        }
    )
    thread = _ServerThread(config, home)
    thread.start()
    try:
        app = thread.wait()
        yield RunningServer(app, server_info(app), token)
    finally:
        thread.stop()


class _ServerThread(threading.Thread):
    """Runs a server in an event loop of its own."""

    def __init__(self, config: Config, home: Path) -> None:
        super().__init__(name="jupyter-server", daemon=True)
        self._config = config
        self._directories = {
            f"{name}_dir": str(home / name) for name in ("config", "data", "runtime")
        }
        self._changed = threading.Event()
        self._app: ServerApp | None = None
        self._error: BaseException | None = None
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001  # raised again in the test's thread
            self._error = error
        finally:
            self._changed.set()
            self._loop.close()

    async def _serve(self) -> None:
        app = ServerApp(config=self._config, log_level=logging.WARNING, **self._directories)
        # Signals belong to the main thread.
        app.init_signal = lambda: None  # type: ignore[method-assign]
        app.initialize(argv=[], find_extensions=False)
        app.start_app()
        await app._post_start()  # type: ignore[no-untyped-call]  # noqa: SLF001
        self._app = app
        self._changed.set()
        await self._stopping.wait()
        app.http_server.stop()
        await app.http_server.close_all_connections()
        await app._cleanup()  # noqa: SLF001

    def wait(self) -> ServerApp:
        self._changed.wait(_START_SECONDS)
        if self._app is None:
            raise RuntimeError("The server did not start.") from self._error
        return self._app

    def stop(self) -> None:
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self.join(_START_SECONDS)
