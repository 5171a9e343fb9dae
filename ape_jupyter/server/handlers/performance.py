"""How well the library works, and what would help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.kernel_processes import kernel_pids
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.encoding import dumps
from ape_jupyter.wire.messages import SuggestionList

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["ApplySuggestionHandler", "PerformanceHandler", "SuggestionsHandler"]


class PerformanceHandler(ApeHandler):
    """``performance``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with how long things take, and how the cache is used."""
        await self.answer_call(lambda library: library.performance())


class SuggestionsHandler(ApeHandler):
    """``performance/suggestions``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with what would help."""
        kernels = kernel_pids(self.kernel_manager)

        def suggest(library: LocalLibrary) -> str:
            found = library.get_optimization_suggestions(kernels)
            return dumps(SuggestionList(items=tuple(suggestion.advice for suggestion in found)))

        self.answer_text(
            await self.ape.suggestions_answer.get(lambda: self.access.call(suggest, heavy=True))
        )


class ApplySuggestionHandler(ApeHandler):
    """``performance/suggestions/{suggestion_id}/apply``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self, suggestion_id: str) -> None:
        """Do what is suggested."""
        kernels = kernel_pids(self.kernel_manager)
        await self.answer_call(
            lambda library: library.apply_suggestion(suggestion_id, kernels, self.owner),
            heavy=True,
        )
