"""The part of a library in this process that compares runs."""

from __future__ import annotations

from collections.abc import Sequence

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.summaries import summary_of
from ape_jupyter.model.comparison import ComparisonRequest, ComparisonType, TimeAlignment
from ape_jupyter.model.version import package_version
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import SUMMARY_VERSION
from ape_jupyter.services.compare import compare_summaries, comparison_request

__all__ = ["WithComparison"]


class WithComparison:
    """Compares runs; see ``Library``."""

    _registry: Registry
    _store: ObjectStore
    _cache: PersistentCache
    _custody: Custody

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``."""
        found = [self._registry.find(sim_id).sim_id for sim_id in sim_ids]
        chosen = None if reference is None else self._registry.find(reference).sim_id
        return self.compare(
            comparison_request(found, comparison_type, metrics, time_alignment, chosen, confidence)
        )

    def compare(self, request: ComparisonRequest) -> ComparisonResult:
        """Carry out a comparison that is completely stated."""
        runs = tuple(self._registry.get_many(request.sim_ids))
        summaries = {
            run.sim_id: summary_of(run, self._store, self._cache, self._custody) for run in runs
        }
        found = dict(
            zip(("series", "differences"), compare_summaries(request, summaries), strict=True)
        )
        provenance = {
            "ape_jupyter_version": package_version(),
            "summary_version": SUMMARY_VERSION,
            "observations": "observed",
            "checksums": {run.sim_id: run.checksum for run in runs},
        }
        return ComparisonResult(request=request, runs=runs, provenance=provenance, **found)
