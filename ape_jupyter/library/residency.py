"""Which runs are in the cache and in memory, and who keeps them there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from ape_jupyter.cache.mapped import PersistentCache, map_table
from ape_jupyter.cache.pages import resident_bytes
from ape_jupyter.cache.policy import CachedRun
from ape_jupyter.cache.seals import is_sealed
from ape_jupyter.errors import ConflictError
from ape_jupyter.library.memory_report import kernel_memory, memory_report
from ape_jupyter.library.optimization import Optimizer
from ape_jupyter.library.pandas_cost import pandas_bytes
from ape_jupyter.model.memory import Eviction, MemoryReport, OptimizationReport, RunMemory
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.registry.registry import Registry

__all__ = ["Residency", "WithResidency"]

MB = 10**6
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.02


class Residency:
    """Pins, evicts and measures the runs of one library directory."""

    def __init__(self, registry: Registry, cache: PersistentCache) -> None:
        self._registry = registry
        self._cache = cache
        self._pandas_bytes: dict[str, int] = {}

    def set_pinned(
        self, sim_id: str, is_pinned: bool, user: str | None = None
    ) -> SimulationMetadata:
        """Pin or unpin a run."""
        return self._registry.set_pinned(sim_id, is_pinned, user)

    def evict(self, sim_id: str) -> Eviction:
        """Remove the mapped files of a run; see ``Library``."""
        run = self._registry.find(sim_id)
        digest = run.checksum
        if digest in self._registry.pinned_checksums():
            raise ConflictError(f"{run.name} is pinned; unpin it first.")
        freed = self._evicted(digest)
        if freed is None:
            pids = ", ".join(map(str, self._cache.evictor.holders(digest)))
            by = f" by process {pids}" if pids else ""
            raise ConflictError(
                f"{run.name} is in use{by}; it can be evicted after unload_results() there."
            )
        return Eviction(sim_id=run.sim_id, freed_mb=freed / MB)

    def _evicted(self, digest: str) -> int | None:
        # Another evictor that looks at the run in this moment is no reader.
        for _ in range(_ATTEMPTS):
            freed = self._cache.evictor.evict(digest)
            if freed is not None or self._cache.evictor.holders(digest):
                break
            time.sleep(_PAUSE_SECONDS)
        return freed

    def usage(self) -> dict[str, float]:
        """Return the MB in memory of every run in the cache."""
        usage = {}
        cached = {run.digest: run for run in self._cache.evictor.runs()}
        for run in self._registry.with_checksums(cached):
            resident = self._resident(run.checksum)
            size = cached[run.checksum].size_bytes
            usage[run.sim_id] = (size if resident is None else resident) / MB
        return usage

    def report(self, kernels: Mapping[str, int] | None) -> MemoryReport:
        """Return what all takes; ``kernels`` are the processes of the server's kernels."""
        cached = {run.digest: run for run in self._cache.evictor.runs()}
        held = self._cache.evictor.held()
        users = {pid for pids in held.values() for pid in pids}
        runs = self._registry.with_checksums(cached)
        # Two runs can have the same results, and then the same files; kernels open the first.
        sim_ids: dict[str, str] = {}
        for run in runs:
            sim_ids.setdefault(run.checksum, run.sim_id)
        measured = kernel_memory(kernels, users, self._cache.directory, sim_ids)
        readers = {
            run.sim_id: sum(any(m.sim_id == run.sim_id for m in k.runs) for k in measured)
            for run in runs
        }
        return memory_report(
            measured,
            [
                self._run_memory(
                    run, cached[run.checksum], readers[run.sim_id], run.checksum in held
                )
                for run in runs
            ],
            budget_bytes=self._cache.evictor.limit_bytes(),
            cached_bytes=sum(run.size_bytes for run in cached.values()),
        )

    def _run_memory(
        self, run: SimulationMetadata, cached: CachedRun, n_readers: int, is_held: bool
    ) -> RunMemory:
        resident = self._resident(run.checksum)
        return RunMemory(
            sim_id=run.sim_id,
            name=run.name,
            cached_mb=cached.size_bytes / MB,
            resident_mb=None if resident is None else resident / MB,
            pandas_mb=self._as_pandas(run.checksum) / MB,
            n_readers=n_readers,
            is_pinned=run.is_pinned,
            is_in_use=is_held,
            last_used=datetime.fromtimestamp(cached.last_used, UTC),
        )

    def _resident(self, digest: str) -> int | None:
        total = 0
        for path in self._cache.evictor.tables(digest):
            try:
                resident = resident_bytes(path)
            except FileNotFoundError:  # evicted in this moment
                continue
            if resident is None:
                return None
            total += resident
        return total

    def _as_pandas(self, digest: str) -> int:
        """Return the bytes of a run in pandas; results never change, so it is asked once."""
        if digest not in self._pandas_bytes:
            try:
                paths = self._cache.evictor.tables(digest)
                tables = [map_table(path) for path in paths if is_sealed(path)]
            except FileNotFoundError:
                return 0
            self._pandas_bytes[digest] = sum(map(pandas_bytes, tables))
        return self._pandas_bytes[digest]

    def optimize(self, idle_for: float) -> OptimizationReport:
        """Free what nobody needs; see ``Library``."""
        names: dict[str, SimulationMetadata] = {}
        digests = [run.digest for run in self._cache.evictor.runs()]
        for run in self._registry.with_checksums(digests):
            names.setdefault(run.checksum, run)
        return Optimizer(self._cache.evictor, names, self._resident).run(idle_for, time.time())


class WithResidency:
    """The part of a library in this process that is about memory; see ``Library``."""

    _residency: Residency

    def pin(self, sim_id: str, *, user: str | None = None) -> SimulationMetadata:
        """Keep a run's mapped files, whatever the budget."""
        return self._residency.set_pinned(sim_id, True, user)

    def unpin(self, sim_id: str, *, user: str | None = None) -> SimulationMetadata:
        """Let a run's mapped files be evicted again."""
        return self._residency.set_pinned(sim_id, False, user)

    def evict(self, sim_id: str) -> Eviction:
        """Remove the mapped files of a run that nobody uses."""
        return self._residency.evict(sim_id)

    def get_memory_usage(self) -> dict[str, float]:
        """Return the MB in memory of every run in the cache."""
        return self._residency.usage()

    def memory(self, kernels: Mapping[str, int] | None = None) -> MemoryReport:
        """Return what the runs take; ``kernels`` are process ids by kernel id, from a server."""
        return self._residency.report(kernels)

    def optimize_memory(self, idle_for: float = 3600) -> OptimizationReport:
        """Free what nobody has used for ``idle_for`` seconds."""
        return self._residency.optimize(idle_for)
