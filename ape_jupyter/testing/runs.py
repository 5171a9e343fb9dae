"""Small runs for tests, of the project's own making."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.demo.protocols import FIXED_Q8W, TREAT_AND_EXTEND

__all__ = ["EXAMPLE_NAMES", "example_specs", "write_example_runs"]

EXAMPLE_NAMES = ("quiet-harbour", "amber-field", "north-lantern")


def example_specs() -> list[RunSpec]:
    """Return three runs that differ in protocol, engine, length, files and age."""
    return [
        RunSpec(
            protocol=TREAT_AND_EXTEND,
            n_patients=60,
            seed=1,
            memorable_name=EXAMPLE_NAMES[0],
            created_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        ),
        RunSpec(
            protocol=FIXED_Q8W,
            engine_type="des",
            model_type="visit_based",
            n_patients=80,
            duration_years=3.0,
            seed=2,
            memorable_name=EXAMPLE_NAMES[1],
            created_at=datetime(2026, 4, 2, 10, 0, tzinfo=UTC),
            with_costs=True,
        ),
        RunSpec(
            protocol=TREAT_AND_EXTEND,
            n_patients=50,
            seed=3,
            memorable_name=EXAMPLE_NAMES[2],
            created_at=datetime(2026, 5, 3, 11, 0, tzinfo=UTC),
            schema_version="1.0.0",
            timestamp_has_zone=False,
        ),
    ]


def write_example_runs(directory: Path) -> list[Path]:
    """Write the example runs below ``directory`` and return their results directories."""
    return [write_results(directory, spec) for spec in example_specs()]
