"""A run as a notebook holds it: metadata now, results when they are asked for."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ape_jupyter.cache.leases import Lease, leased
from ape_jupyter.cache.mapped import map_table
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.memory import MemoryUsage
from ape_jupyter.model.protocol import AuditEvent, ProtocolData, SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OpenedTables", "PatientRecord", "SimulationData", "SimulationResults"]

MB = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTables:
    """A run whose mapped files are in place: table name to path."""

    metadata: SimulationMetadata
    paths: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """One patient: the row of the patients table, and the visits in order of time."""

    patient: Mapping[str, object]
    visits: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationResults:
    """The tables of a run, as views of files that all kernels share.

    Attributes
    ----------
    patients, visits : pyarrow.Table
        Patients by id; visits by patient and time.
    costs, resources : pyarrow.Table or None
        None for a run without resource tracking.
    """

    patients: pa.Table
    visits: pa.Table
    costs: pa.Table | None = None
    resources: pa.Table | None = None
    _paths: tuple[Path, ...] = field(default=(), repr=False, compare=False)
    _lease: Lease = field(default_factory=Lease, repr=False, compare=False)

    @classmethod
    def open(cls, paths: Mapping[str, Path], lease: Lease | None = None) -> SimulationResults:
        """Map the Arrow files of a run; ``lease`` is held until :meth:`release`."""
        tables = {name: map_table(path) for name, path in paths.items()}
        return cls(**tables, _paths=tuple(paths.values()), _lease=lease or Lease())

    def memory_usage(self) -> MemoryUsage:
        """Return what the mapped files take in this process.

        DataFrames made of the tables are private copies and not counted. What is None, the
        system does not tell.
        """
        from ape_jupyter.cache.pages import process_pages

        paths = {path.resolve() for path in self._paths}
        pages = process_pages(os.getpid())
        mapped = dict.fromkeys(paths, 0)
        for path in self._paths:
            with suppress(FileNotFoundError):
                mapped[path.resolve()] = path.stat().st_size
        if pages is None or pages.files is None:
            return MemoryUsage(
                mapped_mb=sum(mapped.values()) / MB, resident_mb=None, private_mb=None
            )
        resident, copies = dict.fromkeys(paths, 0), 0
        for file in pages.files:
            if file.path in paths:
                mapped[file.path] = mapped[file.path] or file.mapped
                # A run that was opened twice is mapped twice, from the same pages.
                resident[file.path] = max(resident[file.path], file.resident)
                copies += file.private_copies
        return MemoryUsage(
            mapped_mb=sum(mapped.values()) / MB,
            resident_mb=sum(resident.values()) / MB,
            private_mb=copies / MB,
        )

    def release(self) -> None:
        """Let the files be evicted; the tables stay readable for as long as they are held."""
        self._lease.release()

    def patients_df(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the patients as a DataFrame: a private copy, free to be changed."""
        frame: pd.DataFrame = _selected(self.patients, columns).to_pandas()
        return frame

    def visits_df(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the visits, or some of their columns, as a DataFrame: a private copy."""
        frame: pd.DataFrame = _selected(self.visits, columns).to_pandas()
        return frame

    def patient(self, patient_id: str) -> PatientRecord:
        """Return one patient's row and visits, found by bisection.

        Raises
        ------
        InvalidArgumentError
            If the run has no such patient.
        """
        ids = self.patients["patient_id"]
        row = bisect_left(range(len(ids)), patient_id, key=lambda i: str(ids[i].as_py()))
        if row == len(ids) or ids[row].as_py() != patient_id:
            raise InvalidArgumentError(f"This run has no patient {patient_id!r}.")
        first, last = (_first_row(self.visits["patient_id"], patient) for patient in (row, row + 1))
        visits = self.visits.slice(first, last - first)
        return PatientRecord(self.patients.slice(row, 1).to_pylist()[0], visits)

    def __repr__(self) -> str:
        names = ("patients", "visits", "costs", "resources")
        tables = {name: getattr(self, name) for name in names}
        sizes = [f"{t.num_rows:,} {name}" for name, t in tables.items() if t is not None]
        return f"SimulationResults({', '.join(sizes)})"


def _first_row(patient_ids: pa.ChunkedArray, patient: int) -> int:
    """Return the first row whose code is at least ``patient``, where codes ascend."""
    chunks = patient_ids.chunks
    number = bisect_left(range(len(chunks)), patient, key=lambda i: _last_code(chunks[i]))
    before = sum(map(len, chunks[:number]))
    if number == len(chunks):
        return before
    return before + int(np.searchsorted(chunks[number].indices.to_numpy(), patient))


def _last_code(chunk: pa.DictionaryArray) -> int:
    return int(chunk.indices[-1].as_py())


def _selected(table: pa.Table, columns: Sequence[str] | None) -> pa.Table:
    if columns is None:
        return table
    unknown = [name for name in columns if name not in table.column_names]
    if unknown:
        known = ", ".join(table.column_names)
        raise InvalidArgumentError(f"No column {', '.join(unknown)}. Columns are: {known}.")
    return table.select(list(columns))


class SimulationData:
    """One run. Threads may share it.

    Attributes
    ----------
    metadata : SimulationMetadata
        As it was when the run was opened.
    """

    def __init__(
        self,
        metadata: SimulationMetadata,
        *,
        documents: Callable[[], SimulationDocuments],
        open_tables: Callable[[], Mapping[str, Path]],
        read_metadata: Callable[[], SimulationMetadata],
        after_unloading: Callable[[], object] = lambda: None,
    ) -> None:
        self.metadata = metadata
        self._read_metadata = read_metadata
        self._read_documents = documents
        self._open_tables = open_tables
        self._after_unloading = after_unloading
        self._results: SimulationResults | None = None
        self._lock = threading.Lock()

    @cached_property
    def documents(self) -> SimulationDocuments:
        """The protocol, the parameters and the audit log."""
        return self._read_documents()

    @property
    def protocol(self) -> ProtocolData:
        """The treatment protocol that was simulated."""
        return self.documents.protocol

    @property
    def audit_log(self) -> tuple[AuditEvent, ...]:
        """What APE noted while it ran."""
        return self.documents.audit_log

    @property
    def original_metadata(self) -> Mapping[str, Any] | None:
        """The metadata as the run brought it; None when it was of the library's own version."""
        return self.documents.original_metadata

    @property
    def is_pinned(self) -> bool:
        """Whether the run is pinned now: its mapped files are never evicted."""
        return self._read_metadata().is_pinned

    def load_results(self) -> SimulationResults:
        """Map the results, which takes milliseconds once some kernel has used them.

        Until :meth:`unload_results`, or until data and results are garbage, the library
        does not evict the mapped files.

        Raises
        ------
        CorruptedDataError
            If the stored results are damaged.
        LibraryBusyError
            If somebody deletes the cache again and again.
        """
        with self._lock:
            if self._results is None:
                self._results = leased(self._open_tables, SimulationResults.open)
            return self._results

    def unload_results(self) -> None:
        """Let go of the mapped results; tables still in use elsewhere stay readable."""
        with self._lock:
            results, self._results = self._results, None
        if results is not None:
            results.release()
            self._after_unloading()

    def __repr__(self) -> str:
        run = self.metadata
        loaded = "results loaded" if self._results is not None else "results not loaded"
        return (
            f"SimulationData({run.name!r}, {run.protocol_name}, {run.n_patients:,} patients, "
            f"{run.duration_years:g} years, {loaded}, sim_id={run.sim_id!r})"
        )
