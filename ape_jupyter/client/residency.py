"""The part of a remote library that is about memory."""

from __future__ import annotations

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.transport import Transport
from ape_jupyter.model.memory import Eviction, MemoryReport, OptimizationReport
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = ["RemoteResidency"]


class RemoteResidency:
    """Asks the server to pin, evict and measure; see ``Library``."""

    _transport: Transport

    def pin(self, sim_id: str) -> SimulationMetadata:
        """Keep a run's mapped files, whatever the budget."""
        metadata: SimulationMetadata = self._transport.post(
            SimulationMetadata, "simulations", path_segment(sim_id), "pin"
        )
        return metadata

    def unpin(self, sim_id: str) -> SimulationMetadata:
        """Let a run's mapped files be evicted again."""
        metadata: SimulationMetadata = self._transport.delete(
            SimulationMetadata, "simulations", path_segment(sim_id), "pin"
        )
        return metadata

    def evict(self, sim_id: str) -> Eviction:
        """Remove the mapped files of a run that nobody uses."""
        eviction: Eviction = self._transport.post(
            Eviction, "simulations", path_segment(sim_id), "evict"
        )
        return eviction

    def get_memory_usage(self) -> dict[str, float]:
        """Return the MB in memory of every run in the server's cache."""
        return {
            run.sim_id: run.cached_mb if run.resident_mb is None else run.resident_mb
            for run in self.memory().runs
        }

    def memory(self) -> MemoryReport:
        """Return what the runs take in every kernel of the server."""
        report: MemoryReport = self._transport.get(MemoryReport, "memory")
        return report

    def optimize_memory(self, idle_for: float = 3600) -> OptimizationReport:
        """Free what nobody has used for ``idle_for`` seconds."""
        report: OptimizationReport = self._transport.post(
            OptimizationReport, "memory", "optimize", json={"idle_for": idle_for}
        )
        return report
