"""What every form of a library can do; local and remote pass one suite against this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

from ape_jupyter.model.comparison import ComparisonType, TimeAlignment
from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.memory import Eviction, MemoryReport, OptimizationReport
from ape_jupyter.model.progress import ProgressCallback
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    from ape_jupyter.library.comparison import ComparisonResult
    from ape_jupyter.library.data import SimulationData
    from ape_jupyter.library.listing import ImportReport, SearchResult

__all__ = ["FilterValue", "Library"]

FilterValue = str | int | float | bool | Sequence[str | int | float | bool]


class Library(Protocol):
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

    def import_results(
        self,
        path: str | PathLike[str],
        *,
        tags: Iterable[str] = (),
        progress: ProgressCallback | None = None,
    ) -> ImportReport:
        """Take in an APE results directory, a folder of many, or a package ``.zip``.

        Runs that are already there are left as they are. A run with faults does not keep
        the others out; it is named in the report's ``refused``.

        Raises
        ------
        InvalidResultsError
            If ``path`` is one run and that run is refused.
        InvalidArgumentError
            If there is no run at ``path``.
        """

    def register(
        self,
        patients: Any,
        visits: Any,
        *,
        protocol: Mapping[str, Any] | str | PathLike[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        audit_log: Sequence[Mapping[str, Any]] | None = None,
        costs: Any = None,
        resources: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        parent: str | None = None,
    ) -> SimulationMetadata:
        """Add a run from tables: pandas DataFrames, pyarrow Tables or paths to Parquet.

        ``parameters`` may hold ``engine_type``, ``model_type``, ``duration_years``, ``seed``,
        ``n_patients`` and ``runtime_seconds``; what is absent is read off the tables.

        Raises
        ------
        InvalidResultsError
            With every fault of the tables.
        """

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
        """Find runs by words and exact filters.

        Raises
        ------
        InvalidArgumentError
            For an unknown filter or sort column, or a cursor of another search.
        """

    def add_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Tag a run; a tag that is there already (whatever its case) changes nothing."""

    def remove_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Take a tag off a run; one that is not there changes nothing."""

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> list[SimulationMetadata]:
        """Add and remove tags on several runs, all or nothing."""

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
    ) -> ComparisonResult:
        """Compare runs from their summaries; the cost does not depend on the patients.

        Raises
        ------
        InvalidArgumentError
            For fewer than two runs, an unknown type, metric or alignment, a reference
            that is not among the runs, or a confidence outside (0, 1).
        """

    def pin(self, sim_id: str) -> SimulationMetadata:
        """Keep a run's mapped files in the cache, whatever its budget, until :meth:`unpin`.

        A run that is not in the cache is pinned all the same; its next use brings it there.
        """

    def unpin(self, sim_id: str) -> SimulationMetadata:
        """Let a run's mapped files be evicted again."""

    def evict(self, sim_id: str) -> Eviction:
        """Remove the mapped files of a run; its next use makes them anew.

        Raises
        ------
        ConflictError
            If the run is pinned, or mapped by any process, this one included. To remove
            files under their readers would harm nobody, but free nothing either.
        """

    def get_memory_usage(self) -> dict[str, float]:
        """Return the MB that each run of the cache has in memory now, by ``sim_id``.

        All processes share them, and the system takes them back when memory is short. Where
        the system does not tell, the size of the mapped files.
        """

    def memory(self) -> MemoryReport:
        """Return what the runs take in every kernel, on disk, and would take in pandas.

        Kernels are measured from the outside, so it works while their cells run. A library
        that no server serves reports this process and others that have its runs open.
        """

    def optimize_memory(self, idle_for: float = 3600) -> OptimizationReport:
        """Free what nobody needs, and say what was done and why.

        Removes what killed processes left behind; evicts from a cache over its budget; takes
        runs that nobody has used for ``idle_for`` seconds out of memory, leaving their files
        on disk. Runs that are pinned or in use stay.

        Raises
        ------
        InvalidArgumentError
            If ``idle_for`` is no number of seconds.
        """

    def delete(self, sim_id: str) -> SimulationMetadata:
        """Move a run to the trash: out of every listing, back with :meth:`restore`."""

    def restore(self, sim_id: str) -> SimulationMetadata:
        """Bring a run back from the trash; takes its full id."""

    def close(self) -> None:
        """Release connections. Results that are open stay readable."""
