"""Arrays of whatever type into arrays of canonical types."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.results.schema import CATEGORY, DISEASE_STATE, DISEASE_STATES, TIMESTAMP

__all__ = ["Vocabulary", "cast", "describe", "disease_states", "distinct", "is_text", "plain_type"]

_DISEASE_STATE_PREFIX = "DiseaseState."


def is_text(type_: pa.DataType) -> bool:
    """Tell whether a type is one of Arrow's kinds of text."""
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or type_ == pa.string_view()
    )


def describe(type_: pa.DataType) -> str:
    """Name a canonical type in a message."""
    return "text" if pa.types.is_dictionary(type_) or is_text(type_) else str(type_)


def plain_type(type_: pa.DataType) -> pa.DataType | None:
    """Canonical type for a column of the run's own; None where no table can hold it."""
    if pa.types.is_dictionary(type_):
        return CATEGORY if is_text(type_.value_type) else plain_type(type_.value_type)
    if is_text(type_) or pa.types.is_null(type_):
        return pa.string()
    if pa.types.is_timestamp(type_) or pa.types.is_date(type_):
        return TIMESTAMP
    if pa.types.is_decimal(type_) or pa.types.is_float16(type_):
        return pa.float64()
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_):
        return type_
    return None


def cast(values: pa.Array, type_: pa.DataType) -> pa.Array:
    """Bring values into a canonical type that is not a dictionary.

    Raises
    ------
    pyarrow.ArrowException
        If a value can not be kept as it is.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    source = values.type
    if pa.types.is_null(source):
        return pa.nulls(len(values), type_)
    if type_ == pa.string():
        if not is_text(source):
            raise pa.ArrowTypeError("not text")
        return values.cast(pa.string())
    if type_ == TIMESTAMP:
        return _timestamps(values)
    if pa.types.is_boolean(type_) != pa.types.is_boolean(source):
        raise pa.ArrowTypeError("not boolean")
    if is_text(source) or pa.types.is_temporal(source):
        raise pa.ArrowTypeError("not a number")
    if pa.types.is_floating(source) and pa.types.is_integer(type_):
        # pandas turns whole numbers with gaps into floats, and gaps into NaN.
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, source), values)
    return values.cast(type_)


def _timestamps(values: pa.Array) -> pa.Array:
    source = values.type
    if is_text(source):
        return pc.strptime(values, format="%Y-%m-%d", unit="us", error_is_null=False)
    if pa.types.is_date(source):
        return values.cast(TIMESTAMP)
    if not pa.types.is_timestamp(source):
        raise pa.ArrowTypeError("not a date")
    # Nanoseconds below a microsecond are noise of the engine's clock.
    unit = pa.timestamp("us", source.tz)
    return values.cast(unit, safe=False).cast(TIMESTAMP)


def distinct(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Split text into codes and the texts that they stand for, leaving out unused ones.

    Raises
    ------
    pyarrow.ArrowTypeError
        If the values are not text.
    """
    source = values.type
    if pa.types.is_null(source):
        return pa.nulls(len(values), pa.int32()), pa.array([], pa.string())
    if pa.types.is_dictionary(source):
        source = source.value_type
        if values.dictionary.null_count:
            values = values.cast(source)
    if not is_text(source):
        raise pa.ArrowTypeError("not text")
    if not pa.types.is_dictionary(values.type):
        values = values.dictionary_encode()
        return values.indices, values.dictionary.cast(pa.string())
    # A slice of a larger table still has the dictionary of the whole.
    used = pc.unique(values.indices.drop_null())
    codes = _recoded(values.indices, used, len(values.dictionary))
    return codes, values.dictionary.take(used).cast(pa.string())


def _recoded(codes: pa.Array, used: pa.Array, size: int) -> pa.Array:
    """Renumber codes by their position in ``used``."""
    position = np.zeros(size, np.int32)
    position[used.to_numpy()] = np.arange(len(used), dtype=np.int32)
    return pa.array(position).take(codes)


def disease_states(values: pa.Array) -> pa.Array:
    """Return codes of :data:`DISEASE_STATE`, null where the state is not one of them."""
    codes, states = distinct(values)
    known = pa.array(DISEASE_STATES)
    spelt = pa.array([*DISEASE_STATES, *(_DISEASE_STATE_PREFIX + s for s in DISEASE_STATES)])
    found = pc.index_in(states, value_set=spelt)
    found = pc.if_else(pc.greater_equal(found, len(known)), pc.subtract(found, len(known)), found)
    return found.cast(DISEASE_STATE.index_type).take(codes)


class Vocabulary:
    """The texts of a category column, collected while its batches pass.

    Codes are given in the order of appearance; :meth:`sorted_column` puts the categories in
    order, so that equal columns have equal bytes however they came.
    """

    def __init__(self) -> None:
        self._texts: pa.Array = pa.array([], pa.string())

    def encode(self, values: pa.Array) -> pa.Array:
        """Return the codes of a batch, learning texts that are new."""
        codes, texts = distinct(values)
        if len(texts) == 0:
            return codes.cast(pa.int32())
        found = pc.index_in(texts, value_set=self._texts)
        if found.null_count:
            new = texts.filter(found.is_null())
            # Decoding a dictionary can give one text twice.
            self._texts = pa.concat_arrays([self._texts, new.unique()])
            found = pc.index_in(texts, value_set=self._texts)
        return found.take(codes)

    def sorted_column(self, codes: Any) -> Any:
        """Turn codes, an array or a chunked one, into the column of sorted categories."""
        order = pc.sort_indices(self._texts)
        rank = np.empty(len(order), np.int32)
        rank[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
        if len(rank):
            codes = pa.array(rank).take(codes)
        texts = self._texts.take(order)
        return pa.DictionaryArray.from_arrays(codes, texts)

    def sort(self) -> None:
        """Give the codes of what is known in the order of the texts from now on."""
        self._texts = self._texts.take(pc.sort_indices(self._texts))
