"""What every form of a library can do; local and remote pass one suite against this."""

from __future__ import annotations

from typing import Protocol

from ape_jupyter.library.interface.changing import ChangesRuns
from ape_jupyter.library.interface.clusters import UsesCluster
from ape_jupyter.library.interface.comparing import ComparesRuns
from ape_jupyter.library.interface.opening import FilterValue, OpensRuns
from ape_jupyter.library.interface.performance import MeasuresItself
from ape_jupyter.library.interface.recording import (
    BundlesChanges,
    EditsRuns,
    EndsRuns,
    TellsEvents,
)
from ape_jupyter.library.interface.residency import KeepsRuns
from ape_jupyter.library.interface.searches import KeepsSearches
from ape_jupyter.library.interface.similarity import FindsAlikeRuns
from ape_jupyter.library.interface.tagging import ChangesTags
from ape_jupyter.library.interface.taking_in import TakesRunsIn
from ape_jupyter.library.interface.verification import VerifiesRuns
from ape_jupyter.library.interface.watching import FollowsFolders

__all__ = ["FilterValue", "Library"]


class Library(
    TakesRunsIn,
    FollowsFolders,
    OpensRuns,
    ChangesRuns,
    ChangesTags,
    KeepsSearches,
    FindsAlikeRuns,
    EditsRuns,
    BundlesChanges,
    TellsEvents,
    EndsRuns,
    ComparesRuns,
    KeepsRuns,
    MeasuresItself,
    VerifiesRuns,
    UsesCluster,
    Protocol,
):
    """A shared library of simulation runs.

    Wherever a method takes a ``sim_id`` it also takes a name or a prefix of an id or name,
    as long as one run only is meant. Safe to use from several threads.

    Raises
    ------
    SimulationNotFoundError
        From every method that takes a ``sim_id``, when no run or more than one is meant.
    """

    @property
    def location(self) -> str:
        """Where the library is: a directory, or the URL of a server."""

    def close(self) -> None:
        """Release connections. Results that are open stay readable."""
