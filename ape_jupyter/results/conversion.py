"""Raw batches of one table in, checked batches of canonical types out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.results.casting import (
    Vocabulary,
    cast,
    describe,
    disease_states,
    plain_type,
)
from ape_jupyter.results.patient_rows import PatientRows
from ape_jupyter.results.schema import (
    CATEGORY,
    DISEASE_STATE,
    DISEASE_STATES,
    ColumnSpec,
    TableSpec,
)
from ape_jupyter.results.tally import NOT_TEXT, FaultTally

__all__ = ["BatchConversion"]

PATIENT_ID = "patient_id"
UNKNOWN_PATIENTS = "patients are not in the patients table"


@dataclass(frozen=True, slots=True)
class _Column:
    spec: ColumnSpec
    source: int | None
    vocabulary: Vocabulary | None = None

    @property
    def code_type(self) -> pa.DataType:
        type_ = self.spec.type
        return type_.index_type if pa.types.is_dictionary(type_) else type_


class BatchConversion:
    """Converts the batches of a table and counts their faults.

    Between :meth:`convert` and :meth:`finish`, columns of categories are plain codes: their
    dictionaries are only known, or sorted, when all batches have passed.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of the raw batches.
    patients : PatientRows or None
        By which ``patient_id`` of visits and costs is encoded; None leaves it unencoded,
        because the patients table is at fault or is this table.
    """

    def __init__(
        self, spec: TableSpec, schema: pa.Schema, patients: PatientRows | None = None
    ) -> None:
        self._patients = patients
        self.tally = FaultTally(spec.name)
        self._columns = self._match(spec, schema)
        self.schema = pa.schema([(c.spec.name, c.code_type) for c in self._columns])

    def _match(self, table: TableSpec, schema: pa.Schema) -> list[_Column]:
        names = schema.names
        columns = []
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.tally.unreadable(name, "is there more than once")
        for spec in table.columns:
            if spec.name in names:
                columns.append(self._column(spec, names.index(spec.name)))
            elif spec.required:
                self.tally.unreadable(spec.name, "is missing")
            else:
                columns.append(self._column(spec, None))
        for index, name in enumerate(names):
            is_index = name.startswith("__index_level_")
            if table.column(name) is None and not is_index:
                own = ColumnSpec(
                    name=name,
                    type=table.other_columns or plain_type(schema.types[index]),
                    required=False,
                    nullable=True,
                )
                if own.type is None:
                    problem = f"has type {schema.types[index]}, which a results table can not hold"
                    self.tally.unreadable(name, problem)
                elif not self.tally.is_unreadable(name):
                    columns.append(self._column(own, index))
        return columns

    def _column(self, spec: ColumnSpec, source: int | None) -> _Column:
        is_patient = spec.name == PATIENT_ID and self._patients is not None
        has_words = spec.type == CATEGORY and not is_patient
        return _Column(spec, source, Vocabulary() if has_words else None)

    def convert(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Check and convert a batch; None when the table has shown any fault so far."""
        columns = self.usable(batch)
        if self.tally:
            return None
        return pa.record_batch([columns[name] for name in self.schema.names], schema=self.schema)

    def usable(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """Check a batch and convert those of its columns that can be."""
        columns = {}
        for column in self._columns:
            if column.source is None:
                values = pa.nulls(len(batch), column.code_type)
            else:
                values = self._convert(batch.column(column.source), column)
            if values is not None:
                columns[column.spec.name] = values
        return columns

    def gather(self, batches: Iterable[pa.RecordBatch]) -> pa.Table:
        """Convert a whole table, as far as its columns are usable in every batch."""
        n_batches = 0
        parts: dict[str, list[pa.Array]] = {name: [] for name in self.schema.names}
        for batch in batches:
            n_batches += 1
            for name, values in self.usable(batch).items():
                parts[name].append(values)
        columns = {}
        for field in self.schema:
            # Column by column: of a large table only one is there twice.
            arrays = parts.pop(field.name)
            if len(arrays) == n_batches:
                empty = pa.array([], field.type)
                columns[field.name] = pa.concat_arrays(arrays) if arrays else empty
        return self.finish(pa.table(columns))

    def learn(self, batch: pa.RecordBatch) -> None:
        """Collect the categories of a batch that holds the columns of categories only."""
        for column in self._columns:
            if column.vocabulary is not None and column.spec.name in batch.schema.names:
                column.vocabulary.encode(batch.column(column.spec.name))
                column.vocabulary.sort()

    @property
    def category_columns(self) -> list[str]:
        """Columns whose categories are collected."""
        return [c.spec.name for c in self._columns if c.vocabulary and c.source is not None]

    def finish(self, table: pa.Table) -> pa.Table:
        """Turn columns of codes into columns of categories."""
        return pa.table(
            {
                c.spec.name: self._finished(table[c.spec.name], c)
                for c in self._columns
                if c.spec.name in table.column_names
            }
        )

    def _finished(self, codes: pa.ChunkedArray, column: _Column) -> pa.ChunkedArray:
        if not pa.types.is_dictionary(column.spec.type):
            return codes
        parts = []
        for chunk in codes.chunks:
            if column.vocabulary is not None:
                parts.append(column.vocabulary.sorted_column(chunk))
            elif column.spec.type == DISEASE_STATE:
                parts.append(pa.DictionaryArray.from_arrays(chunk, pa.array(DISEASE_STATES)))
            elif self._patients is not None:
                parts.append(pa.DictionaryArray.from_arrays(chunk, self._patients.ids))
        return pa.chunked_array(parts, column.spec.type)

    def _convert(self, raw: pa.Array, column: _Column) -> pa.Array | None:
        name, type_ = column.spec.name, column.spec.type
        try:
            # Parquet text is not checked on reading; a byte that is not UTF-8 would surface
            # later, in some user's cell.
            raw.validate(full=True)
        except pa.ArrowInvalid:
            self.tally.unreadable(name, NOT_TEXT)
        if self.tally.is_unreadable(name):
            return None
        try:
            values, unknown = self._encode(raw, column)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            self.tally.unreadable(name, f"has type {raw.type}, expected {describe(type_)}")
            return None
        missing = _null_count(raw)
        if not column.spec.nullable and missing:
            self.tally.count("values are missing", name, missing)
        if unknown and type_ == DISEASE_STATE:
            problem = f"values are not one of {', '.join(DISEASE_STATES)}"
            self.tally.count(problem, name, unknown)
        elif unknown:
            self.tally.count(UNKNOWN_PATIENTS, name, unknown)
        self._check_range(values, column.spec)
        return values

    def _encode(self, raw: pa.Array, column: _Column) -> tuple[pa.Array, int]:
        if column.vocabulary is not None:
            return column.vocabulary.encode(raw), 0
        if column.spec.type == DISEASE_STATE:
            states = disease_states(raw)
            return states, states.null_count - _null_count(raw)
        if self._patients is not None and column.spec.name == PATIENT_ID:
            return self._patients.encode(raw)
        return cast(raw, column.spec.type), 0

    def _check_range(self, values: pa.Array, spec: ColumnSpec) -> None:
        if spec.minimum is None or len(values) == values.null_count:
            return
        extremes = pc.min_max(values)
        least, most = extremes["min"].as_py(), extremes["max"].as_py()
        if least >= spec.minimum and (spec.maximum is None or most <= spec.maximum):
            return
        outside = pc.less(values, spec.minimum)
        bounds = f"below {spec.minimum}"
        if spec.maximum is not None:
            outside = pc.or_(outside, pc.greater(values, spec.maximum))
            bounds = f"outside {spec.minimum} to {spec.maximum}"
        self.tally.count(f"values {bounds}", spec.name, pc.sum(outside).as_py())


def _null_count(values: pa.Array) -> int:
    """Count missing values, also those whose code stands for a missing word."""
    if pa.types.is_dictionary(values.type) and values.dictionary.null_count:
        return int(values.cast(values.type.value_type).null_count)
    return int(values.null_count)
