"""The part of a remote library that is about how well it works."""

from __future__ import annotations

import os

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.transport import Transport
from ape_jupyter.library.dropping import drop_copies
from ape_jupyter.library.performance_report import PerformanceReport
from ape_jupyter.library.suggestion import Suggestion
from ape_jupyter.model.performance import Advice, AppliedSuggestion, SuggestionKind
from ape_jupyter.wire.messages import SuggestionList

__all__ = ["RemotePerformance"]


class RemotePerformance:
    """Asks the server how well its library works; see ``Library``."""

    _transport: Transport

    def performance(self) -> PerformanceReport:
        """Return how long things take, and how the cache is used."""
        report: PerformanceReport = self._transport.get(PerformanceReport, "performance")
        return report

    def get_optimization_suggestions(self) -> list[Suggestion]:
        """Return what would help, and why."""
        found: SuggestionList = self._transport.get(SuggestionList, "performance", "suggestions")
        return [Suggestion(advice, self._apply) for advice in found.items]

    def apply_suggestion(self, suggestion_id: str) -> AppliedSuggestion:
        """Do what is suggested, if it still is."""
        applied: AppliedSuggestion = self._transport.post(
            AppliedSuggestion, "performance", "suggestions", path_segment(suggestion_id), "apply"
        )
        return applied

    def _apply(self, advice: Advice) -> AppliedSuggestion:
        # What this process has for itself, no server can drop.
        is_own = advice.evidence.get("pid") == os.getpid()
        if advice.kind is SuggestionKind.DROP_COPIES and is_own:
            return drop_copies(advice)
        return self.apply_suggestion(advice.suggestion_id)
