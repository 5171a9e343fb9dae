"""The runs of the demonstration library."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ape_jupyter.demo.protocols import (
    EIGHT_WEEK_MINIMUM,
    FIXED_Q8W,
    PRN,
    TREAT_AND_EXTEND,
    TreatmentProtocol,
)
from ape_jupyter.demo.spec import RunSpec

__all__ = ["CATALOGUE", "DemoRun"]

_NEWEST = datetime(2026, 6, 26, 15, 42, 7, 318_000, tzinfo=UTC)
_BETWEEN_RUNS = timedelta(days=4, hours=5, minutes=17, seconds=23)


@dataclass(frozen=True, slots=True)
class DemoRun:
    """A run and the tags it gets."""

    spec: RunSpec
    tags: tuple[str, ...]


class _Writer:
    """Collects runs, each older than the one before it."""

    def __init__(self) -> None:
        self.runs: list[DemoRun] = []

    def add(
        self,
        name: str,
        protocol: TreatmentProtocol,
        n_patients: int,
        duration_years: float,
        seed: int,
        *tags: str,
        **spec: Any,
    ) -> None:
        run = RunSpec(
            memorable_name=name,
            protocol=protocol,
            n_patients=n_patients,
            duration_years=duration_years,
            seed=seed,
            **{"created_at": _NEWEST - len(self.runs) * _BETWEEN_RUNS, **spec},
        )
        self.runs.append(DemoRun(run, ("demo", *tags)))


def _catalogue() -> tuple[DemoRun, ...]:
    write = _Writer()
    add = write.add
    visit: dict[str, Any] = {"model_type": "visit_based"}
    discrete: dict[str, Any] = {**visit, "engine_type": "des"}
    legacy = {
        "schema_version": "1.0.0",
        "timestamp_has_zone": False,
        "created_at": datetime(2024, 11, 4, 8, 12, 55, 90_000, tzinfo=UTC),
    }
    # Three protocols on the same patients come first: the notebooks compare them, and any
    # beginning of the list is a library that they can be run on.
    add("quiet-harbour", TREAT_AND_EXTEND, 2_000, 5, 11, "baseline")
    add("amber-meadow", FIXED_Q8W, 2_000, 5, 11, "baseline")
    add("copper-lantern", EIGHT_WEEK_MINIMUM, 2_000, 5, 11, "baseline", "costs", with_costs=True)
    add("silver-heron", PRN, 500, 3, 21, **discrete)
    add("tidal-garden", TREAT_AND_EXTEND, 400, 2, 22, "costs", with_costs=True, **visit)
    add("old-orchard", TREAT_AND_EXTEND, 200, 2, 5, "legacy", **legacy)
    add("first-swallow", TREAT_AND_EXTEND, 1_000, 3, 101, "replicates")
    add("second-swallow", TREAT_AND_EXTEND, 1_000, 3, 102, "replicates")
    add("third-swallow", TREAT_AND_EXTEND, 1_000, 3, 103, "replicates")
    add("misty-quarry", PRN, 800, 5, 31, "costs", with_costs=True, visit_order="event")
    add("hollow-birch", FIXED_Q8W, 300, 1, 32, **discrete)
    add("bright-pebble", EIGHT_WEEK_MINIMUM, 600, 3, 33, records_next_interval=True, **visit)
    add("plain-thistle", TREAT_AND_EXTEND, 200, 1.5, 34)
    add("slow-comet", TREAT_AND_EXTEND, 5_000, 10, 35, "long-term")
    add("north-ferry", FIXED_Q8W, 10_000, 5, 36, "costs", with_costs=True)
    add("deep-valley", EIGHT_WEEK_MINIMUM, 50_000, 5, 41, "large")
    add("wide-estuary", TREAT_AND_EXTEND, 100_000, 5, 41, "large")
    add("long-causeway", FIXED_Q8W, 100_000, 5, 41, "large")
    return tuple(write.runs)


CATALOGUE = _catalogue()
"""Newest first but for the legacy run, the large ones last."""
