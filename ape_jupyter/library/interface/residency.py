"""What is in the cache and in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.memory import Eviction, MemoryReport, OptimizationReport
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    pass

__all__ = ["KeepsRuns"]


class KeepsRuns(Protocol):
    """What is in the cache and in memory."""

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
