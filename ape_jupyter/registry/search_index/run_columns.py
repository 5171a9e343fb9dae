"""Fields of all runs as arrays: to count by them, databases need a second for 100,000 runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray

from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.registry.search_index.tables import parameter_paths, parameters

__all__ = ["NumberColumn", "RunColumns", "TextColumn"]

_column = simulations.c


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Texts of runs; a run can have several, or none.

    Attributes
    ----------
    runs : ndarray of int, shape (n,)
        For each text of a run, which run.
    codes : ndarray of int, shape (n,)
        Which of the ``labels``.
    """

    runs: NDArray[np.int64]
    codes: NDArray[np.int64]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """Numbers of runs; a run can have several, or none.

    Attributes
    ----------
    runs : ndarray of int, shape (n,)
        For each number of a run, which run.
    values : ndarray of int or float, shape (n,)
    """

    runs: NDArray[np.int64]
    values: NDArray[Any]


class RunColumns:
    """What all runs have, at one revision of a registry, read as it is first asked for.

    Threads may share one; each gives a connection of its own, which sees that revision.
    """

    def __init__(self, connection: sa.Connection, revision: int) -> None:
        self.revision = revision
        rows = connection.execute(sa.select(_column.number).order_by(_column.number))
        self.numbers = np.fromiter((number for (number,) in rows.cursor.fetchall()), np.int64)
        self._all = np.arange(len(self.numbers))
        self._fields: dict[str, pa.Array] = {}
        self._reading = threading.Lock()
        self._texts: dict[str, TextColumn] = {}
        self._numbers: dict[str, NumberColumn] = {}

    def are_found(self, connection: sa.Connection, condition: Any) -> NDArray[np.bool_]:
        """Return for each run whether a condition on ``simulations`` holds."""
        result = connection.execute(sa.select(_column.number).where(condition))
        found = np.fromiter((number for (number,) in result.cursor.fetchall()), np.int64)
        mask = np.zeros(len(self.numbers), bool)
        mask[np.searchsorted(self.numbers, found)] = True
        return mask

    def read(self, connection: sa.Connection, names: Iterable[str]) -> None:
        """Make sure that fields are there, in one pass over the runs."""
        with self._reading:
            missing = sorted(set(names) - self._fields.keys())
            if missing:
                query = sa.select(*(_column[name] for name in missing)).order_by(_column.number)
                rows = connection.execute(query).cursor.fetchall()
                values = zip(*rows, strict=True) if rows else ((),) * len(missing)
                self._fields.update(zip(missing, map(pa.array, values), strict=True))

    def texts(self, name: str) -> TextColumn:
        """Return a field that was read as texts; no text is none."""
        return self._text_column(name, lambda field: field)

    def truths(self, name: str) -> TextColumn:
        """Return a field that was read as ``true`` or ``false``."""
        return self._text_column(name, lambda field: pc.if_else(_as_bool(field), "true", "false"))

    def years(self, name: str) -> TextColumn:
        """Return the years of a time that was read."""
        return self._text_column(name, lambda field: pc.utf8_slice_codeunits(field, 0, 4))

    def numbers_of(self, name: str) -> NumberColumn:
        """Return a field that was read as numbers."""
        with self._reading:
            if name not in self._numbers:
                self._numbers[name] = _number_column(self._all, self._fields[name])
            return self._numbers[name]

    def _text_column(self, name: str, texts_of: Callable[[pa.Array], pa.Array]) -> TextColumn:
        with self._reading:
            if name not in self._texts:
                field = self._fields[name]
                texts = field if pa.types.is_null(field.type) else texts_of(field)
                self._texts[name] = _text_column(self._all, texts)
            return self._texts[name]

    def tags(self, connection: sa.Connection) -> TextColumn:
        """Return the tags; of the spellings in use, the first in order stands for all."""
        with self._reading:
            if "" not in self._texts:
                spelling = sa.select(tags.c.tag_key, sa.func.min(tags.c.tag).label("tag"))
                spelling_of = spelling.group_by(tags.c.tag_key).subquery()
                query = sa.select(tags.c.number, spelling_of.c.tag).join_from(
                    tags, spelling_of, tags.c.tag_key == spelling_of.c.tag_key
                )
                self._texts[""] = _text_column(*self._read(connection, query))
            return self._texts[""]

    def parameter(self, connection: sa.Connection, path: str) -> tuple[NumberColumn, TextColumn]:
        """Return a parameter as numbers, where its values are some, and as texts."""
        with self._reading:
            if path not in self._numbers:
                of_path = sa.select(parameter_paths.c.path_id).where(parameter_paths.c.path == path)
                here = parameters.c.path_id == of_path.scalar_subquery()
                values = sa.select(parameters.c.number, parameters.c.value).where(here)
                texts = sa.select(parameters.c.number, parameters.c.text).where(here)
                self._texts[path] = _text_column(*self._read(connection, texts))
                self._numbers[path] = _number_column(*self._read(connection, values))
            return self._numbers[path], self._texts[path]

    def _read(self, connection: sa.Connection, query: Any) -> tuple[NDArray[np.int64], pa.Array]:
        rows = connection.execute(query).cursor.fetchall()
        numbers, values = zip(*rows, strict=True) if rows else ((), ())
        return np.searchsorted(self.numbers, np.array(numbers, np.int64)), pa.array(values)


def _as_bool(field: pa.Array) -> pa.Array:
    return field.cast(pa.bool_())  # SQLite has numbers


def _text_column(runs: NDArray[np.int64], values: pa.Array) -> TextColumn:
    texts = values.cast(pa.string())
    has_text = pc.fill_null(pc.not_equal(texts, ""), False)
    encoded = texts.filter(has_text).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    mask = has_text.to_numpy(zero_copy_only=False)
    return TextColumn(runs[mask], codes, tuple(encoded.dictionary.to_pylist()))


def _number_column(runs: NDArray[np.int64], values: pa.Array) -> NumberColumn:
    mask = values.is_valid().to_numpy(zero_copy_only=False)
    present = values.drop_null()
    if pa.types.is_null(present.type):
        present = present.cast(pa.float64())
    return NumberColumn(runs[mask], present.to_numpy(zero_copy_only=False))
