"""From a run as read to the metadata by which it is registered."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import Fault, InvalidResultsError
from ape_jupyter.library.documents import protocol_digest
from ape_jupyter.model.simulation import (
    METADATA_SCHEMA_VERSION,
    Headline,
    SimulationMetadata,
    Source,
    Status,
)
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.results.canonical import ResultTables, RunTables
from ape_jupyter.results.reading import RunResults
from ape_jupyter.results.sources import open_source
from ape_jupyter.results.store import StoredObject

__all__ = ["VisitedPatients", "described_run", "given_tables", "metadata_of_run", "run_start"]

DAYS_PER_YEAR = 365.25
MAX_YEARS_IN_ID = 100


TableSource: TypeAlias = Path | pa.Table


def given_tables(label: str, given: Mapping[str, Any]) -> dict[str, TableSource]:
    """Accept pandas DataFrames, pyarrow Tables and paths to Parquet; leave out None.

    Raises
    ------
    InvalidResultsError
        Naming every table that is none of these, or that Arrow can not hold.
    """
    tables: dict[str, TableSource] = {}
    faults = []
    for name, data in given.items():
        try:
            if isinstance(data, pa.Table):
                tables[name] = data
            elif hasattr(data, "__arrow_c_stream__"):
                tables[name] = pa.table(data)
            elif data is not None:
                tables[name] = Path(data)
        except TypeError:
            kind = type(data).__name__
            faults.append(Fault(name, f"is {kind}, not a DataFrame, a Table or a path"))
        except pa.ArrowException as error:
            faults.append(Fault(name, f"can not be read as a table: {error}"))
    if faults:
        raise InvalidResultsError(label, faults)
    return tables


def described_run(
    raw: Mapping[str, TableSource],
    parameters: Mapping[str, Any],
    protocol: Mapping[str, Any],
    name: str | None,
) -> dict[str, Any]:
    """Return what APE's ``metadata.json`` would say of a run given as tables.

    What ``parameters`` does not say is read off the tables where they allow it.
    """
    now = datetime.now(UTC)
    duration = parameters.get("duration_years")
    if duration is None:
        duration = _observed_years(raw)
    name = name or f"run-{secrets.token_hex(3)}"
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:48] or secrets.token_hex(3)
    is_number = isinstance(duration, int | float) and 0 <= duration < MAX_YEARS_IN_ID
    years, hundredths = divmod(round(duration * 100) if is_number else 0, 100)
    stamp = now.strftime("%Y%m%d_%H%M%S")
    return {
        # The random end keeps two runs apart that are registered within one second.
        "sim_id": f"sim_{stamp}_{years:02d}-{hundredths:02d}_{slug}-{secrets.token_hex(2)}",
        "protocol_name": protocol.get("name") or "unnamed protocol",
        "protocol_version": str(protocol.get("version") or ""),
        "engine_type": parameters.get("engine_type") or "unknown",
        "model_type": parameters.get("model_type") or protocol.get("model_type"),
        "n_patients": parameters.get("n_patients", _row_count(raw.get("patients"))),
        "duration_years": duration,
        "seed": parameters.get("seed"),
        "runtime_seconds": parameters.get("runtime_seconds"),
        "timestamp": now.isoformat(),
        "memorable_name": name,
        "schema_version": METADATA_SCHEMA_VERSION,
        "tags": [],
        "last_accessed": None,
        "access_count": 0,
    }


def _observed_years(raw: Mapping[str, TableSource]) -> float:
    """Return the time from first enrolment to last visit; 0 when the tables do not tell."""
    try:
        first, _ = _extremes(raw["patients"], "enrollment_date")
        _, last = _extremes(raw["visits"], "date")
        return round(float(max((last - first).days, 1)) / DAYS_PER_YEAR, 2)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, pa.ArrowException):
        return 0.0  # the table at fault is named when it is read


def _extremes(source: TableSource, name: str) -> tuple[Any, Any]:
    with open_source(source, [], columns=[name]) as opened:
        batches = opened.batches() if opened else ()
        parts = [pc.min_max(batch[name]).as_py() for batch in batches if len(batch)]
    return min(part["min"] for part in parts), max(part["max"] for part in parts)


def _row_count(source: TableSource | None) -> int:
    if source is None:
        return 0
    with open_source(source, []) as opened:
        return opened.n_rows if opened else 0


def run_start(tables: ResultTables | RunTables) -> datetime:
    """Return the run's start: the earliest enrolment, in UTC."""
    start: datetime = pc.min(tables.patients["enrollment_date"]).as_py()
    return start.replace(tzinfo=UTC)


