"""Runs that are like another."""

from __future__ import annotations

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.similarity import SimilarRunList

__all__ = ["SimilarHandler"]


class SimilarHandler(ApeHandler):
    """``simulations/{sim_id}/similar``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, sim_id: str) -> None:
        """Answer with the runs that are most like a run."""
        text = self.get_query_argument("limit", "10")
        try:
            limit = int(text)
        except ValueError:
            message = f"limit should be a whole number, and is {text[:50]!r}."
            raise InvalidArgumentError(message) from None
        await self.answer_call(
            lambda library: SimilarRunList(items=tuple(library.similar(sim_id, limit))),
            heavy=True,
        )
