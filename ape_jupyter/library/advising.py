"""From what a library has observed of itself to a report, to suggestions, and to warnings."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from ape_jupyter.cache.budget import largest_bytes, memory_share
from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import ApeError, SimulationNotFoundError
from ape_jupyter.library.evictions import Evictions
from ape_jupyter.library.performance_report import PerformanceReport
from ape_jupyter.library.residency import Residency
from ape_jupyter.model.events import EventType
from ape_jupyter.model.performance import Advice, CacheUse, Latency, Operation, RunUse
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.monitor.measurements import Measurements
from ape_jupyter.services.monitor.monitor import VERIFIED, PerformanceMonitor
from ape_jupyter.services.monitor.suggestions import LinkedRun, Situation, advise
from ape_jupyter.services.monitor.threshold import Threshold

__all__ = ["Adviser"]

MB = 10**6

_MOST_USED = 50

_log = logging.getLogger(__name__)


class Adviser:
    """Reports, suggests, and watches the levels of one library directory.

    Attributes
    ----------
    levels : dict
        What was taken and how much there was, in bytes, of the cache and of memory, when
        :meth:`tend` last looked.
    """

    def __init__(
        self,
        registry: Registry,
        cache: PersistentCache,
        residency: Residency,
        monitor: PerformanceMonitor,
        evictions: Evictions,
        threshold: Threshold,
    ) -> None:
        self._registry = registry
        self._cache = cache
        self._residency = residency
        self._monitor = monitor
        self._evictions = evictions
        self._threshold = threshold
        self.levels: dict[str, tuple[int, int]] = {}

    def report(self) -> PerformanceReport:
        """Return how long things take, and how the cache is used."""
        measured = self._monitor.measurements()
        hits, misses = map(measured.count_of, (Operation.OPEN_WARM, Operation.OPEN_COLD))
        return PerformanceReport(
            since=datetime.fromtimestamp(measured.since, UTC),
            latencies=tuple(_latencies(measured)),
            hits=hits,
            misses=misses,
            hit_rate=hits / (hits + misses) if hits + misses else None,
            evictions=measured.evictions,
            evicted_mb=measured.evicted_bytes / MB,
            recent=_cache_use(measured),
            most_used=tuple(use for use, _ in self._most_used(measured)),
        )

    def _most_used(self, measured: Measurements) -> Iterator[tuple[RunUse, SimulationMetadata]]:
        ranked = sorted(measured.opens, key=lambda sim_id: -measured.opens[sim_id].opens)
        for sim_id in ranked[:_MOST_USED]:
            try:
                run = self._registry.get(sim_id)
            except SimulationNotFoundError:  # purged since
                continue
            if run.status is Status.TRASHED:
                continue
            opens = measured.opens[sim_id]
            use = RunUse(
                sim_id=sim_id,
                name=run.name,
                opens=opens.opens,
                cold_opens=opens.cold_opens,
                cold_seconds=opens.cold_seconds,
            )
            yield use, run

    def advice(self, kernels: Mapping[str, int] | None) -> list[Advice]:
        """Return what would help; ``kernels`` are the processes of the server's kernels."""
        measured = self._monitor.measurements()
        used = list(self._most_used(measured))
        memory = self._residency.report(kernels)
        pinned = {run.sim_id for _, run in used if run.is_pinned}
        pinned.update(run.sim_id for run in memory.runs if run.is_pinned)
        evictor = self._cache.evictor
        runs = [run for run in self._registry.all_runs() if run.status is not Status.TRASHED]
        return advise(
            Situation(
                cache=_cache_use(measured),
                uses=[use for use, _ in used],
                memory=memory,
                pinned=frozenset(pinned),
                largest_budget_mb=largest_bytes(evictor.directory, evictor.used_bytes()) / MB,
                unverified_since=datetime.fromtimestamp(
                    measured.moments.get(VERIFIED, measured.since), UTC
                ),
                n_runs=len(runs),
                stored_mb=sum(run.file_size_mb for run in runs),
                linked=self._changed_links(runs),
                now=datetime.now(UTC),
            )
        )

    def _changed_links(self, runs: Iterable[SimulationMetadata]) -> list[LinkedRun]:
        events = self._registry.events(types=[EventType.STATE_CORRUPTED])
        changes = Counter(event.simulation_id for event in events)
        return [
            LinkedRun(
                sim_id=run.sim_id,
                name=run.name,
                size_mb=run.file_size_mb,
                changes=changes[run.sim_id],
            )
            for run in runs
            if run.source is Source.LINKED and changes[run.sim_id]
        ]

    def tend(self, kernels: Mapping[str, int] | None = None) -> None:
        """Keep the cache to its budget, and tell of evictions and of memory that is nearly full.

        Called again and again where nobody waits for it; what fails is tried next time.
        """
        self._residency.keep_to_budget()
        self.levels = self._measured_levels()
        try:
            self._evictions.tell()
            for level, (taken, limit) in self.levels.items():
                if self._monitor.reaches(level, taken / limit, self._threshold):
                    self._tell(level, taken, limit, kernels)
        except (ApeError, OSError) as error:
            _log.info("The log of the library could not be written: %s", error)

    def _measured_levels(self) -> dict[str, tuple[int, int]]:
        evictor = self._cache.evictor
        used = evictor.used_bytes()
        levels = {"memory": memory_share()}
        # A cache directory that is gone is empty.
        with contextlib.suppress(FileNotFoundError):
            levels["cache"] = (used, evictor.budget.limit_bytes(evictor.directory, used))
        return {level: found for level, found in levels.items() if found and found[1] > 0}

    def _tell(self, level: str, taken: int, limit: int, kernels: Mapping[str, int] | None) -> None:
        data = {
            "level": level,
            "taken_mb": taken / MB,
            "limit_mb": limit / MB,
            "share": taken / limit,
            "threshold": self._threshold.reached_at,
            "suggestions": [
                {"suggestion_id": advice.suggestion_id, "sentence": advice.sentence}
                for advice in self.advice(kernels)
            ],
        }
        self._registry.record_event(EventType.MEMORY_THRESHOLD_REACHED, None, data)


def _cache_use(measured: Measurements) -> CacheUse:
    return CacheUse(**asdict(measured.recent))


def _latencies(measured: Measurements) -> Iterator[Latency]:
    for operation in Operation:
        histogram = measured.latencies.get(operation)
        if histogram is not None and histogram.count:
            p50, p95, p99 = map(histogram.quantile, (0.5, 0.95, 0.99))
            yield Latency(
                operation=operation,
                count=histogram.count,
                total_seconds=histogram.total_seconds,
                p50_seconds=p50,
                p95_seconds=p95,
                p99_seconds=p99,
            )
