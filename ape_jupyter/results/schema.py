"""The canonical tables of a run and what each of their columns must hold."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

__all__ = [
    "COSTS",
    "DISEASE_STATES",
    "PATIENTS",
    "RESOURCES",
    "TABLE_FILES",
    "VISITS",
    "ColumnSpec",
    "TableSpec",
]

DISEASE_STATES = ("NAIVE", "STABLE", "ACTIVE", "HIGHLY_ACTIVE")

CATEGORY = pa.dictionary(pa.int32(), pa.string())
DISEASE_STATE = pa.dictionary(pa.int8(), pa.string())
TIMESTAMP = pa.timestamp("us")


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """A column: its canonical type, and what values are allowed.

    Attributes
    ----------
    required : bool
        A results file without the column is refused; an optional one is filled with nulls.
    nullable : bool
        Whether single values may be missing.
    minimum, maximum : int or None
        Inclusive bounds.
    """

    name: str
    type: pa.DataType
    required: bool = True
    nullable: bool = False
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A table: the columns it must and may have. Further columns of plain types are kept."""

    name: str
    columns: tuple[ColumnSpec, ...]
    other_columns: pa.DataType | None = None

    def column(self, name: str) -> ColumnSpec | None:
        """Return the specification of a column, or None for one of the run's own."""
        return next((spec for spec in self.columns if spec.name == name), None)


def _optional(name: str, type_: pa.DataType) -> ColumnSpec:
    return ColumnSpec(name=name, type=type_, required=False, nullable=True)


# Letters are int16 and not uint8: users subtract them, and an unsigned loss wraps around.
def _letters(name: str) -> ColumnSpec:
    return ColumnSpec(name=name, type=pa.int16(), minimum=0, maximum=100)


def _count(name: str) -> ColumnSpec:
    return ColumnSpec(name=name, type=pa.int32(), minimum=0)


PATIENTS = TableSpec(
    name="patients",
    columns=(
        ColumnSpec(name="patient_id", type=pa.string()),
        ColumnSpec(name="enrollment_date", type=TIMESTAMP),
        _count("enrollment_time_days"),
        _letters("baseline_vision"),
        _letters("final_vision"),
        ColumnSpec(name="final_disease_state", type=DISEASE_STATE),
        _count("total_injections"),
        _count("total_visits"),
        _optional("discontinued", pa.bool_()),
        _optional("discontinuation_time", pa.float64()),
        _optional("discontinuation_type", CATEGORY),
        _optional("discontinuation_reason", CATEGORY),
        _optional("pre_discontinuation_vision", pa.float64()),
        _optional("retreatment_count", pa.int32()),
    ),
)

VISITS = TableSpec(
    name="visits",
    columns=(
        ColumnSpec(name="patient_id", type=CATEGORY),
        ColumnSpec(name="date", type=TIMESTAMP),
        _count("time_days"),
        _letters("vision"),
        ColumnSpec(name="injected", type=pa.bool_()),
        _optional("next_interval_days", pa.int32()),
        ColumnSpec(name="disease_state", type=DISEASE_STATE),
    ),
)

COSTS = TableSpec(
    name="costs",
    columns=(
        ColumnSpec(name="patient_id", type=CATEGORY),
        ColumnSpec(name="date", type=TIMESTAMP),
        _optional("visit_type", CATEGORY),
        _optional("injection_given", pa.bool_()),
        _optional("oct_performed", pa.bool_()),
        ColumnSpec(name="total_cost", type=pa.float64()),
    ),
    other_columns=pa.float64(),
)

RESOURCES = TableSpec(
    name="resources",
    columns=(ColumnSpec(name="date", type=TIMESTAMP),),
    other_columns=pa.int32(),
)

TABLE_FILES = {
    "patients": "patients.parquet",
    "visits": "visits.parquet",
    "costs": "visits_with_costs.parquet",
    "resources": "daily_resource_usage.parquet",
}
"""The names that APE gives the tables."""
