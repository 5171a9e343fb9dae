"""How a kernel finds the server that started it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.wire.encoding import decode_json
from ape_jupyter.wire.server_info import INFO_VARIABLE, ServerInfo
from ape_jupyter.wire.signing import KernelCredential, derive_key

__all__ = ["OwnServer", "find_own_server"]

_PREFIX = "kernel-"


@dataclass(frozen=True, slots=True)
class OwnServer:
    """The server that started this kernel, and what the kernel signs its requests with."""

    info: ServerInfo
    credential: KernelCredential


def find_own_server() -> OwnServer | None:
    """Return the server of this kernel; None when this is no kernel of a server that has one.

    Nothing is sent. Programs that a kernel or a terminal starts inherit the name of the
    server's file, too: without a connection file of the server's own making they are not
    its kernels.
    """
    info = _server_info()
    if info is None or not _is_child_of(info.pid):
        return None
    credential = _credential()
    return None if credential is None else OwnServer(info, credential)


def _server_info() -> ServerInfo | None:
    path = os.environ.get(INFO_VARIABLE)
    if not path:
        return None
    try:
        text = Path(path).read_bytes()
        return decode_json(ServerInfo, text, unknown="ignore", name=path)
    except (OSError, InvalidArgumentError):  # a server that has stopped, or is a newer one
        return None


def _is_child_of(pid: int) -> bool:
    """Tell whether a server started this kernel, as far as the kernel can know.

    A notebook that nbclient runs in a terminal of the server has the variable, but another
    parent. On Windows the variable holds a handle, which says nothing.
    """
    parent = os.environ.get("JPY_PARENT_PID", "")
    return os.name == "nt" or not parent.isdecimal() or int(parent) == pid


def _credential() -> KernelCredential | None:
    path = _connection_file()
    if path is None or not path.stem.startswith(_PREFIX):
        return None
    try:
        key = json.loads(path.read_bytes())["key"].encode()
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    if not key:
        return None
    return KernelCredential(path.stem.removeprefix(_PREFIX), derive_key(key))


def _connection_file() -> Path | None:
    # A kernel has this loaded; a script should not load it to learn that it is no kernel.
    kernelapp = sys.modules.get("ipykernel.kernelapp")
    if kernelapp is not None and kernelapp.IPKernelApp.initialized():
        return Path(kernelapp.IPKernelApp.instance().abs_connection_file)
    for option, value in pairwise(sys.argv):
        if option == "-f" and value.endswith(".json"):
            return Path(value)
    return None
