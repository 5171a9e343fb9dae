"""The metadata of a run: always at hand, never large."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "METADATA_SCHEMA_VERSION",
    "Headline",
    "SimulationMetadata",
    "Source",
    "Status",
    "is_valid_sim_id",
]

METADATA_SCHEMA_VERSION = "2.0.0"

_SIM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_valid_sim_id(text: str) -> bool:
    """Tell whether ``text`` can name a run: no separators, so it is safe in paths and URLs."""
    return _SIM_ID.fullmatch(text) is not None


class Source(StrEnum):
    """How a run came into the library."""

    REGISTERED = "registered"
    IMPORTED = "imported"
    LINKED = "linked"


class Status(StrEnum):
    """What can be done with a run."""

    AVAILABLE = "available"
    QUARANTINED = "quarantined"
    TRASHED = "trashed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The three figures people ask for first.

    Attributes
    ----------
    mean_final_vision : float or None
        ETDRS letters, over the patients with at least one visit, as APE counts it;
        None when no patient has one.
    total_injections : int
        Over all patients.
    discontinuation_rate : float or None
        Share of patients, 0 to 1; None when the results do not say.
    """

    mean_final_vision: float | None
    total_injections: int
    discontinuation_rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationMetadata:
    """One run as the registry knows it. Times are aware and in UTC.

    Attributes
    ----------
    n_patients : int
        Rows of the patients table.
    n_patients_requested : int
        What the engine was asked for; enrolment is random, so it can be more than came.
    n_patients_without_visits : int
        Patients who never came to a visit; their final vision is not an observation.
    start_date : datetime
        The earliest enrolment.
    checksum : str
        sha256 of the result set, the name of its object.
    revision : int
        Grows by one with every change of this metadata.
    """

    sim_id: str
    name: str
    created_at: datetime
    registered_at: datetime
    last_accessed: datetime | None
    access_count: int
    n_patients: int
    n_patients_requested: int
    n_patients_without_visits: int
    n_visits: int
    duration_years: float
    start_date: datetime
    protocol_name: str
    protocol_version: str
    protocol_digest: str
    engine_type: str
    model_type: str | None
    seed: int | None
    runtime_seconds: float | None
    file_size_mb: float
    checksum: str
    tags: tuple[str, ...]
    notes: str
    owner: str
    visibility: str
    source: Source
    status: Status
    is_pinned: bool
    revision: int
    schema_version: str
    parent: str | None
    has_costs: bool
    has_resources: bool
    headline: Headline
