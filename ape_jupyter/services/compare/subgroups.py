"""Patients in parts, by what they have in one column of their table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import PatientGrouping
from ape_jupyter.services.compare.runs import ComparedRun

__all__ = [
    "Population",
    "grouped",
    "grouping_mapping",
    "levels_of_runs",
    "patient_groupings",
]

MAX_LEVELS = 12
"""More subgroups than this nobody reads, and each more makes all tests together less sensitive."""

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The same part of the patients of several runs.

    Attributes
    ----------
    by, subgroup : str
        The column and what these patients have there; both empty for all patients.
    runs : tuple of ComparedRun
        Those that have the column.
    """

    by: str = ""
    subgroup: str = ""
    runs: tuple[ComparedRun, ...]


def patient_groupings(
    subgroups: str | Sequence[str] | Mapping[str, Any] | Sequence[PatientGrouping] | None,
) -> tuple[PatientGrouping, ...]:
    """Read by what patients are to be parted.

    Parameters
    ----------
    subgroups : str, sequence or mapping, optional
        One column, several, or columns with their cut points; a column without cut points is
        parted by its values.

    Raises
    ------
    InvalidArgumentError
        For cut points that are no ascending numbers.
    """
    if subgroups is None:
        return ()
    if isinstance(subgroups, str):
        subgroups = [subgroups]
    items: Iterable[Any] = subgroups.items() if isinstance(subgroups, Mapping) else subgroups
    groupings = [_grouping(item) for item in items]
    if len({grouping.column for grouping in groupings}) < len(groupings):
        raise InvalidArgumentError("A column can make subgroups only once.")
    return tuple(groupings)


def _grouping(item: Any) -> PatientGrouping:
    column: Any
    cuts: Any
    if isinstance(item, PatientGrouping):
        column, cuts = item.column, list(item.cuts)
    elif isinstance(item, tuple):
        column, cuts = item[0], [] if item[1] is None else item[1]
    else:
        column, cuts = item, []
    if isinstance(cuts, int | float) and not isinstance(cuts, bool):
        cuts = [cuts]
    are_numbers = isinstance(cuts, list | tuple) and all(
        isinstance(cut, int | float) and not isinstance(cut, bool) for cut in cuts
    )
    if not isinstance(column, str) or not are_numbers or list(cuts) != sorted({*cuts}):
        raise InvalidArgumentError(
            f"Subgroups are named by a column, or a column with ascending cut points such as "
            f"{{'baseline_vision': [50, 70]}}, not {item!r}."
        )
    if len(cuts) >= MAX_LEVELS:
        raise InvalidArgumentError(f"{column} can have at most {MAX_LEVELS - 1} cut points.")
    return PatientGrouping(column=column, cuts=tuple(map(float, cuts)))


def grouping_mapping(groupings: Sequence[PatientGrouping]) -> dict[str, list[float]]:
    """Return the mapping that asks for the same, and that JSON does not change."""
    return {grouping.column: list(grouping.cuts) for grouping in groupings}


def levels_of_runs(
    grouping: PatientGrouping, columns: Mapping[str, pa.ChunkedArray | None]
) -> tuple[str, ...]:
    """Return the subgroups that any of the runs has, in order.

    Parameters
    ----------
    columns : mapping
        By run; None for one whose patients do not have the column.

    Raises
    ------
    InvalidArgumentError
        If no run has the column, it has too many values, or cut points are given for text.
    """
    known = [column for column in columns.values() if column is not None]
    name = grouping.column
    if not known:
        raise InvalidArgumentError(f"No run's patients have a column {name!r} to part them by.")
    if grouping.cuts:
        if not all(map(_is_numeric, known)):
            raise InvalidArgumentError(f"{name} has no order, so it can not be cut.")
        return _labels(grouping.cuts)
    values = {value for column in known for value in pc.unique(column).to_pylist()} - {None}
    if len(values) > MAX_LEVELS:
        advice = "give cut points, as in {" + f"{name!r}: [50, 70]" + "}"
        raise InvalidArgumentError(
            f"{name} has {len(values)} values, and {MAX_LEVELS} subgroups are the most: {advice}."
        )
    return tuple(dict.fromkeys(_text(value) for value in sorted(values, key=_order)))


def grouped(
    grouping: PatientGrouping, levels: Sequence[str], column: pa.ChunkedArray
) -> Iterator[tuple[str, _Mask]]:
    """Yield each subgroup that has patients, with which they are; NaN and null are in none."""
    if grouping.cuts:
        numbers = np.asarray(column.cast(pa.float64()).fill_null(np.nan).to_numpy(), float)
        position = np.searchsorted(grouping.cuts, numbers, side="right")
        position[np.isnan(numbers)] = -1
    else:
        encoded = column.combine_chunks().dictionary_encode()
        encoded = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
        places = {level: place for place, level in enumerate(levels)}
        names = encoded.dictionary.to_pylist()
        place_of = np.array([places[_text(name)] for name in names] + [-1], np.int64)
        codes = encoded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
        position = place_of[codes]
    for place, level in enumerate(levels):
        chosen = position == place
        if chosen.any():
            yield level, chosen


def _labels(cuts: Sequence[float]) -> tuple[str, ...]:
    between = [f"{low:g} to below {high:g}" for low, high in pairwise(cuts)]
    return (f"below {cuts[0]:g}", *between, f"{cuts[-1]:g} and above")


def _is_numeric(column: pa.ChunkedArray) -> bool:
    type_ = column.type
    return bool(
        pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_null(type_)
    )


def _text(value: Any) -> str:
    # 1 and 1.0 are one subgroup, in whichever runs.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _order(value: Any) -> tuple[int, float, str]:
    is_number = isinstance(value, int | float)
    return (0, float(value), "") if is_number else (1, 0.0, str(value))
