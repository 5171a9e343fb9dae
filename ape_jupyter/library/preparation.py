"""The heavy part of taking a run in: reading, checking, staging and summarising its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from ape_jupyter.errors import ConflictError, Fault, InvalidResultsError
from ape_jupyter.library.registration import VisitedPatients, metadata_of_run, run_start
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.results.linked import changed_link, linked_file
from ape_jupyter.results.manifest import LinkedFile
from ape_jupyter.results.reading import RunFiles, RunResults, displayed, read_run
from ape_jupyter.results.store import ObjectStore, StagedObject
from ape_jupyter.results.summing import SummaryOfBuckets
from ape_jupyter.services.discovery import is_package
from ape_jupyter.services.migrate.service import metadata_migrations
from ape_jupyter.services.packages import extract_package

__all__ = [
    "KnownRun",
    "LookUp",
    "NewResults",
    "PreparedRun",
    "Request",
    "RowsCallback",
    "files_at",
    "prepare_run",
]

RowsCallback: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRun:
    """What the library has under the id of a run that is being taken in.

    Attributes
    ----------
    tables : mapping
        The digest of each table; empty when nobody knows it any more.
    is_sound : bool
        Whether its results are stored as wanted, and every byte is as it was.
    is_replaceable : bool
        Whether other results may take their place: linked files that their owner changed.
    """

    tables: Mapping[str, str]
    is_sound: bool
    is_replaceable: bool

    def has(self, sim_id: str, tables: Mapping[str, str]) -> bool:
        """Tell whether the library needs nothing of a run with this id and these tables.

        Raises
        ------
        ConflictError
            If it has other results, which must not be replaced.
        """
        is_same = tables == self.tables
        if not is_same and not self.is_replaceable:
            raise ConflictError(
                f"The library has a run {sim_id!r} with other results. "
                "Give this one another sim_id in its metadata.json, or delete the other first."
            )
        return is_same and self.is_sound


LookUp: TypeAlias = Callable[[str], KnownRun | None]


@dataclass(frozen=True, slots=True)
class Request:
    """How a run is to be taken in.

    Attributes
    ----------
    link : bool
        Whether its tables are to stay where they are.
    """

    tags: tuple[str, ...]
    owner: str
    link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A run that is read and checked and waits to be registered.

    Attributes
    ----------
    new : NewResults or None
        None when the library has exactly these results.
    """

    sim_id: str
    tables: Mapping[str, str]
    new: NewResults | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResults:
    """What a run brings: complete, staged, and seen by nobody yet.

    Attributes
    ----------
    migration : mapping or None
        What is told of the migration of its metadata, when there was one.
    """

    metadata: SimulationMetadata
    documents: Mapping[str, Any]
    staged: StagedObject
    summary: pa.Table
    migration: Mapping[str, Any] | None


def prepare_run(
    files: RunFiles,
    request: Request,
    store: ObjectStore,
    scratch: Path,
    look_up: LookUp,
    on_rows: RowsCallback | None = None,
) -> PreparedRun:
    """Read, check, stage and summarise a run.

    Parameters
    ----------
    scratch : Path
        A directory that the store gave. What is staged is in it, and is lost with it.
    look_up : callable
        Tells what the library has under an id.
    on_rows : callable, optional
        Told how many visits of how many are done. What it raises stops the work.

    Raises
    ------
    InvalidResultsError
        With every fault of every file.
    ConflictError
        If the library has a run of this id with other results.
    OutOfSpaceError
        If the disk is full. Nothing of the run stays behind.
    """
    links = _links(files) if request.link else {}
    migrate = metadata_migrations().migrate
    run = read_run(files, scratch, _half(on_rows, first=True), migrate=migrate)
    sim_id = run.details.sim_id
    known = look_up(sim_id)
    if known is not None:
        tables = run.tables.digests()
        if known.has(sim_id, tables):
            return PreparedRun(sim_id=sim_id, tables=tables)
    stage = partial(store.stage, scratch, on_rows=_half(on_rows, first=False), links=links)
    return _staged(run, request, stage, links, files.label)


def files_at(path: Path, scratch: Path, link: bool) -> RunFiles:
    """Return the files of one results directory or package, which is unpacked in ``scratch``.

    Raises
    ------
    InvalidResultsError
        If it is no package that can be unpacked, or can not be linked.
    """
    if not is_package(path):
        files = RunFiles.of_directory(path)
        # A pipe, for example, would be waited for.
        strange = [p for p in files.tables.values() if Path(p).exists() and not Path(p).is_file()]
        if strange:
            faults = [Fault(Path(p).name, "is no regular file") for p in strange]
            raise InvalidResultsError(files.label, faults)
        return files
    if link:
        problem = "is a package, which can not be linked; import it with a copy"
        raise InvalidResultsError(displayed(path), [Fault(path.name, problem)])
    return extract_package(path, scratch)


def _staged(
    run: RunResults,
    request: Request,
    stage: Callable[..., StagedObject],
    links: Mapping[str, LinkedFile],
    label: str,
) -> PreparedRun:
    summary = SummaryOfBuckets(run_start(run.tables), run.details.duration_years)
    visited = VisitedPatients()
    staged = stage(run.tables, run.documents, [summary, visited])
    changed = [name for name, link in links.items() if changed_link(link)]
    if changed:
        problem = "changed while it was read; import the run again when APE is done with it"
        raise InvalidResultsError(
            label, [Fault(Path(links[n].path).name, problem) for n in changed]
        )
    stored = staged.stored
    new = NewResults(
        metadata=metadata_of_run(run, stored, visited, owner=request.owner, tags=request.tags),
        documents=run.documents,
        staged=staged,
        summary=summary.result(run.tables),
        migration=run.metadata.told,
    )
    return PreparedRun(sim_id=run.details.sim_id, tables=stored.tables, new=new)


def _links(files: RunFiles) -> dict[str, LinkedFile]:
    found, faults = {}, []
    for name, source in files.tables.items():
        try:
            found[name] = linked_file(Path(str(source)))
        except FileNotFoundError:
            continue  # named with all other faults, when the run is read
        except OSError as error:
            faults.append(Fault(Path(str(source)).name, f"can not be read: {error.strerror}"))
    if faults:
        raise InvalidResultsError(files.label, faults)
    return found


def _half(on_rows: RowsCallback | None, *, first: bool) -> RowsCallback | None:
    """Return a callback for one of two passes over the same rows: reading, then storing."""
    if on_rows is None:
        return None
    return lambda done, total: on_rows((done if first else total + done) // 2, total)
