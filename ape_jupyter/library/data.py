"""A run as a notebook holds it: metadata now, results when they are asked for."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ape_jupyter.cache.mapped import map_table
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.protocol import AuditEvent, ProtocolData, SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OpenedTables", "PatientRecord", "SimulationData", "SimulationResults"]


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

    @classmethod
    def open(cls, paths: Mapping[str, Path]) -> SimulationResults:
        """Map the Arrow files of a run."""
        return cls(**{name: map_table(path) for name, path in paths.items()})

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
        codes = self.visits["patient_id"].chunk(0).indices.to_numpy()
        first, last = np.searchsorted(codes, [row, row + 1])
        visits = self.visits.slice(int(first), int(last - first))
        return PatientRecord(self.patients.slice(row, 1).to_pylist()[0], visits)

    def __repr__(self) -> str:
        names = ("patients", "visits", "costs", "resources")
        tables = {name: getattr(self, name) for name in names}
        sizes = [f"{t.num_rows:,} {name}" for name, t in tables.items() if t is not None]
        return f"SimulationResults({', '.join(sizes)})"


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
    ) -> None:
        self.metadata = metadata
        self._read_documents = documents
        self._open_tables = open_tables
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

    def load_results(self) -> SimulationResults:
        """Map the results, which takes milliseconds once some kernel has used them.

        Raises
        ------
        CorruptedDataError
            If the stored results are damaged.
        """
        with self._lock:
            if self._results is None:
                try:
                    self._results = SimulationResults.open(self._open_tables())
                except FileNotFoundError:
                    # The cache was cleared between the answer and the map; it is made anew.
                    self._results = SimulationResults.open(self._open_tables())
            return self._results

    def unload_results(self) -> None:
        """Let go of the mapped results; tables still in use elsewhere stay readable."""
        with self._lock:
            self._results = None

    def __repr__(self) -> str:
        run = self.metadata
        loaded = "results loaded" if self._results is not None else "results not loaded"
        return (
            f"SimulationData({run.name!r}, {run.protocol_name}, {run.n_patients:,} patients, "
            f"{run.duration_years:g} years, {loaded}, sim_id={run.sim_id!r})"
        )
