"""What a server leaves in its discovery file, for the kernels that it starts."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["INFO_VARIABLE", "ServerInfo"]

INFO_VARIABLE = "APE_JUPYTER_INFO"
"""Environment variable with the path of the file; kernels inherit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """How to reach a server; nothing in it opens anything.

    Attributes
    ----------
    url : str
        With the base URL, without the API's path.
    pid : int
        The server's process; kernels know it as the process that started them.
    certificate : str or None
        File to verify the server's TLS certificate with.
    socket : str or None
        Unix socket on which the server listens instead of a port.
    """

    url: str
    base_url: str
    api_version: int
    pid: int
    certificate: str | None = None
    socket: str | None = None
