"""How runs are found and opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    from ape_jupyter.library.data import SimulationData
    from ape_jupyter.library.listing import SearchResult

__all__ = ["FilterValue", "OpensRuns"]

FilterValue = str | int | float | bool | Sequence[str | int | float | bool]


class OpensRuns(Protocol):
    """How runs are found and opened."""

    def load_simulation(self, sim_id: str, load_data: bool = False) -> SimulationData:
        """Open a run: its metadata now, its results when they are asked for."""

    def get_metadata(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of one run."""

    def get_all_metadata(self) -> SearchResult:
        """Return the metadata of all runs, newest first."""

    def search(
        self,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
        sort_by: str = "created_at",
        descending: bool = True,
        limit: int = 20,
        cursor: str | None = None,
    ) -> SearchResult:
        """Find runs by a query, in the language of ``docs/search.md``, and by filters.

        Raises
        ------
        QuerySyntaxError
            For a query or filter that can not be understood; says where, and what to write.
        InvalidArgumentError
            For an unknown sort column, or a cursor of another search.
        """
