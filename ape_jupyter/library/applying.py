"""Carrying out what is suggested."""

from __future__ import annotations

from collections.abc import Callable

from ape_jupyter.cache.eviction import Evictor
from ape_jupyter.library.dropping import drop_copies
from ape_jupyter.library.residency import Residency
from ape_jupyter.model.performance import Advice, AppliedSuggestion, SuggestionKind
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.verification import VerifyReport
from ape_jupyter.services.monitor.monitor import PerformanceMonitor
from ape_jupyter.services.monitor.suggestions import IDLE_SECONDS

__all__ = ["Actions"]

MB = 10**6


class Actions:
    """What is done for each kind of suggestion.

    Parameters
    ----------
    verify : callable
        Checks the whole library.
    copy_linked : callable
        Makes a linked run, given its id and the user, independent of its files.
    """

    def __init__(
        self,
        *,
        residency: Residency,
        evictor: Evictor,
        monitor: PerformanceMonitor,
        verify: Callable[[], VerifyReport],
        copy_linked: Callable[[str, str | None], SimulationMetadata],
    ) -> None:
        self._residency = residency
        self._evictor = evictor
        self._monitor = monitor
        self._verify_all = verify
        self._copy = copy_linked
        self._of_kind: dict[SuggestionKind, Callable[[Advice, str | None], AppliedSuggestion]] = {
            SuggestionKind.VERIFY: self._verify,
            SuggestionKind.COPY_LINKED: self._copy_linked,
            SuggestionKind.PIN: self._pin,
            SuggestionKind.RAISE_BUDGET: self._raise_budget,
            SuggestionKind.UNLOAD_IDLE: self._unload_idle,
            SuggestionKind.DROP_COPIES: lambda advice, _: drop_copies(advice),
        }

    def apply(self, advice: Advice, user: str | None = None) -> AppliedSuggestion:
        """Do what is suggested; what changes a run is done in the name of ``user``."""
        return self._of_kind[advice.kind](advice, user)

    def _pin(self, advice: Advice, user: str | None) -> AppliedSuggestion:
        run = self._residency.set_pinned(str(advice.sim_id), True, user)
        return AppliedSuggestion.of(advice, f"{run.name} is pinned.")

    def _raise_budget(self, advice: Advice, _: str | None) -> AppliedSuggestion:
        self._evictor.budget = self._evictor.budget.raised(advice.evidence["suggested_mb"])
        self._monitor.forget_recent_loads()
        limit = self._evictor.limit_bytes() / MB
        return AppliedSuggestion.of(advice, f"The budget of the cache is now {limit:,.1f} MB.")

    def _unload_idle(self, advice: Advice, _: str | None) -> AppliedSuggestion:
        return AppliedSuggestion.of(advice, str(self._residency.optimize(IDLE_SECONDS)))

    def _verify(self, advice: Advice, _: str | None) -> AppliedSuggestion:
        return AppliedSuggestion.of(advice, str(self._verify_all()))

    def _copy_linked(self, advice: Advice, user: str | None) -> AppliedSuggestion:
        run = self._copy(str(advice.sim_id), user)
        return AppliedSuggestion.of(
            advice, f"{run.name} no longer depends on files outside the library."
        )
