"""Figures of the library among those of the server, in Prometheus's format at ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import REGISTRY, Collector

from ape_jupyter.model.performance import Operation

if TYPE_CHECKING:
    from ape_jupyter.server.library_access import LibraryAccess
    from ape_jupyter.services.monitor.histogram import Histogram
    from ape_jupyter.services.monitor.measurements import Measurements

__all__ = ["LibraryMetrics"]

# Of the histogram's 200 buckets, enough for a curve: four for each power of ten seconds.
_EVERY = 5
_FROM_SECONDS = 1e-5


class LibraryMetrics(Collector):
    """Collects what the monitor knows. Labels are the operations and levels, and nothing else.

    Jupyter's handler collects on the event loop, so nothing here touches a disk: what other
    processes did is as of the last time that this one wrote or looked.
    """

    def __init__(self, access: LibraryAccess) -> None:
        self._access = access
        self._is_registered = False

    def register(self) -> None:
        """Be collected."""
        if not self._is_registered:
            REGISTRY.register(self)
            self._is_registered = True

    def unregister(self) -> None:
        """Be collected no more."""
        if self._is_registered:
            REGISTRY.unregister(self)
            self._is_registered = False

    def describe(self) -> list[Metric]:
        """Give nothing, or registering would collect before there is a library."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the figures of the library, when it is open."""
        library = self._access.opened
        if library is None:
            return
        measured = library.known_measurements()
        yield _latencies(measured)
        for name, explained, value in (
            (
                "cache_hits",
                "Openings of a run that found its mapped files.",
                measured.count_of(Operation.OPEN_WARM),
            ),
            (
                "cache_misses",
                "Openings of a run whose mapped files had to be made.",
                measured.count_of(Operation.OPEN_COLD),
            ),
            ("cache_evictions", "Result sets that left the cache.", measured.evictions),
            (
                "cache_evicted_bytes",
                "What the evicted result sets took.",
                measured.evicted_bytes,
            ),
        ):
            yield CounterMetricFamily(f"ape_jupyter_{name}", explained, value)
        yield from _levels(library.known_levels())


def _levels(levels: dict[str, tuple[int, int]]) -> Iterator[Metric]:
    for index, (name, explained) in enumerate(
        (("taken", "What is taken"), ("limit", "How much there is"))
    ):
        family = GaugeMetricFamily(
            f"ape_jupyter_{name}_bytes", f"{explained} of the cache and of memory.", labels=["of"]
        )
        for level, figures in levels.items():
            family.add_metric([level], figures[index])
        yield family


def _latencies(measured: Measurements) -> Metric:
    family = HistogramMetricFamily(
        "ape_jupyter_operation_duration_seconds",
        "How long operations of the library took.",
        labels=["operation"],
    )
    for operation, histogram in measured.latencies.items():
        family.add_metric([operation.value], _buckets(histogram), histogram.total_seconds)
    return family


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    # Not above: the server starts without what the library needs.
    from ape_jupyter.services.monitor.histogram import EDGES_SECONDS

    passed = list(accumulate(histogram.counts.get(i, 0) for i in range(len(EDGES_SECONDS))))
    chosen = range(_EVERY - 1, len(EDGES_SECONDS) - 1, _EVERY)
    buckets = [
        (f"{EDGES_SECONDS[i]:.6g}", float(passed[i]))
        for i in chosen
        if EDGES_SECONDS[i] >= _FROM_SECONDS
    ]
    return [*buckets, ("+Inf", float(passed[-1]))]
