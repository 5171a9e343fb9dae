"""Raw tables in, canonical tables out; every fault is found, none is mended silently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import Fault
from ape_jupyter.results.schema import (
    CATEGORY,
    COSTS,
    DISEASE_STATE,
    DISEASE_STATES,
    PATIENTS,
    RESOURCES,
    TIMESTAMP,
    VISITS,
    ColumnSpec,
    TableSpec,
)

__all__ = ["ResultTables", "canonical_tables"]

_DISEASE_STATE_PREFIX = "DiseaseState."


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTables:
    """The canonical tables of one run.

    Attributes
    ----------
    patients : pyarrow.Table
        Sorted by ``patient_id``.
    visits : pyarrow.Table
        Sorted by patient and ``time_days``; the codes of ``patient_id`` are row numbers of
        ``patients``, so that one patient's visits are found by bisection.
    costs, resources : pyarrow.Table or None
    """

    patients: pa.Table
    visits: pa.Table
    costs: pa.Table | None = None
    resources: pa.Table | None = None

    def items(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield name and table of each table that the run has."""
        for name in ("patients", "visits", "costs", "resources"):
            table = getattr(self, name)
            if table is not None:
                yield name, table


def canonical_tables(raw: dict[str, pa.Table], faults: list[Fault]) -> ResultTables | None:
    """Check raw tables and bring them into canonical types and order.

    Parameters
    ----------
    raw : dict
        Tables by name; ``costs`` and ``resources`` may be absent.
    faults : list of Fault
        Every fault that is found is appended.

    Returns
    -------
    ResultTables or None
        None when any fault was appended.
    """
    before = len(faults)
    columns: dict[str, dict[str, pa.Array]] = {}
    for spec in (PATIENTS, VISITS, COSTS, RESOURCES):
        table = raw.get(spec.name)
        if table is None:
            continue
        if spec is RESOURCES:
            table = _flatten_usage(table)
        if table.num_rows == 0:
            faults.append(Fault(spec.name, "has no rows"))
        columns[spec.name] = _convert(table, spec, faults)

    patients = columns.get("patients", {})
    order = _patient_order(patients, faults)
    ids = patients["patient_id"].take(order) if order is not None else None
    sortings: dict[str, tuple[pa.Array, np.ndarray[Any, Any]]] = {}
    for name, time_column in (("visits", "time_days"), ("costs", "date")):
        if ids is None or name not in columns:
            continue
        sorting = _patient_and_time_order(name, columns[name], time_column, ids, faults)
        if sorting is not None:
            sortings[name] = sorting
    if len(faults) > before or order is None or "visits" not in sortings:
        return None

    result = {"patients": _table(patients, order)}
    for name, (codes, rows) in sortings.items():
        result[name] = _table({**columns[name], "patient_id": codes}, rows)
    if "resources" in columns:
        resources = columns["resources"]
        result["resources"] = _table(resources, pc.sort_indices(resources["date"]))
    return ResultTables(**result)


def _table(columns: dict[str, pa.Array], order: Any) -> pa.Table:
    indices = pa.array(order)
    table = pa.table({name: column.take(indices) for name, column in columns.items()})
    return table.combine_chunks()


def _flatten_usage(table: pa.Table) -> pa.Table:
    """Turn APE's ``usage`` struct (role to count) into one column for each role."""
    if "usage" not in table.column_names or not pa.types.is_struct(table["usage"].type):
        return table
    usage = table["usage"].combine_chunks()
    kept = {name: table[name] for name in table.column_names if name != "usage"}
    roles = {usage.type.field(i).name: usage.field(i) for i in range(usage.type.num_fields)}
    return pa.table({**kept, **{name: roles[name] for name in roles if name not in kept}})


