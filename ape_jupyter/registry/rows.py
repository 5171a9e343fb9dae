"""Between the rows of the registry and the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, overload

from ape_jupyter.model.simulation import Headline, SimulationMetadata, Source, Status

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

__all__ = ["StoredRuns", "bindable", "metadata_of", "read_tags", "row_of", "stored_time"]

_TIMES = ("created_at", "registered_at", "last_accessed", "start_date")
_PLAIN = tuple(
    field.name for field in fields(SimulationMetadata) if field.name not in ("tags", "headline")
)
_HEADLINE = tuple(field.name for field in fields(Headline))


def bindable(text: str) -> str:
    """Return text that a database can look for.

    A lone surrogate is text to Python and to no database, a NUL is none to PostgreSQL.
    """
    if not text.isascii():
        text = text.encode(errors="replace").decode()
    return text.replace("\0", "\ufffd")


def stored_time(time: datetime) -> str:
    """Return the fixed-length text by which a time is stored."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def metadata_of(row: Mapping[str, Any] | RowMapping, tags: Iterable[str]) -> SimulationMetadata:
    """Build the metadata of a run from its row and its tags."""
    values = {name: row[name] for name in _PLAIN}
    values.update({name: read(values[name]) for name, read in _READ.items()})
    values.update(
        tags=tuple(sorted(tags, key=str.casefold)),
        headline=Headline(**{name: row[name] for name in _HEADLINE}),
    )
    return SimulationMetadata(**values)


def row_of(metadata: SimulationMetadata) -> dict[str, Any]:
    """Build the row of a run; its tags are rows of their own."""
    row = {name: getattr(metadata, name) for name in _PLAIN}
    row.update({name: getattr(metadata.headline, name) for name in _HEADLINE})
    for name in _TIMES:
        if row[name] is not None:
            row[name] = stored_time(row[name])
    row.update(source=metadata.source.value, status=metadata.status.value)
    return row


def read_tags(joined: str | None) -> tuple[str, ...]:
    """Return the tags of a run, in order, from a text with commas between them."""
    if joined is None:
        return ()
    return tuple(sorted(joined.split(","), key=str.casefold)) if "," in joined else (joined,)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# What the values of a row become; all others stay as they are.
_READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_TIMES, _time),
    # SQLite has no booleans.
    **dict.fromkeys(("is_pinned", "has_costs", "has_resources"), bool),
    "source": {source.value: source for source in Source}.__getitem__,
    "status": {status.value: status for status in Status}.__getitem__,
}


class StoredRuns(Sequence[SimulationMetadata]):
    """Runs as rows, each of which becomes an object when somebody asks for it.

    The objects of a hundred thousand runs take longer to make than their rows to read, and a
    table needs none of them. Threads may share one.

    Parameters
    ----------
    names : sequence of str
        The columns of the rows.
    rows : sequence
        As the driver of the database gives them.
    """

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self._names = names
        self._rows = rows

    def _metadata(self, values: Sequence[Any]) -> SimulationMetadata:
        row = dict(zip(self._names, values, strict=True))
        return metadata_of(row, read_tags(row["tags"]))

    @overload
    def __getitem__(self, index: int) -> SimulationMetadata: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SimulationMetadata, ...]: ...
    def __getitem__(
        self, index: int | slice
    ) -> SimulationMetadata | tuple[SimulationMetadata, ...]:
        if isinstance(index, slice):
            return tuple(map(self._metadata, self._rows[index]))
        return self._metadata(self._rows[index])

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[SimulationMetadata]:
        return map(self._metadata, self._rows)

    def __eq__(self, other: object) -> bool:
        """Compare with another sequence, run by run."""
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as long as it takes to compare

    def columns(self) -> dict[str, list[Any]]:
        """Return the values of each field of the metadata, and of its headline, by name."""
        columns = dict(zip(self._names, zip(*self._rows, strict=True), strict=True))
        values = {
            name: list(map(_READ[name], columns[name])) if name in _READ else list(columns[name])
            for name in (*_PLAIN, *_HEADLINE)
        }
        # A tuple for each run would have the garbage collector look through all of them.
        read = {joined: read_tags(joined) for joined in set(columns["tags"])}
        values["tags"] = [read[joined] for joined in columns["tags"]]
        order = [field.name for field in fields(SimulationMetadata) if field.name != "headline"]
        return {name: values[name] for name in (*order, *_HEADLINE)}
