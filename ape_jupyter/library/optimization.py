"""Freeing memory and disk, with a reason for each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from ape_jupyter.cache.eviction import Evictor
from ape_jupyter.cache.pages import drop_pages
from ape_jupyter.cache.policy import CachedRun
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.memory import Optimization, OptimizationReport, OptimizationStep
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = ["Optimizer"]

MB = 10**6
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


class Optimizer:
    """Takes idle runs out of memory, and out of the cache when that is too large.

    Parameters
    ----------
    runs : mapping
        The runs in the cache by digest.
    resident : callable
        Returns the bytes of a digest that are in memory.
    """

    def __init__(
        self,
        evictor: Evictor,
        runs: Mapping[str, SimulationMetadata],
        resident: Callable[[str], int | None],
    ) -> None:
        self._evictor = evictor
        self._runs = runs
        self._resident = resident

    def run(self, idle_for: float, now: float) -> OptimizationReport:
        """Do all that helps, and say what was left and why.

        Raises
        ------
        InvalidArgumentError
            If ``idle_for`` is no number of seconds.
        """
        if not (math.isfinite(idle_for) and idle_for >= 0):
            message = f"idle_for should be a number of seconds, and is {idle_for!r}."
            raise InvalidArgumentError(message)
        resident = {run.digest: self._resident(run.digest) or 0 for run in self._evictor.runs()}
        steps = self._swept()
        reason = f"the cache was over its budget of {self._evictor.limit_bytes() / MB:,.0f} MB"
        released = 0
        for run in self._evictor.make_room():
            steps.append(self._step(Optimization.EVICTED, run, reason, run.size_bytes))
            released += resident.get(run.digest, 0)
        held = self._evictor.held()
        for run in sorted(self._evictor.runs(), key=lambda run: run.last_used):
            step = self._visited(run, held.get(run.digest, []), idle_for, now)
            steps.append(step)
            if step.action is Optimization.RELEASED:
                released += round(step.freed_mb * MB)
            elif step.action is Optimization.EVICTED:
                released += resident.get(run.digest, 0)
        on_disk = (Optimization.EVICTED, Optimization.SWEPT)
        return OptimizationReport(
            steps=tuple(steps),
            freed_disk_mb=sum(step.freed_mb for step in steps if step.action in on_disk),
            freed_memory_mb=released / MB,
        )

    def _swept(self) -> list[OptimizationStep]:
        freed = self._evictor.sweep()
        if not freed:
            return []
        return [
            OptimizationStep(
                action=Optimization.SWEPT,
                sim_id=None,
                name="unfinished files",
                reason="the processes that wrote them were killed",
                freed_mb=freed / MB,
            )
        ]

    def _visited(
        self, run: CachedRun, pids: list[int], idle_for: float, now: float
    ) -> OptimizationStep:
        idle = max(now - run.last_used, 0.0)
        if run.is_exempt:
            return self._step(Optimization.KEPT, run, "it is pinned")
        if pids:
            by = ", ".join(map(str, pids))
            return self._step(Optimization.KEPT, run, f"it is in use by process {by}")
        if idle < idle_for:
            return self._step(Optimization.KEPT, run, f"it was used {_duration(idle)} ago")
        before = self._resident(run.digest)
        if before == 0:
            return self._step(Optimization.KEPT, run, "it takes no memory, and disk is left")
        reason = f"nobody has used it for {_duration(idle)}"
        if before is not None and all(map(drop_pages, self._evictor.tables(run.digest))):
            freed = max(before - (self._resident(run.digest) or 0), 0)
            reason += "; its files stay"
            return self._step(Optimization.RELEASED, run, reason, freed)
        # Without a way to take a file out of memory, there is still one to take it away.
        freed_bytes = self._evictor.evict(run.digest)
        if freed_bytes is None:
            return self._step(Optimization.KEPT, run, "it is in use")
        return self._step(Optimization.EVICTED, run, reason, freed_bytes)

    def _step(
        self, action: Optimization, run: CachedRun, reason: str, freed_bytes: int = 0
    ) -> OptimizationStep:
        metadata = self._runs.get(run.digest)
        return OptimizationStep(
            action=action,
            sim_id=None if metadata is None else metadata.sim_id,
            name=f"{run.digest[:12]}, of no run" if metadata is None else metadata.name,
            reason=reason,
            freed_mb=freed_bytes / MB,
        )


def _duration(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
