"""Work on the machines of a Dask cluster."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

__all__ = ["UsesCluster"]


class UsesCluster(Protocol):
    """Work on the machines of a Dask cluster."""

    def use_cluster(self, client: Any) -> AbstractContextManager[object]:
        """Work on the workers of a Dask cluster from now on, or with None no longer.

        Results are the same to the bit as without one. The workers do

        - what Dask DataFrames given to ``register`` need to be computed;
        - in a library opened in this process, ``import_results``, a run each, and the summaries
          that ``compare_simulations`` finds missing.

        The server of a remote library imports and summarises by itself.

        Workers need this version of ape-jupyter, and have to see what they read under the path
        that this process has for it. A worker that dies is replaced by another one; a run is
        registered when all of it has arrived, or not at all.

        Parameters
        ----------
        client : distributed.Client or None
            It stays the caller's to close.

        Returns
        -------
        context manager
            At whose end the cluster is used no longer.

        Raises
        ------
        InvalidArgumentError
            If it is no ``distributed.Client``, or one that is asynchronous.
        """
