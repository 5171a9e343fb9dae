"""A library that a Jupyter server serves."""

from __future__ import annotations

from pathlib import Path

from ape_jupyter.client.addresses import ServerAddress, server_url
from ape_jupyter.client.changing import RemoteChanges
from ape_jupyter.client.comparing import RemoteComparison
from ape_jupyter.client.discovery import OwnServer
from ape_jupyter.client.events import RemoteEventLog, RemoteEvents
from ape_jupyter.client.fetched import TableFetcher
from ape_jupyter.client.performance import RemotePerformance
from ape_jupyter.client.residency import RemoteResidency
from ape_jupyter.client.tagging import RemoteTagging
from ape_jupyter.client.taking_in import RemoteIntake
from ape_jupyter.client.transactions import RemoteTransactions
from ape_jupyter.client.transport import Transport
from ape_jupyter.client.verification import RemoteVerification
from ape_jupyter.client.watching import RemoteWatching
from ape_jupyter.services.events import EventBus
from ape_jupyter.wire.messages import Health
from ape_jupyter.wire.signing import KernelCredential

__all__ = ["RemoteLibrary"]


class RemoteLibrary(
    RemoteIntake,
    RemoteWatching,
    RemoteChanges,
    RemoteTagging,
    RemoteTransactions,
    RemoteEvents,
    RemoteComparison,
    RemoteResidency,
    RemotePerformance,
    RemoteVerification,
):
    """The library of a Jupyter server; see :class:`ape_jupyter.library.interface.Library`.

    Threads may share one.

    Parameters
    ----------
    url : str
        Of the server, with its base URL. A token in it, as Jupyter prints it, is used as
        ``token`` and sent in a header only.
    token : str or None
        The server's token.
    credential : KernelCredential or None
        Instead of a token, in a kernel of the server.
    certificate : str or None
        File with the server's own certificate, when that is self-signed.
    socket : str or None
        Unix socket of the server.
    cache_directory : Path or None
        Where fetched tables are kept when the server runs on another host.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        credential: KernelCredential | None = None,
        certificate: str | None = None,
        socket: str | None = None,
        cache_directory: Path | None = None,
    ) -> None:
        url, token_in_url = server_url(url)
        address = ServerAddress(url=url, certificate=certificate, socket=socket)
        self._transport = Transport(address, token=token or token_in_url, credential=credential)
        self._tables = TableFetcher(self._transport, cache_directory)
        self._event_log = RemoteEventLog(self._transport)
        self._event_bus = EventBus(self._event_log)

    @classmethod
    def of_kernel(cls, server: OwnServer) -> RemoteLibrary:
        """Return the library of the server that started this kernel."""
        info = server.info
        return cls(
            info.url,
            credential=server.credential,
            certificate=info.certificate,
            socket=info.socket,
        )

    @property
    def location(self) -> str:
        """The URL of the server."""
        return self._transport.address.url

    def health(self) -> Health:
        """Ask the server how it and its library are."""
        health: Health = self._transport.get(Health, "health")
        return health

    def close(self) -> None:
        """End subscriptions and close the connections. Open results stay readable."""
        self._event_bus.close()
        self._transport.close()

    def __enter__(self) -> RemoteLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteLibrary({self.location!r})"
