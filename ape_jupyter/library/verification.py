"""Checking a whole library against what it stored, and mending what can be mended."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import ApeError, ConflictError, CorruptedDataError
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.intake import SUMMARY, record_of
from ape_jupyter.library.orphans import OrphanLog
from ape_jupyter.library.summaries import Summaries
from ape_jupyter.model.events import EventType
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.model.verification import Finding, Severity, VerifyReport
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.rows import metadata_of
from ape_jupyter.results.records import RunRecords
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

__all__ = ["Verifier", "WithVerification"]

_ORDER = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """Checks the parts of a library against each other."""

    directory: Path
    registry: Registry
    store: ObjectStore
    records: RunRecords
    cache: PersistentCache
    custody: Custody

    def verify(
        self, sim_id: str | None, *, repair: bool, fast: bool, progress: ProgressCallback | None
    ) -> VerifyReport:
        """Check one run, or the library; see ``Library``."""
        started = time.monotonic()
        check = _Check(self, repair=repair, fast=fast)
        if sim_id is not None:
            runs = [self.registry.find(sim_id)]
        else:
            if repair:
                # A purge that was killed half-way would else keep its results for good.
                self.registry.clear_tombstones(self.store.remove, self.records.remove)
            check.unregistered_runs()
            runs = self.registry.all_runs()
        for done, run in enumerate(runs):
            if progress:
                progress(Progress(done=done, total=len(runs), current=run.name))
            check.run(run)
        if sim_id is None:
            check.history()
            check.search_index()
            check.orphans(runs)
        if progress:
            progress(Progress(done=len(runs), total=len(runs)))
        findings = sorted(check.findings, key=lambda f: (f.repaired, _ORDER.index(f.severity)))
        return VerifyReport(
            findings=tuple(findings),
            n_runs=len(runs),
            fast=fast,
            seconds=time.monotonic() - started,
        )


@dataclass(slots=True)
class _Check:
    library: Verifier
    repair: bool
    fast: bool
    findings: list[Finding] = field(default_factory=list)
    _problems: dict[str, list[str]] = field(default_factory=dict)

    def run(self, run: SimulationMetadata) -> None:
        """Check one run. Whatever is wrong with it, the next one has its turn."""
        try:
            for finding in self._of_run(run):
                self.findings.append(replace(finding, sim_id=run.sim_id, name=run.name))
        except (ApeError, OSError) as error:
            what = f"It could not be checked: {error}"
            self.findings.append(
                Finding(what=what, severity=Severity.DAMAGE, sim_id=run.sim_id, name=run.name)
            )

    def _of_run(self, run: SimulationMetadata) -> Iterator[Finding]:
        problems = self._of_object(run.checksum)
        yield from self._of_cache(run, is_sound=not problems)
        if problems:
            self.library.custody.quarantine(run, " ".join(problems))
            action = "The run is quarantined; import the same results again."
            if run.source is Source.LINKED:
                action = (
                    "The run is quarantined; put the file back and verify with repair, "
                    "or import the run again."
                )
            for problem in problems:
                yield Finding(what=problem, severity=Severity.DAMAGE, action=action)
            return
        yield from self._of_record(run)
        if run.status is Status.QUARANTINED:
            if self.fast:
                action = "A check that is not fast tells whether its results are sound again."
                yield Finding(what="It is quarantined.", severity=Severity.FAULT, action=action)
            else:
                what = "It is quarantined, and its results are sound."
                yield self._mended(
                    what, "It is available again.", partial(self.library.custody.release, run)
                )

    def _of_object(self, digest: str) -> list[str]:
        if digest not in self._problems:
            self._problems[digest] = self.library.store.problems(digest, fast=self.fast)
        return self._problems[digest]

    def _of_cache(self, run: SimulationMetadata, *, is_sound: bool) -> Iterator[Finding]:
        found = self.library.cache.problems(run.checksum, read=not self.fast)
        for path, problem in found.items():
            done = "It was removed, and is made again on next use."
            yield self._mended(f"{path.name} in the cache {problem}.", done, path.unlink)
        summaries = [path for path in found if path.stem == SUMMARY]
        if self.repair and summaries and is_sound and run.status is Status.AVAILABLE:
            library = self.library
            Summaries(library.store, library.cache, library.custody).of(run)

    def _of_record(self, run: SimulationMetadata) -> Iterator[Finding]:
        records, store = self.library.records, self.library.store
        try:
            if records.read(run.sim_id) is not None:
                return
            what = "It has no record outside the registry."
        except CorruptedDataError as error:
            what = error.message
        record = record_of(run, store.table_digests(run.checksum))
        done = "The record was written again."
        yield self._mended(what, done, lambda: records.save(run.sim_id, record))

    def _mended(self, what: str, done: str, mend: Callable[[], object]) -> Finding:
        if not self.repair:
            return Finding(what=what, severity=Severity.FAULT, action="Verify with repair.")
        mend()
        return Finding(what=what, severity=Severity.FAULT, action=done, repaired=True)

    def history(self) -> None:
        """Find out whether the log was tampered with."""
        broken = self.library.registry.broken_history()
        if broken is not None:
            what = f"The history is broken: event {broken.seq} {broken.problem}."
            action = "What it tells of later changes can not be relied on; see the backups."
            self.findings.append(Finding(what=what, severity=Severity.DAMAGE, action=action))

    def search_index(self) -> None:
        """Find out whether searches find what they should."""
        problem = self.library.registry.search_index_problem()
        if problem is not None:
            done = "It was made anew from what is known of the runs."
            mend = self.library.registry.rebuild_search_index
            self.findings.append(self._mended(problem, done, mend))

    def unregistered_runs(self) -> None:
        """Find runs that have a record and are not in the registry: it was lost, or is older."""
        # In this order: a run gets its record after its row.
        recorded = self.library.records.ids()
        known = {run.sim_id for run in self.library.registry.all_runs()}
        for sim_id in recorded:
            if sim_id in known or self._was_purged(sim_id):
                continue
            try:
                self.findings.append(self._unregistered(sim_id))
            except (ApeError, OSError, KeyError, TypeError, ValueError) as error:
                what = f"It is not in the registry, and can not be brought back: {error}"
                self.findings.append(
                    Finding(what=what, severity=Severity.DAMAGE, sim_id=sim_id, name=sim_id)
                )

    def _was_purged(self, sim_id: str) -> bool:
        """Tell whether a purge has not come to removing the record yet."""
        purged = [EventType.SIMULATION_PURGED]
        return bool(self.library.registry.events(types=purged, sim_id=sim_id, limit=1))

    def _unregistered(self, sim_id: str) -> Finding:
        record = self.library.records.read(sim_id)
        if record is None:
            raise ConflictError("its record was removed in this moment.")
        run = metadata_of(record.run, record.tags)
        documents = self.library.store.documents(run.checksum)
        finding = self._mended(
            "It is not in the registry.",
            "It is registered again, with the tags and notes of its first registration.",
            lambda: self.library.registry.add(run, documents),
        )
        return replace(finding, sim_id=sim_id, name=run.name)

    def orphans(self, runs: list[SimulationMetadata]) -> None:
        """Find files that belong to no run, and remove those that did not for a day."""
        library = self.library
        used = {run.checksum for run in runs}
        # Runs that wait to be registered again are no orphans.
        for sim_id in set(library.records.ids()) - {run.sim_id for run in runs}:
            try:
                record = library.records.read(sim_id)
            except ApeError:
                continue
            used.update([str(record.run.get("checksum"))] if record else [])
        paths = [library.store.path(d) for d in library.store.digests() if d not in used]
        paths += library.store.staging.iterdir()
        by_name = {str(path.relative_to(library.directory)): path for path in paths}
        log = OrphanLog(library.directory / "orphans.json")
        for name, is_ripe in log.ripe(by_name).items():
            what = f"{name} belongs to no run."
            if is_ripe:
                mend = partial(self._remove, by_name[name])
                self.findings.append(self._mended(what, "It was removed.", mend))
            else:
                action = "A repair removes it when this has been so for a day."
                self.findings.append(Finding(what=what, severity=Severity.NOTE, action=action))

    def _remove(self, path: Path) -> None:
        store = self.library.store
        if store.directory in path.parents:
            # A run may have come to it in this moment.
            self.library.registry.remove_unused([path.name], store.remove)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


class WithVerification:
    """The part of a library in this process that checks it; see ``Library``."""

    _verifier: Verifier
    _monitor: PerformanceMonitor

    def verify(
        self,
        sim_id: str | None = None,
        repair: bool = False,
        fast: bool = False,
        *,
        progress: ProgressCallback | None = None,
    ) -> VerifyReport:
        """Check a run, or all of the library."""
        report = self._verifier.verify(sim_id, repair=repair, fast=fast, progress=progress)
        if sim_id is None and not fast:
            self._monitor.verified()
        return report
