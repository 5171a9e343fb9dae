"""The file by which the kernels of this server find it."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import secure_write
from jupyter_server.utils import url_path_join

from ape_jupyter.wire.encoding import dumps
from ape_jupyter.wire.server_info import INFO_VARIABLE, ServerInfo
from ape_jupyter.wire.version import API_VERSION

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

__all__ = ["DiscoveryFile", "server_info"]


def server_info(serverapp: ServerApp) -> ServerInfo:
    """Describe how a process on this host reaches a server."""
    base_url = serverapp.base_url
    if serverapp.sock:
        root = "http://localhost"
    else:
        scheme = "https" if serverapp.certfile else "http"
        root = f"{scheme}://{_address(serverapp.ip)}:{serverapp.port}"
    return ServerInfo(
        url=url_path_join(root, base_url),
        base_url=base_url,
        api_version=API_VERSION,
        pid=os.getpid(),
        certificate=str(Path(serverapp.certfile).absolute()) if serverapp.certfile else None,
        socket=str(Path(serverapp.sock).absolute()) if serverapp.sock else None,
    )


def _address(ip: str) -> str:
    """Return an address to connect to, for one to listen on."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        # "", "*" and "localhost" include the loopback address; other names are what they are.
        return ip if ip not in {"", "*", "localhost"} else "127.0.0.1"
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"  # noqa: PLR2004
    return str(address) if address.version == 4 else f"[{address}]"  # noqa: PLR2004


class DiscoveryFile:
    """Written at start, private to the user, named in the environment, removed at stop."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"ape-jupyter-{os.getpid()}.json"

    def write(self, info: ServerInfo) -> None:
        """Write the file and let kernels started from now on know its path."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with secure_write(str(self.path)) as file:
            file.write(dumps(info))
        os.environ[INFO_VARIABLE] = str(self.path)

    def remove(self) -> None:
        """Remove the file, and the variable if it still names it."""
        self.path.unlink(missing_ok=True)
        if os.environ.get(INFO_VARIABLE) == str(self.path):
            del os.environ[INFO_VARIABLE]
