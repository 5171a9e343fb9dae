"""What could stand at the cursor of a search that is being typed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Candidate", "Completion"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something to be put in the place of what is being typed.

    Attributes
    ----------
    kind : str
        ``field``, ``flag``, ``parameter``, ``value``, ``tag`` or ``operator``.
    count : int or None
        Runs that have it, where that is known.
    """

    text: str
    kind: str
    description: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """Candidates for the characters from ``start`` to before ``end``, the likeliest first."""

    start: int
    end: int
    candidates: tuple[Candidate, ...]
