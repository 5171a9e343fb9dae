"""Some of a run's patients: chosen by criteria, and summarised like a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import PatientCriterion
from ape_jupyter.results.summary import Summary, SummaryBuilder

__all__ = ["chosen_patients", "criteria_mapping", "patient_criteria", "summary_of_patients"]

_RANGE_LENGTH = 2

# Filtering a column reads all of it, so only those that summaries are made of are filtered.
_PATIENT_COLUMNS = (
    "patient_id",
    "enrollment_date",
    "enrollment_time_days",
    "baseline_vision",
    "discontinued",
    "discontinuation_time",
    "discontinuation_type",
)
_VISIT_COLUMNS = (
    "patient_id",
    "date",
    "time_days",
    "vision",
    "injected",
    "next_interval_days",
    "disease_state",
)
_NOT_COSTS = ("visit_type", "injection_given", "oct_performed")


def patient_criteria(
    patients: Mapping[str, Any] | Sequence[PatientCriterion] | None,
) -> tuple[PatientCriterion, ...]:
    """Read what patients are asked for, by column of the patients table.

    Parameters
    ----------
    patients : mapping or sequence of PatientCriterion, optional
        In a mapping, a tuple of two numbers is a range with both ends, None for an open one, and
        so is ``{"minimum": …, "maximum": …}``; a list has the values wanted, and anything else is
        the one value wanted.
    """
    if isinstance(patients, Mapping):
        return tuple(_criterion(column, wanted) for column, wanted in patients.items())
    return tuple(patients or ())


def criteria_mapping(criteria: Sequence[PatientCriterion]) -> dict[str, Any]:
    """Return the mapping that asks for the same, and that JSON does not change."""
    return {
        item.column: list(item.values)
        if item.values
        else {"minimum": item.minimum, "maximum": item.maximum}
        for item in criteria
    }


def _criterion(column: str, wanted: Any) -> PatientCriterion:
    if isinstance(wanted, Mapping):
        wanted = wanted.get("minimum"), wanted.get("maximum")
    if isinstance(wanted, tuple):
        ends = [end for end in wanted if end is not None]
        if len(wanted) != _RANGE_LENGTH or not all(_is_number(end) for end in ends) or not ends:
            raise InvalidArgumentError(
                f"A range of {column} is two numbers, None for an open end, not {wanted!r}."
            )
        return PatientCriterion(column=column, minimum=wanted[0], maximum=wanted[1])
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values or not all(isinstance(value, str | int | float) for value in values):
        raise InvalidArgumentError(f"Values of {column} are text or numbers, not {wanted!r}.")
    return PatientCriterion(column=column, values=tuple(map(str, values)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def chosen_patients(
    criteria: Sequence[PatientCriterion], patients: pa.Table
) -> npt.NDArray[np.bool_]:
    """Tell which patients meet all criteria.

    Raises
    ------
    InvalidArgumentError
        If the patients have no such column, or a range is asked of text.
    """
    chosen = np.ones(patients.num_rows, np.bool_)
    for criterion in criteria:
        chosen &= _meets(patients, criterion)
    return chosen


def summary_of_patients(
    chosen: npt.NDArray[np.bool_],
    tables: Mapping[str, pa.Table],
    start_date: datetime,
    duration_years: float,
) -> Summary:
    """Summarise some of the patients of a run.

    A clinic's work is nobody's in particular, so it is not in the summary.

    Parameters
    ----------
    tables : mapping
        ``patients``, ``visits`` and, where there are any, ``costs``; in canonical form. Of
        columns that no metric needs nothing is read.
    """
    patients, visits = tables["patients"], tables["visits"]
    own = patients.select([n for n in _PATIENT_COLUMNS if n in patients.column_names])
    own = own.filter(pa.array(chosen))
    builder = SummaryBuilder(start_date, duration_years)
    needed = visits.select([n for n in _VISIT_COLUMNS if n in visits.column_names])
    builder.add(own, _rows_of(needed, chosen, own))
    if "costs" in tables:
        costs = tables["costs"]
        needed = costs.select([n for n in costs.column_names if n not in _NOT_COSTS])
        builder.add_costs(own, _rows_of(needed, chosen, own))
    return builder.result()


def _meets(patients: pa.Table, criterion: PatientCriterion) -> npt.NDArray[np.bool_]:
    if criterion.column not in patients.column_names:
        known = ", ".join(patients.column_names)
        raise InvalidArgumentError(
            f"The patients have no column {criterion.column!r}. Columns are: {known}."
        )
    column = patients[criterion.column]
    if criterion.values:
        text = column.cast(pa.string())
        found = pc.is_in(text, pa.array(criterion.values))
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            # 70 and 70.0 are one number, whatever they look like as text.
            wanted = [float(value) for value in criterion.values if _reads_as_number(value)]
            found = pc.is_in(column.cast(pa.float64()), pa.array(wanted, pa.float64()))
        return np.asarray(found.to_numpy(), np.bool_)
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        raise InvalidArgumentError(f"{criterion.column} has no order; name its values in a list.")
    numbers = np.asarray(column.cast(pa.float64()).to_numpy(), float)
    low = -np.inf if criterion.minimum is None else criterion.minimum
    high = np.inf if criterion.maximum is None else criterion.maximum
    return np.asarray((numbers >= low) & (numbers <= high))


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _rows_of(table: pa.Table, chosen: npt.NDArray[np.bool_], patients: pa.Table) -> pa.Table:
    """Return the rows of chosen patients, with codes that count these only."""
    codes = np.concatenate(
        [np.empty(0, np.int64), *(c.indices.to_numpy() for c in table["patient_id"].chunks)]
    ).astype(np.int64)
    kept = chosen[codes]
    position = np.cumsum(chosen) - 1
    ids = pa.DictionaryArray.from_arrays(
        pa.array(position[codes[kept]].astype(np.int32)),
        patients["patient_id"].combine_chunks(),
    )
    own = table.filter(pa.array(kept))
    return own.set_column(own.column_names.index("patient_id"), "patient_id", ids)
