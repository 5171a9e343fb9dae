"""How well a library works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.performance import AppliedSuggestion

if TYPE_CHECKING:
    from ape_jupyter.library.performance_report import PerformanceReport
    from ape_jupyter.library.suggestion import Suggestion

__all__ = ["MeasuresItself"]


class MeasuresItself(Protocol):
    """How well a library works, and what would make it better."""

    def performance(self) -> PerformanceReport:
        """Return how long things take, and how the cache is used.

        Of all processes that use the library, since it was first used; restarts do not end
        it. A process that is killed loses its last seconds.
        """

    def get_optimization_suggestions(self) -> list[Suggestion]:
        """Return what would help, the greatest effect first.

        Each says why, with figures, and what it would bring, and is carried out by its
        ``apply()``. There is none without enough observations.
        """

    def apply_suggestion(self, suggestion_id: str) -> AppliedSuggestion:
        """Do what one of :meth:`get_optimization_suggestions` says.

        Raises
        ------
        ConflictError
            If it is no longer suggested, or if only another process can do it.
        """
