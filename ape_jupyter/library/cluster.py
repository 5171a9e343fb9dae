"""The workers of a Dask cluster, as far as a library uses them."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

from ape_jupyter.errors import InvalidArgumentError, ServerUnavailableError
from ape_jupyter.model.version import package_version

__all__ = ["Cluster", "WithCluster"]

_AHEAD = 2


class Cluster:
    """Carries out functions on the workers of a ``distributed.Client``.

    Whatever a worker does not finish because it dies, Dask has another one do; functions
    therefore leave nothing behind but what they return.

    Raises
    ------
    InvalidArgumentError
        If this is no client, or one that can only be awaited.
    """

    def __init__(self, client: Any) -> None:
        distributed = sys.modules.get("distributed")
        if distributed is None or not isinstance(client, distributed.Client):
            kind = type(client).__name__
            raise InvalidArgumentError(f"A cluster is a distributed.Client, and not {kind}.")
        if client.asynchronous:
            message = "The client is asynchronous; give a distributed.Client that is not."
            raise InvalidArgumentError(message)
        self._client = client

    def each(
        self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
    ) -> Generator[Any]:
        """Yield the futures of calls in their order; a few more are carried out meanwhile.

        How many is bounded, for what is done and not yet asked for fills the workers' memory.
        """
        ahead = max(_AHEAD * sum(self._client.nthreads().values()), _AHEAD)
        waiting = iter(calls)
        begun: deque[Any] = deque()
        try:
            while True:
                for call in waiting:
                    begun.append(self.submit(function, *call))
                    if len(begun) >= ahead:
                        break
                if not begun:
                    return
                yield begun.popleft()
        finally:
            self._client.cancel(list(begun))

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Have a worker call a function of this package; return the future."""
        # The same files may hold something else the next time.
        return self._client.submit(
            _called, package_version(), function, *arguments, pure=False, key=None
        )

    def computed(self, delayed: Sequence[Any]) -> Iterator[Any]:
        """Compute all of these together, and yield what they are, one after the other."""
        futures = deque(self._client.compute(list(delayed)))
        while futures:
            # What is taken is then let go of, here and on its worker.
            yield self.result(futures.popleft())

    def result(self, future: Any) -> Any:
        """Wait for what a call returns, or raises.

        Raises
        ------
        ServerUnavailableError
            If the cluster has gone, or workers died of this call again and again.
        """
        distributed = sys.modules["distributed"]
        lost = (CancelledError, distributed.KilledWorker, distributed.comm.CommClosedError)
        try:
            return future.result()
        except lost as error:
            raise ServerUnavailableError(
                f"The Dask cluster did not carry out its work ({type(error).__name__}: {error}). "
                "What was registered before is complete. Look at the workers' logs and try "
                "again, or go on without the cluster after use_cluster(None)."
            ) from error


def _called(version: str, function: Callable[..., Any], *arguments: Any) -> Any:
    if version != package_version():
        raise InvalidArgumentError(
            f"A worker of the cluster has ape-jupyter {package_version()}, this process "
            f"{version}: results could differ. Install the same version on both."
        )
    return function(*arguments)


class WithCluster:
    """Can be given a cluster; see ``Library``."""

    _cluster: Cluster | None = None

    def use_cluster(self, client: Any) -> AbstractContextManager[object]:
        """Work on the workers of a Dask cluster from now on; see ``Library``."""
        self._cluster = None if client is None else Cluster(client)
        use = ExitStack()
        use.callback(partial(self.use_cluster, None))
        return use
