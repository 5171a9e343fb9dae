"""A suggestion that can be carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ape_jupyter.model.performance import Advice, AppliedSuggestion, SuggestionKind

__all__ = ["Suggestion"]


class Suggestion:
    """What would make a library quicker or smaller; ``str()`` is a sentence.

    Attributes
    ----------
    advice : Advice
        All of it as data.
    """

    def __init__(self, advice: Advice, apply: Callable[[Advice], AppliedSuggestion]) -> None:
        self.advice = advice
        self._apply = apply

    @property
    def suggestion_id(self) -> str:
        """The same for as long as the same is suggested."""
        return self.advice.suggestion_id

    @property
    def kind(self) -> SuggestionKind:
        """What kind of thing is suggested."""
        return self.advice.kind

    @property
    def sim_id(self) -> str | None:
        """The run it is about, if any."""
        return self.advice.sim_id

    @property
    def evidence(self) -> Mapping[str, Any]:
        """The figures that it rests on."""
        return self.advice.evidence

    @property
    def saves_mb(self) -> float | None:
        """The MB that it would free."""
        return self.advice.saves_mb

    @property
    def saves_seconds(self) -> float | None:
        """The seconds that it would save in a week like the last."""
        return self.advice.saves_seconds

    def apply(self) -> AppliedSuggestion:
        """Do it, and return what came of it.

        Raises
        ------
        ConflictError
            If things have changed so that it is no longer suggested, or if only another
            process can do it; the message says what to do there.
        """
        return self._apply(self.advice)

    def __str__(self) -> str:
        return self.advice.sentence

    def __repr__(self) -> str:
        return f"Suggestion({self.advice.sentence!r})"
