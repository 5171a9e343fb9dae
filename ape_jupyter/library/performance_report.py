"""How quickly a library works, told to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from ape_jupyter.model.performance import CacheUse, Latency, Operation, RunUse

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PerformanceReport"]

_SHOWN_RUNS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceReport:
    """How long things take, and how the cache is used, in all processes of a library.

    Attributes
    ----------
    since : datetime
        When measuring began; restarts do not end it.
    latencies : tuple of Latency
        Of the operations that were observed.
    hits, misses : int
        Openings that found their mapped files, and that had to make them or to wait for that.
    hit_rate : float or None
        The share of hits; None without an opening.
    evictions : int
        Result sets that left the cache, and ``evicted_mb`` what they took there.
    recent : CacheUse
        The same where what happened a week ago counts half.
    most_used : tuple of RunUse
        Runs by recent openings.
    """

    since: datetime
    latencies: tuple[Latency, ...]
    hits: int
    misses: int
    hit_rate: float | None
    evictions: int
    evicted_mb: float
    recent: CacheUse
    most_used: tuple[RunUse, ...]

    def latency(self, operation: Operation | str) -> Latency | None:
        """Return the figures of one operation; None when it was never observed."""
        return next((found for found in self.latencies if found.operation == operation), None)

    def to_pandas(self) -> pd.DataFrame:
        """Return one row per operation, with its count, total and quantiles in seconds."""
        import pandas as pd

        columns = ("count", "total_seconds", "p50_seconds", "p95_seconds", "p99_seconds")
        rows = {
            found.operation.value: [getattr(found, name) for name in columns]
            for found in self.latencies
        }
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))
        frame.index.name = "operation"
        return frame

    def _head(self) -> str:
        rate = "no run was opened" if self.hit_rate is None else f"hit rate {self.hit_rate:.0%}"
        return (
            f"Since {self.since.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {rate} "
            f"({self.hits:,} hits, {self.misses:,} misses), {self.evictions:,} evictions "
            f"({self.evicted_mb:,.1f} MB)."
        )

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for found in self.latencies:
            quantiles = (found.p50_seconds, found.p95_seconds, found.p99_seconds)
            name = found.operation.value.replace("_", " ")
            yield (name, f"{found.count:,}", *map(_duration, quantiles))

    def __str__(self) -> str:
        lines = [self._head()]
        if self.latencies:
            layout = "  {:<12}{:>9}{:>11}{:>11}{:>11}"
            lines += [layout.format("", "count", "p50", "p95", "p99")]
            lines += [layout.format(*row) for row in self._rows()]
        lines += [
            f"  {use.name}: opened {use.opens:.1f} times of late" for use in self._shown_runs()
        ]
        return "\n".join(lines)

    def _shown_runs(self) -> tuple[RunUse, ...]:
        return self.most_used[:_SHOWN_RUNS]

    def _repr_html_(self) -> str:
        tables = [_table(("operation", "count", "p50", "p95", "p99"), tuple(self._rows()))]
        runs = [
            (use.name, f"{use.opens:.1f}", f"{use.cold_opens:.1f}") for use in self._shown_runs()
        ]
        tables.append(_table(("run", "recent openings", "of these cold"), runs))
        return f"<div><p>{escape(self._head())}</p>{''.join(tables)}</div>"


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:,.1f} s"
    return f"{seconds * 1000:,.1f} ms" if seconds >= 1e-4 else f"{seconds * 1e6:,.0f} µs"  # noqa: PLR2004
