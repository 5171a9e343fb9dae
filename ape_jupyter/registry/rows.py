"""Between the rows of the registry and the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ape_jupyter.model.simulation import Headline, SimulationMetadata, Source, Status

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

__all__ = ["bindable", "metadata_of", "row_of", "stored_time"]

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
    for name in _TIMES:
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    values.update(
        source=Source(values["source"]),
        status=Status(values["status"]),
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