def _convert(table: pa.Table, spec: TableSpec, faults: list[Fault]) -> dict[str, pa.Array]:
    result: dict[str, pa.Array] = {}
    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.append(Fault(spec.name, "is there more than once", name))
    for column in spec.columns:
        if column.name not in names:
            if column.required:
                faults.append(Fault(spec.name, "is missing", column.name))
            else:
                result[column.name] = _nulls(table.num_rows, column.type)
        elif names.count(column.name) == 1:
            values = _convert_column(table[column.name], column, spec.name, faults)
            if values is not None:
                result[column.name] = values
    for name in names:
        if spec.column(name) is None and names.count(name) == 1:
            own = ColumnSpec(
                name=name,
                type=spec.other_columns or _plain_type(table[name].type),
                required=False,
                nullable=True,
            )
            values = _convert_column(table[name], own, spec.name, faults)
            if values is not None:
                result[name] = values
    return result


def _nulls(length: int, type_: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(type_):
        empty = pa.array([], type_.value_type)
        return pa.DictionaryArray.from_arrays(pa.nulls(length, type_.index_type), empty)
    return pa.nulls(length, type_)


def _plain_type(type_: pa.DataType) -> pa.DataType | None:
    """Canonical type for a column of the run's own; None where no table can hold it."""
    if pa.types.is_dictionary(type_):
        return CATEGORY if _is_text(type_.value_type) else _plain_type(type_.value_type)
    if _is_text(type_):
        return pa.string()
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        return TIMESTAMP
    if pa.types.is_decimal(type_) or pa.types.is_float16(type_):
        return pa.float64()
    if (
        pa.types.is_integer(type_)
        or pa.types.is_floating(type_)
        or pa.types.is_boolean(type_)
        or pa.types.is_null(type_)
    ):
        return type_ if not pa.types.is_null(type_) else pa.string()
    return None


def _is_text(type_: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or type_ == pa.string_view()
    )


def _convert_column(
    column: pa.ChunkedArray, spec: ColumnSpec, file: str, faults: list[Fault]
) -> pa.Array | None:
    try:
        # Parquet text is not checked on reading; a byte that is not UTF-8 would surface later,
        # in some user's cell.
        column.validate(full=True)
    except pa.ArrowInvalid:
        faults.append(Fault(file, "holds text that is not UTF-8, or is damaged", spec.name))
        return None
    if spec.type is None:
        problem = f"has type {column.type}, which a results table can not hold"
        faults.append(Fault(file, problem, spec.name))
        return None
    try:
        values = _cast(column, spec.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        problem = f"has type {column.type}, expected {_describe(spec.type)}"
        faults.append(Fault(file, problem, spec.name))
        return None
    if not spec.nullable and column.null_count:
        faults.append(Fault(file, "values are missing", spec.name, column.null_count))
    unknown = values.null_count - column.null_count
    if spec.type == DISEASE_STATE and unknown:
        problem = f"values are not one of {', '.join(DISEASE_STATES)}"
        faults.append(Fault(file, problem, spec.name, unknown))
    _check_range(values, spec, file, faults)
    return values


def _describe(type_: pa.DataType) -> str:
    return "text" if pa.types.is_dictionary(type_) or _is_text(type_) else str(type_)


def _check_range(values: pa.Array, spec: ColumnSpec, file: str, faults: list[Fault]) -> None:
    if spec.minimum is None or len(values) == values.null_count:
        return
    outside = pc.less(values, spec.minimum)
    bounds = f"below {spec.minimum}"
    if spec.maximum is not None:
        outside = pc.or_(outside, pc.greater(values, spec.maximum))
        bounds = f"outside {spec.minimum} to {spec.maximum}"
    count = pc.sum(outside).as_py() or 0
    if count:
        faults.append(Fault(file, f"values {bounds}", spec.name, count))


def _cast(column: pa.ChunkedArray, type_: pa.DataType) -> pa.Array:
    source = column.type
    if pa.types.is_dictionary(source) and type_ != source:
        column = column.cast(source.value_type)
        source = column.type
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    if pa.types.is_null(source):
        return _nulls(len(values), type_)
    if type_ == DISEASE_STATE:
        return _disease_states(values)
    if type_ == CATEGORY:
        return _category(values)
    if type_ == pa.string():
        if not _is_text(source):
            raise pa.ArrowTypeError("not text")
        return values.cast(pa.string())
    if type_ == TIMESTAMP:
        return _timestamps(values)
    if pa.types.is_boolean(type_) != pa.types.is_boolean(source):
        raise pa.ArrowTypeError("not boolean")
    if _is_text(source) or pa.types.is_temporal(source):
        raise pa.ArrowTypeError("not a number")
    if pa.types.is_floating(source) and pa.types.is_integer(type_):
        # pandas turns whole numbers with gaps into floats, and gaps into NaN.
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, source), values)
    return values.cast(type_)


