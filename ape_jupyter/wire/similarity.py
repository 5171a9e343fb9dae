"""Answers about runs that are like another."""

from __future__ import annotations

from dataclasses import dataclass

from ape_jupyter.model.similarity import SimilarRun

__all__ = ["SimilarRunList"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarRunList:
    """The runs that are most like a run, the nearest first."""

    items: tuple[SimilarRun, ...]
