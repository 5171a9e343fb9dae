"""The part of a library in this process that is about how well it works; see ``Library``."""

from __future__ import annotations

from collections.abc import Mapping

from ape_jupyter.errors import ConflictError
from ape_jupyter.library.advising import Adviser
from ape_jupyter.library.applying import Actions
from ape_jupyter.library.performance_report import PerformanceReport
from ape_jupyter.library.suggestion import Suggestion
from ape_jupyter.model.performance import AppliedSuggestion
from ape_jupyter.services.monitor.measurements import Measurements
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

__all__ = ["WithPerformance"]


class WithPerformance:
    """Tells how well the library works; see ``Library``.

    ``kernels`` are process ids by kernel id, from a server.
    """

    _adviser: Adviser
    _actions: Actions
    _monitor: PerformanceMonitor

    def performance(self) -> PerformanceReport:
        """Return how long things take, and how the cache is used."""
        return self._adviser.report()

    def get_optimization_suggestions(
        self, kernels: Mapping[str, int] | None = None
    ) -> list[Suggestion]:
        """Return what would help, and why."""
        return [
            Suggestion(advice, lambda chosen: self.apply_suggestion(chosen.suggestion_id, kernels))
            for advice in self._adviser.advice(kernels)
        ]

    def apply_suggestion(
        self,
        suggestion_id: str,
        kernels: Mapping[str, int] | None = None,
        user: str | None = None,
    ) -> AppliedSuggestion:
        """Do what is suggested, if it still is."""
        for advice in self._adviser.advice(kernels):
            if advice.suggestion_id == suggestion_id:
                return self._actions.apply(advice, user)
        raise ConflictError(
            f"{suggestion_id!r} is not suggested, or no longer; ask for the suggestions anew."
        )

    def tend(self, kernels: Mapping[str, int] | None = None) -> None:
        """Keep to the cache's budget, and tell when memory or the cache is nearly full.

        A server calls it from time to time; a library does it by itself some seconds after it
        was used.
        """
        self._adviser.tend(kernels)

    def known_levels(self) -> dict[str, tuple[int, int]]:
        """Return what was taken and how much there was, in bytes, when :meth:`tend` looked."""
        return self._adviser.levels

    def known_measurements(self) -> Measurements:
        """Return what this process knows of how the library is used, without reading a file."""
        return self._monitor.known()