def _timestamps(values: pa.Array) -> pa.Array:
    source = values.type
    if _is_text(source):
        return pc.strptime(values, format="%Y-%m-%d", unit="us", error_is_null=False)
    if pa.types.is_date(source):
        return values.cast(TIMESTAMP)
    if not pa.types.is_timestamp(source):
        raise pa.ArrowTypeError("not a date")
    # Nanoseconds below a microsecond are noise of the engine's clock.
    unit = pa.timestamp("us", source.tz)
    return values.cast(unit, safe=False).cast(TIMESTAMP)


def _category(values: pa.Array) -> pa.Array:
    """Encode text with sorted categories, so that equal columns have equal bytes."""
    if not pa.types.is_dictionary(values.type):
        if not _is_text(values.type):
            raise pa.ArrowTypeError("not text")
        values = values.cast(pa.string())
    else:
        values = values.cast(values.type.value_type).cast(pa.string())
    categories = pc.unique(values.drop_null())
    categories = categories.take(pc.sort_indices(categories))
    codes = pc.index_in(values, value_set=categories)
    return pa.DictionaryArray.from_arrays(codes, categories)


def _disease_states(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if not _is_text(values.type):
        raise pa.ArrowTypeError("not text")
    states = pa.array(DISEASE_STATES)
    spelt = pa.array([*DISEASE_STATES, *(_DISEASE_STATE_PREFIX + s for s in DISEASE_STATES)])
    found = pc.index_in(values.cast(pa.string()), value_set=spelt)
    codes = pc.if_else(pc.greater_equal(found, len(states)), pc.subtract(found, len(states)), found)
    return pa.DictionaryArray.from_arrays(codes.cast(pa.int8()), states)


def _patient_order(columns: dict[str, pa.Array], faults: list[Fault]) -> Any | None:
    ids = columns.get("patient_id")
    if ids is None or ids.null_count:
        return None
    order = pc.sort_indices(ids)
    ordered = ids.take(order)
    if len(ordered) > 1:
        repeated = pc.sum(pc.equal(ordered[1:], ordered[:-1])).as_py()
        if repeated:
            faults.append(
                Fault("patients", "the same patient is there again", "patient_id", repeated)
            )
            return None
    return order


def _patient_and_time_order(
    name: str,
    columns: dict[str, pa.Array],
    time_column: str,
    ids: pa.Array,
    faults: list[Fault],
) -> tuple[pa.Array, np.ndarray[Any, Any]] | None:
    if "patient_id" not in columns or time_column not in columns:
        return None
    patient_ids = columns["patient_id"]
    if patient_ids.null_count:
        return None
    # The codes of the source's dictionary mean nothing here: re-encode its few values only.
    known = pc.index_in(patient_ids.dictionary, value_set=ids)
    codes = known.take(patient_ids.indices)
    if codes.null_count:
        problem = "patients are not in the patients table"
        faults.append(Fault(name, problem, "patient_id", codes.null_count))
        return None
    time = columns[time_column]
    if time.null_count:
        return None
    patient_numbers = codes.to_numpy(zero_copy_only=False)
    time_numbers = time.cast(pa.int64()).to_numpy(zero_copy_only=False)
    order = np.lexsort((time_numbers, patient_numbers))
    return pa.DictionaryArray.from_arrays(codes.cast(pa.int32()), ids), order
