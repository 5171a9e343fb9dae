"""How runs are found and opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.completion import Completion
from ape_jupyter.model.listing import RELEVANCE
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
        sort_by: str = RELEVANCE,
        descending: bool = True,
        limit: int = 20,
        cursor: str | None = None,
        facets: Iterable[str] = (),
        highlight: bool = False,
    ) -> SearchResult:
        """Find runs by a query, in the language of ``docs/search.md``, and by filters.

        When nothing is found and a word is probably misspelt, the runs for the nearest words
        of the library; ``corrected_query`` of the result says so.

        Parameters
        ----------
        sort_by : str
            ``"relevance"``, which without words is newest first, or a column.
        facets : iterable of str
            Fields to count the runs by: ``protocol``, ``engine``, ``model``, ``tags``,
            ``owner``, ``size``, ``year`` or any other; numbers give a histogram.
        highlight : bool
            Whether the result tells which parts of the texts were asked for.

        Raises
        ------
        QuerySyntaxError
            For a query or filter that can not be understood; says where, and what to write.
        InvalidArgumentError
            For an unknown sort column or facet, or a cursor of another search.
        """

    def complete(self, query: str, cursor: int | None = None) -> Completion:
        """Return what could stand at the cursor of a query that is being typed.

        Parameters
        ----------
        cursor : int, optional
            How many characters stand before it. Default: all.
        """
