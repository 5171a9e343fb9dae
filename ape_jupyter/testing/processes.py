"""A Jupyter server in a process of its own, that can be killed."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.errors import ServerUnavailableError

__all__ = ["ServerProcess"]

_START_SECONDS = 60
_PAUSE_SECONDS = 0.05


class ServerProcess:
    """A server with a library, on a port that stays the same over restarts.

    Parameters
    ----------
    home : Path
        A directory for the server's own files.
    app_options : mapping
        Traits of ``ApeJupyterApp``, as on a command line.
    """

    def __init__(
        self, home: Path, library: Path, app_options: Mapping[str, Any] | None = None
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.token = secrets.token_hex(16)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        self._home = home
        traits = {
            "ServerApp.port": port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": home,
            "ServerApp.open_browser": False,
            "ServerApp.jpserver_extensions": "ape_jupyter=True",
            "ApeJupyterApp.library": library,
            **{f"ApeJupyterApp.{name}": value for name, value in (app_options or {}).items()},
        }
        self._command = [
            *(sys.executable, "-m", "jupyter_server", "--allow-root"),
            *(f"--{name}={value}" for name, value in traits.items()),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self._home / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        own = {f"JUPYTER_{name}_DIR": str(self._home / name) for name in ("CONFIG", "RUNTIME")}
        # In the environment, not the command line: that is readable by everybody.
        environment = {**os.environ, **own, "JUPYTER_TOKEN": self.token}
        with (self._home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, stdout=log, stderr=log, cwd=self._home
            )
        deadline = time.monotonic() + _START_SECONDS
        with self.library() as library:
            while True:
                try:
                    library.health()
                except ServerUnavailableError:
                    if self._process.poll() is not None or time.monotonic() > deadline:
                        raise RuntimeError(f"The server did not start:\n{self.log}") from None
                    time.sleep(_PAUSE_SECONDS)
                else:
                    return

    def library(self) -> RemoteLibrary:
        """Return the library that the server serves."""
        return RemoteLibrary(self.url, self.token)

    def kill(self) -> None:
        """Kill the server as the kernel would when memory runs out: it can not clean up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
