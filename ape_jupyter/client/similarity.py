"""The part of a remote library that finds runs like another."""

from __future__ import annotations

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.transport import Transport
from ape_jupyter.model.similarity import SimilarRun
from ape_jupyter.wire.similarity import SimilarRunList

__all__ = ["RemoteSimilarity"]


class RemoteSimilarity:
    """Finds alike runs; see ``Library``."""

    _transport: Transport

    def similar(self, sim_id: str, limit: int = 10) -> list[SimilarRun]:
        """Return the runs that are most like a run; see ``Library``."""
        found: SimilarRunList = self._transport.get(
            SimilarRunList,
            "simulations",
            path_segment(sim_id),
            "similar",
            params=[("limit", str(limit))],
        )
        return list(found.items)