class VisitedPatients:
    """Counts patients with visits, and what of them stands in a run's headline."""

    def __init__(self) -> None:
        self.n_patients = 0
        self._n_visited = 0
        self._sum_of_final_vision = 0

    def add(self, patients: pa.Table, visits: pa.Table) -> None:
        """Take a range of patients and all their visits."""
        visited = np.zeros(patients.num_rows, np.bool_)
        for chunk in visits["patient_id"].chunks:
            visited[chunk.indices.to_numpy()] = True
        self.n_patients += patients.num_rows
        self._n_visited += int(np.count_nonzero(visited))
        final_vision = patients["final_vision"].to_numpy()[visited]
        self._sum_of_final_vision += int(final_vision.sum(dtype=np.int64))

    @property
    def n_without(self) -> int:
        """How many patients have no visit."""
        return self.n_patients - self._n_visited

    @property
    def mean_final_vision(self) -> float | None:
        """Mean over patients with visits: what others have is no observation."""
        return self._sum_of_final_vision / self._n_visited if self._n_visited else None


def metadata_of_run(
    run: RunResults,
    stored: StoredObject,
    visited: VisitedPatients,
    *,
    owner: str,
    tags: Iterable[str],
) -> SimulationMetadata:
    """Build the metadata under which a run is registered."""
    details, tables = run.details, run.tables
    patients = tables.patients
    injections = pc.sum(patients["total_injections"]).as_py()
    discontinued = pc.mean(patients["discontinued"]).as_py()
    return SimulationMetadata(
        sim_id=details.sim_id,
        name=details.name or details.sim_id,
        created_at=details.created_at,
        registered_at=datetime.now(UTC),
        last_accessed=None,
        access_count=0,
        n_patients=patients.num_rows,
        n_patients_requested=details.n_patients,
        n_patients_without_visits=visited.n_without,
        n_visits=tables.visits.num_rows,
        duration_years=details.duration_years,
        start_date=run_start(tables),
        protocol_name=details.protocol_name,
        protocol_version=details.protocol_version,
        protocol_digest=protocol_digest(run.documents.get("protocol")),
        engine_type=details.engine_type,
        model_type=details.model_type or _model_of_protocol(run.documents.get("protocol")),
        seed=details.seed,
        runtime_seconds=details.runtime_seconds,
        file_size_mb=round(stored.size_bytes / 1e6, 3),
        checksum=stored.digest,
        tags=_unique_tags([*details.tags, *tags]),
        notes=details.origin.notes,
        owner=owner,
        visibility="private",
        source=Source.LINKED if stored.is_linked else details.origin.source,
        status=Status.AVAILABLE,
        is_pinned=False,
        revision=1,
        schema_version=METADATA_SCHEMA_VERSION,
        parent=details.origin.parent,
        has_costs=tables.costs is not None,
        has_resources=tables.resources is not None,
        headline=Headline(
            mean_final_vision=visited.mean_final_vision,
            total_injections=int(injections or 0),
            discontinuation_rate=discontinued,
        ),
    )


def _model_of_protocol(protocol: Any) -> str | None:
    """Return the model type of a protocol: the metadata inside packages leaves it out."""
    value = protocol.get("model_type") if isinstance(protocol, Mapping) else None
    return value if isinstance(value, str) else None


def _unique_tags(tags: Iterable[str]) -> tuple[str, ...]:
    unique = {tag.casefold(): tag for tag in map(normalise_tag, tags)}
    return tuple(sorted(unique.values(), key=str.casefold))
