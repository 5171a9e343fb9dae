"""How runs like another are found."""

from __future__ import annotations

from typing import Protocol

from ape_jupyter.model.similarity import SimilarRun

__all__ = ["FindsAlikeRuns"]


class FindsAlikeRuns(Protocol):
    """How runs like another are found."""

    def similar(self, sim_id: str, limit: int = 10) -> list[SimilarRun]:
        """Return the runs that are most like a run, and what they differ in.

        They are compared by the parameters of their protocols, engine, model, duration and, by
        magnitude, number of patients; not by seed, or the protocol's name, version, author,
        date and description. The distance is Gower's: for each, numbers differ by a share of
        the range in the library, all else by 0 or 1, what only one of both runs has by 1; and
        of these the mean.

        Parameters
        ----------
        limit : int
            How many runs, 100 at most.

        Raises
        ------
        InvalidArgumentError
            If the limit is out of range.
        """
