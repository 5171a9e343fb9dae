"""Lists of runs that a notebook shows well and pandas takes."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, overload

from ape_jupyter.model.facets import Facet
from ape_jupyter.model.listing import Highlight, ImportOutcome, ImportStatus, SearchPage
from ape_jupyter.model.simulation import Headline, SimulationMetadata
from ape_jupyter.registry.rows import StoredRuns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ImportReport", "SearchResult"]

_SHOWN = {
    "name": "name",
    "protocol_name": "protocol",
    "n_patients": "patients",
    "duration_years": "years",
    "created_at": "created",
    "tags": "tags",
    "sim_id": "sim_id",
}


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)


def _rows(items: Sequence[SimulationMetadata]) -> list[list[str]]:
    return [[_cell(getattr(item, name)) for name in _SHOWN] for item in items]


def _columns(items: Sequence[SimulationMetadata]) -> dict[str, list[Any]]:
    columns = {
        column.name: [getattr(item, column.name) for item in items]
        for column in fields(SimulationMetadata)
    }
    headlines = columns.pop("headline")
    for column in fields(Headline):
        columns[column.name] = [getattr(headline, column.name) for headline in headlines]
    return columns


@dataclass(frozen=True, slots=True, repr=False)
class SearchResult(Sequence[SimulationMetadata]):
    """Runs in the order of a search: a sequence of their metadata.

    Attributes
    ----------
    total : int
        How many runs match in all.
    next_cursor : str or None
        To be given to the same search for the page that follows.
    facets : mapping of str to Facet
        Those that were asked for, by their names.
    highlights : tuple of tuple of Highlight
        For each run, when they were asked for.
    corrected_query : str or None
        What was searched for instead, because nothing was found as it was written.
    """

    items: Sequence[SimulationMetadata]
    total: int
    next_cursor: str | None = None
    facets: Mapping[str, Facet] = field(default_factory=dict)
    highlights: tuple[tuple[Highlight, ...], ...] = ()
    corrected_query: str | None = None

    @classmethod
    def of(cls, page: SearchPage) -> SearchResult:
        """Return a page of a search as a notebook shows it."""
        return cls(
            page.items,
            page.total,
            page.next_cursor,
            {facet.name: facet for facet in page.facets},
            page.highlights,
            page.corrected_query,
        )

    @overload
    def __getitem__(self, index: int) -> SimulationMetadata: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SimulationMetadata, ...]: ...
    def __getitem__(
        self, index: int | slice
    ) -> SimulationMetadata | tuple[SimulationMetadata, ...]:
        return tuple(self.items[index]) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[SimulationMetadata]:
        return iter(self.items)

    def to_pandas(self) -> pd.DataFrame:
        """Return a DataFrame with one row for each run, indexed by ``sim_id``."""
        import pandas as pd

        if not self.items:
            return pd.DataFrame()
        items = self.items
        columns = items.columns() if isinstance(items, StoredRuns) else _columns(items)
        return pd.DataFrame(columns).set_index("sim_id")

    def __repr__(self) -> str:
        rows = [list(_SHOWN.values()), *_rows(self.items)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*(lines if self.items else []), self._count()])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(label)}</th>" for label in _SHOWN.values())
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
            for row in _rows(self.items)
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return (table if self.items else "") + f"<p>{html.escape(self._count())}</p>"

    def _count(self) -> str:
        if not self.total:
            return "No runs."
        count = f"{len(self.items):,} of {self.total:,} run{'s' if self.total != 1 else ''}"
        if self.corrected_query is None:
            return count
        return f"{count}, for {self.corrected_query} instead"


class ImportReport(list[SimulationMetadata]):
    """The runs of an import that are now in the library, and what became of every one.

    Attributes
    ----------
    outcomes : tuple of ImportOutcome
        One for each run that was found, in order.
    """

    def __init__(self, outcomes: Sequence[ImportOutcome]) -> None:
        super().__init__(o.metadata for o in outcomes if o.metadata is not None)
        self.outcomes = tuple(outcomes)

    def _with(self, status: ImportStatus) -> tuple[ImportOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.status is status)

    @property
    def imported(self) -> tuple[ImportOutcome, ...]:
        """The runs that were added."""
        return self._with(ImportStatus.IMPORTED)

    @property
    def already_there(self) -> tuple[ImportOutcome, ...]:
        """The runs that the library had."""
        return self._with(ImportStatus.ALREADY_THERE)

    @property
    def refused(self) -> tuple[ImportOutcome, ...]:
        """The runs that were not added, each with its faults."""
        return self._with(ImportStatus.REFUSED)

    def __repr__(self) -> str:
        counts = {
            "imported": self.imported,
            "already there": self.already_there,
            "refused": self.refused,
        }
        lines = [", ".join(f"{len(outcomes)} {what}" for what, outcomes in counts.items())]
        for outcome in self.refused:
            lines.append(f"{outcome.path}:")
            lines += [f"  - {fault}" for fault in outcome.faults]
        return "\n".join(lines)
