"""What a demonstration run is to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from ape_jupyter.demo.protocols import TREAT_AND_EXTEND, TreatmentProtocol

__all__ = ["DAYS_PER_YEAR", "RunSpec"]

DAYS_PER_YEAR = 365.25
_DURATION_YEARS = (0.1, 50.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """A run, completely stated: equal specifications give equal files.

    Attributes
    ----------
    n_patients : int
        How many are asked for; enrolment is random, so fewer may come.
    schema_version : {"1.0.0", "1.5.0"}
        ``"1.0.0"`` writes files as older engines did: metadata without ``memorable_name``
        and ``model_type``, a patients table without the columns on discontinuation.
    timestamp_has_zone : bool
        Whether the time in ``metadata.json`` says its zone.
    visit_order : {"patient", "event"}
        Order of the visits before they are sorted within chunks of 5,000 rows. By patient
        nearly everything ends up sorted; by event (date) each patient is spread over the file.
    records_next_interval : bool
        Whether ``next_interval_days`` has values; else its column has the type ``null``.
    """

    protocol: TreatmentProtocol = TREAT_AND_EXTEND
    engine_type: Literal["abs", "des"] = "abs"
    model_type: Literal["visit_based", "time_based"] = "time_based"
    n_patients: int = 200
    duration_years: float = 2.0
    seed: int = 1
    start_date: date = date(2024, 1, 1)
    created_at: datetime = datetime(2026, 5, 4, 9, 30, 12, 250_000, tzinfo=UTC)
    memorable_name: str = "quiet-harbour"
    with_costs: bool = False
    schema_version: Literal["1.0.0", "1.5.0"] = "1.5.0"
    timestamp_has_zone: bool = True
    visit_order: Literal["patient", "event"] = "patient"
    records_next_interval: bool = False

    def __post_init__(self) -> None:
        if self.n_patients < 1:
            raise ValueError(f"n_patients is {self.n_patients}, at least 1 is needed")
        shortest, longest = _DURATION_YEARS
        if not shortest <= self.duration_years <= longest:
            raise ValueError(
                f"duration_years is {self.duration_years}, allowed are {shortest} to {longest}"
            )
        if self.created_at.tzinfo is None:
            raise ValueError("created_at needs a time zone")

    @property
    def duration_days(self) -> int:
        """Length of the run."""
        return round(self.duration_years * DAYS_PER_YEAR)

    @property
    def sim_id(self) -> str:
        """Id of the run, and name of its directory."""
        years, hundredths = divmod(round(self.duration_years * 100), 100)
        stamp = self.created_at.astimezone(UTC).strftime("%Y%m%d_%H%M%S")
        return f"sim_{stamp}_{years:02d}-{hundredths:02d}_{self.memorable_name}"

    @property
    def timestamp(self) -> str:
        """When the run was made, as ``metadata.json`` spells it."""
        moment = self.created_at.astimezone(UTC)
        if not self.timestamp_has_zone:
            moment = moment.replace(tzinfo=None)
        return moment.isoformat()

    @property
    def runtime_seconds(self) -> float:
        """What an engine that works patient by patient would have needed, roughly."""
        return round(0.02 + self.n_patients * self.duration_years * 1.7e-4, 6)
