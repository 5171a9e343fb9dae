"""Addresses of servers, and how runs are named in them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit, urlunsplit

from ape_jupyter.errors import InvalidArgumentError, SimulationNotFoundError

__all__ = ["ServerAddress", "path_segment", "server_url"]

_PAGES = re.compile(r"/(lab|tree|doc|notebooks|consoles|edit)(/.*)?$")
"""Pages of Jupyter's interfaces: what people copy from the browser is the address of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """Where a server is.

    Attributes
    ----------
    url : str
        With the server's base URL.
    certificate : str or None
        File with the very certificate that the server has, when it is self-signed.
    socket : str or None
        Unix socket to connect to; the host in ``url`` is then without meaning.
    """

    url: str
    certificate: str | None = None
    socket: str | None = None

    @property
    def is_on_this_host(self) -> bool:
        """Whether the address is a socket or the loopback interface."""
        host = urlsplit(self.url).hostname or ""
        if self.socket or host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


def server_url(text: str) -> tuple[str, str | None]:
    """Return the URL of a server, and the token that was in it.

    Raises
    ------
    InvalidArgumentError
        If it is no http or https URL.
    """
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise InvalidArgumentError(
            f"{text!r} is no URL of a Jupyter server, such as http://localhost:8888/."
        )
    token = parse_qs(parts.query).get("token", [None])[0]
    path = _PAGES.sub("/", parts.path)
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/") + "/", "", "")), token


def path_segment(sim_id: str) -> str:
    """Return what stands for a run in a path.

    Raises
    ------
    SimulationNotFoundError
        For what no path can hold, and so no run is called.
    """
    if sim_id.strip(".") == "" or any("\ud800" <= character <= "\udfff" for character in sim_id):
        raise SimulationNotFoundError(sim_id)
    return sim_id
