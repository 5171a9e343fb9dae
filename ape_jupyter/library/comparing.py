"""The part of a library in this process that compares runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from ape_jupyter.cache.answers import ANSWERS, AnswerCache
from ape_jupyter.cache.leases import Lease, leased
from ape_jupyter.cache.mapped import PersistentCache, map_table
from ape_jupyter.library.cluster import WithCluster
from ape_jupyter.library.compared import compared_run, run_settings
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.library.comparison_steps import Steps, told
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.documents import documents_of
from ape_jupyter.library.interface.comparing import Subgroups
from ape_jupyter.library.remembered import (
    findings_from_bytes,
    findings_key,
    findings_to_bytes,
)
from ape_jupyter.library.summaries import Summaries
from ape_jupyter.library.timing import timed
from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Observations,
    PatientCriterion,
    PatientGrouping,
    TimeAlignment,
)
from ape_jupyter.model.metrics import DEFINED_METRICS
from ape_jupyter.model.performance import Operation
from ape_jupyter.model.progress import ProgressCallback
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.version import package_version
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import SUMMARY_VERSION, Summary
from ape_jupyter.services.compare import (
    ComparedRun,
    Findings,
    RunParts,
    TimePoint,
    compare_runs,
    comparison_request,
    criteria_mapping,
    grouping_mapping,
    levels_of_runs,
    missing_parts,
    parts_of_run,
    patient_criteria,
    patient_groupings,
    populations,
    protocol_diff,
    values_of_column,
)
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

__all__ = ["WithComparison"]

ALL_METRICS = "all"

T = TypeVar("T")


class WithComparison(WithCluster):
    """Compares runs; see ``Library``."""

    _registry: Registry
    _store: ObjectStore
    _cache: PersistentCache
    _monitor: PerformanceMonitor
    _custody: Custody
    _summaries: Summaries

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | str | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
        *,
        observations: Observations | str | None = None,
        bin_width: int | None = None,
        times: Sequence[TimePoint] | None = None,
        paired: bool = False,
        pool_replicates: bool = False,
        patients: Mapping[str, Any] | Sequence[PatientCriterion] | None = None,
        subgroups: Subgroups = None,
        cost_effectiveness: bool = False,
        distributions: bool = False,
        progress: ProgressCallback | None = None,
        user: str | None = None,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``."""
        criteria = patient_criteria(patients)
        found = self._registry.find_ids(sim_ids)
        request = comparison_request(
            found,
            comparison_type,
            self._metrics(found, metrics),
            time_alignment,
            None if reference is None else self._registry.find(reference).sim_id,
            confidence,
            observations=observations,
            bin_width=bin_width,
            times=times,
            paired=paired,
            pool_replicates=pool_replicates,
            patients=criteria,
            subgroups=patient_groupings(subgroups),
            cost_effectiveness=cost_effectiveness,
            distributions=distributions,
        )
        return self.compare(request, progress, user)

    def _metrics(
        self, sim_ids: Sequence[str], metrics: Sequence[str] | str | None
    ) -> Sequence[str] | None:
        if metrics != ALL_METRICS:
            return [metrics] if isinstance(metrics, str) else metrics
        runs = self._registry.get_many(sim_ids)
        self._make_summaries(runs)
        summaries = map(self._summary, runs)
        own = {name for summary in summaries for name in summary.metrics}
        families = {name for name in own if name.startswith(("cost_", "workload_"))}
        return [*DEFINED_METRICS, *sorted(families)]

    def _make_summaries(self, runs: Sequence[SimulationMetadata]) -> None:
        """Have a cluster make the summaries that are missing, when there is one."""
        if self._cluster is not None:
            # Brings in what only workers need otherwise.
            from ape_jupyter.library.by_workers import make_summaries

            make_summaries(self._cluster, runs, self._store, self._cache)

    def _summary(self, run: SimulationMetadata) -> Summary:
        return self._summaries.of(run)

    def _with_tables(
        self, run: SimulationMetadata, use: Callable[[Mapping[str, pa.Table]], T]
    ) -> T:
        """Call with the mapped tables of a run's patients, which nobody evicts meanwhile."""
        names = ["patients", "visits", *["costs"] * run.has_costs]

        def read(paths: Mapping[str, Path], lease: Lease) -> T:
            with lease:
                return use({name: map_table(path) for name, path in paths.items()})

        with self._custody.reading(run), ExitStack() as reading:

            def build() -> Mapping[str, Any]:
                return reading.enter_context(self._store.reading(run.checksum)).streams()

            return leased(lambda: self._cache.files(run.checksum, names, build), read)

    @timed(Operation.COMPARISON)
    def compare(
        self,
        request: ComparisonRequest,
        progress: ProgressCallback | None = None,
        user: str | None = None,
    ) -> ComparisonResult:
        """Carry out a comparison that is completely stated, or find what it came to before."""
        runs = tuple(self._registry.get_many(request.sim_ids))
        stored = self._registry.documents_of_many(request.sim_ids)
        documents = {run.sim_id: documents_of(run, stored[run.sim_id]) for run in runs}
        compared = {run.sim_id: compared_run(run, documents[run.sim_id]) for run in runs}
        provenance = _provenance(request, runs)
        answers = AnswerCache(self._cache.directory / ANSWERS)
        key = findings_key(provenance, compared)
        kept = answers.get(key)
        if kept is None:
            steps = Steps(progress)
            with told(self._registry, request, steps, user):
                found = self._findings(request, runs, compared, steps)
            answers.put(key, findings_to_bytes(found))
        else:
            found = findings_from_bytes(kept, request)
        settings = {run.sim_id: run_settings(run, documents[run.sim_id]) for run in runs}
        return ComparisonResult(
            request=found.request,
            runs=runs,
            metrics=found.metrics,
            series=found.series,
            differences=found.differences,
            tests=found.tests,
            distributions=found.distributions,
            cost_effectiveness=found.cost_effectiveness,
            protocol_diff=protocol_diff(request.reference, settings),
            missing=found.missing,
            notes=found.notes,
            provenance=provenance,
        )

    def _findings(
        self,
        request: ComparisonRequest,
        runs: Sequence[SimulationMetadata],
        compared: Mapping[str, ComparedRun],
        steps: Steps,
    ) -> Findings:
        if not request.patients:
            self._make_summaries(runs)
        levels = self._levels(request, runs)
        n_parts = sum(map(len, levels.values()))
        n_metrics = len(request.metrics) + request.cost_effectiveness
        steps.total = (len(runs) + n_metrics) * (1 + n_parts) + request.paired
        parts = {}
        own = []
        for run in runs:
            steps(run.name)
            found = RunParts()
            if request.reads_patients:
                found = self._parts(request, run, levels, steps)
            summary = self._summary(run) if found.summary is None else found.summary
            own.append(replace(compared[run.sim_id], summary=summary, joint=found.joint))
            parts[run.sim_id] = found
        outcomes = {s: part.outcomes for s, part in parts.items() if part.outcomes is not None}
        findings = compare_runs(
            request,
            own,
            outcomes,
            populations(levels, own, parts),
            [*missing_parts(request, levels, parts)],
            steps,
        )
        steps.finish()
        return findings

    def _levels(
        self, request: ComparisonRequest, runs: Sequence[SimulationMetadata]
    ) -> Mapping[PatientGrouping, Sequence[str]]:
        levels = {}
        for grouping in request.subgroups:
            name = grouping.column
            own = {run.sim_id: self._values(run, name) for run in runs}
            levels[grouping] = levels_of_runs(grouping, own)
        return levels

    def _values(self, run: SimulationMetadata, column: str) -> pa.ChunkedArray | None:
        return self._with_tables(run, lambda tables: values_of_column(tables["patients"], column))

    def _parts(
        self,
        request: ComparisonRequest,
        run: SimulationMetadata,
        levels: Mapping[PatientGrouping, Sequence[str]],
        tell: Callable[[str], None],
    ) -> RunParts:
        return self._with_tables(
            run,
            lambda tables: parts_of_run(
                request, levels, tables, run.start_date, run.duration_years, tell
            ),
        )


def _provenance(
    request: ComparisonRequest, runs: Sequence[SimulationMetadata]
) -> Mapping[str, Any]:
    """Return what the numbers depend on."""
    return {
        "parameters": {
            field.name: _plain(getattr(request, field.name)) for field in fields(request)
        }
        | {
            "patients": criteria_mapping(request.patients),
            "subgroups": grouping_mapping(request.subgroups),
        },
        "checksums": {run.sim_id: run.checksum for run in runs},
        "protocol_digests": {run.sim_id: run.protocol_digest for run in runs},
        "ape_jupyter_version": package_version(),
        "summary_version": SUMMARY_VERSION,
        **_versions(),
    }


@cache
def _versions() -> Mapping[str, str]:
    # Looking a version up reads a file, each time.
    return {f"{name}_version": version(name) for name in ("numpy", "scipy")}


def _plain(value: Any) -> Any:
    """Return what JSON gives back as it was: a provenance is equal wherever it is read."""
    if isinstance(value, StrEnum):
        return value.value
    return list(value) if isinstance(value, tuple) else value
