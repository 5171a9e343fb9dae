"""The part of a library in this process that takes runs in."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

from ape_jupyter.errors import ConflictError, Fault, InvalidArgumentError, InvalidResultsError
from ape_jupyter.library.cluster import WithCluster
from ape_jupyter.library.frames import computed_frames
from ape_jupyter.library.given_run import files_of_tables
from ape_jupyter.library.intake import Intake, Prepare
from ape_jupyter.library.listing import ImportReport
from ape_jupyter.library.preparation import Request
from ape_jupyter.library.timing import timed
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.performance import Operation
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.users import current_user
from ape_jupyter.results.durable import reporting_full_disk
from ape_jupyter.results.reading import displayed
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.services.discovery import find_runs
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

__all__ = ["WithIntake"]


class WithIntake(WithCluster):
    """Imports and registers runs; see ``Library``."""

    _registry: Registry
    _intake: Intake
    _store: ObjectStore
    _monitor: PerformanceMonitor

    def import_results(
        self,
        path: str | PathLike[str],
        *,
        copy: bool = True,
        tags: Iterable[str] = (),
        progress: ProgressCallback | None = None,
        user: str | None = None,
    ) -> ImportReport:
        """Take in a results directory, a folder of many, or a package; see ``Library``."""
        root = Path(path).expanduser()
        if not root.exists():
            raise InvalidArgumentError(f"There is nothing at {root}.")
        runs = find_runs(root)
        if not runs:
            message = (
                f"There are no APE results in {root}: no directory with a metadata.json, "
                "patients.parquet and visits.parquet, and no package (.zip)."
            )
            raise InvalidArgumentError(message)
        wanted_tags = [normalise_tag(tag) for tag in tags]
        outcomes = []
        request = Request(tuple(wanted_tags), user or current_user(), link=not copy)
        with closing(self._preparations(runs, request)) as preparations:
            for position, (run, prepare) in enumerate(zip(runs, preparations, strict=True)):
                follow = None
                if progress:
                    step = Progress(done=position, total=len(runs), current=run.name)
                    progress(step)
                    follow = partial(_tell_rows, progress, step)
                outcomes.append(
                    self._import_one(run, wanted_tags, user, follow, link=not copy, prepare=prepare)
                )
        if progress:
            progress(Progress(done=len(runs), total=len(runs)))
        if runs == [root] and outcomes[0].faults:
            raise InvalidResultsError(outcomes[0].path, outcomes[0].faults)
        return ImportReport(outcomes)

    def _preparations(self, runs: Sequence[Path], request: Request) -> Generator[Prepare | None]:
        cluster = self._cluster
        if cluster is None:
            yield from (None for _ in runs)
        else:
            # Brings in what only workers need otherwise.
            from ape_jupyter.library.by_workers import preparations

            yield from preparations(cluster, self._intake, self._store, runs, request)

    def _import_one(
        self,
        run: Path,
        tags: Sequence[str],
        user: str | None,
        on_rows: Callable[[int, int], None] | None = None,
        *,
        link: bool = False,
        prepare: Prepare | None = None,
    ) -> ImportOutcome:
        try:
            started = time.perf_counter()
            outcome = self._intake.import_path(
                run, tags=tags, owner=user, link=link, on_rows=on_rows, prepare=prepare
            )
        except ConflictError as error:
            fault = Fault("metadata.json", str(error), "sim_id")
        except PermissionError as error:
            fault = Fault(displayed(run), f"can not be read: {error.strerror}")
        else:
            if outcome.status is ImportStatus.IMPORTED:
                self._monitor.observe(Operation.IMPORT, time.perf_counter() - started)
            return outcome
        return ImportOutcome(path=displayed(run), status=ImportStatus.REFUSED, faults=(fault,))

    def copy_linked(self, sim_id: str, user: str | None = None) -> SimulationMetadata:
        """Import a linked run again, with a copy of the files as they are now.

        Raises
        ------
        InvalidResultsError, InvalidArgumentError
            If they are no results any more; the message says what is wrong.
        """
        run = self._registry.find(sim_id)
        for link in self._store.manifest(run.checksum).links.values():
            self.import_results(Path(link.path).parent, copy=True, user=user)
            break
        return self._registry.get(run.sim_id)

    def import_package(
        self, path: Path, *, tags: Iterable[str] = (), user: str | None = None
    ) -> ImportOutcome:
        """Take in one package; its faults are in the outcome."""
        return self._import_one(path, [normalise_tag(tag) for tag in tags], user)

    @timed(Operation.IMPORT)
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
        user: str | None = None,
    ) -> SimulationMetadata:
        """Add a run from tables; see ``Library``."""
        given = {"patients": patients, "visits": visits, "costs": costs, "resources": resources}
        with reporting_full_disk(self._store.directory), self._store.staged() as directory:
            files = files_of_tables(
                computed_frames(
                    f"run {name!r}" if name else "the run", given, directory, self._cluster
                ),
                protocol=protocol,
                parameters=parameters,
                audit_log=audit_log,
                name=name,
                notes=notes,
                parent=None if parent is None else self._registry.find(parent).sim_id,
            )
            return self._intake.register(files, tags=tags, owner=user)


def _tell_rows(progress: ProgressCallback, step: Progress, done: int, total: int) -> None:
    progress(replace(step, rows_done=done, rows_total=total))
