"""Searches that were carried out: those of each user, and a sample of all for the log."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ape_jupyter.model.events import EventType
from ape_jupyter.model.saved_searches import MAX_RECENT_SEARCHES, RecentSearch, SearchTerms
from ape_jupyter.registry import events
from ape_jupyter.registry.batches import Batch
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import recent_searches

__all__ = ["PerformedSearch", "PerformedSearches", "stored_terms", "terms_of"]

SAMPLED_EVERY_SECONDS = 300.0
_column = recent_searches.c


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedSearch:
    """A search and how it went.

    Attributes
    ----------
    terms : SearchTerms or None
        What its user is to find among recent searches; None for nothing.
    kinds : tuple of str
        Kinds of its conditions.
    """

    user: str
    terms: SearchTerms | None
    kinds: tuple[str, ...]
    seconds: float
    total: int


@dataclass(frozen=True, slots=True)
class _Noted:
    search: PerformedSearch
    at: str
    stands_for: int


class PerformedSearches(Batch[_Noted]):
    """Searches that are not written yet.

    Of all searches of a process the first becomes an event, and then the first after every
    five minutes. It tells for how many it stands, and not what was searched for: all users
    read the log.
    """

    def __init__(self, database: Connector) -> None:
        super().__init__(self._record, "Searches")
        self._database = database
        self._sampling = threading.Lock()
        self._next_sample = 0.0
        self._unsampled = 0

    def note(self, search: PerformedSearch) -> None:
        """Have a search written, as far as it is to be remembered or is one of the sample."""
        with self._sampling:
            self._unsampled += 1
            stands_for, now = 0, time.monotonic()
            if now >= self._next_sample:
                self._next_sample = now + SAMPLED_EVERY_SECONDS
                stands_for, self._unsampled = self._unsampled, 0
        if stands_for or search.terms is not None:
            self.add(_Noted(search, stored_time(datetime.now(UTC)), stands_for))

    def recent(self, user: str) -> list[RecentSearch]:
        """Return what a user searched for, the latest first."""
        self.try_to_flush()
        query = sa.select(recent_searches).where(_column.owner == user)
        latest = query.order_by(_column.searched_at.desc()).limit(MAX_RECENT_SEARCHES)
        with self._database.read() as connection:
            rows = connection.execute(latest).all()
        return [
            RecentSearch(
                terms=terms_of(row.search), searched_at=datetime.fromisoformat(row.searched_at)
            )
            for row in rows
        ]

    def forget(self, user: str) -> None:
        """Forget what a user searched for."""
        self.try_to_flush()
        with self._database.write() as connection:
            connection.execute(sa.delete(recent_searches).where(_column.owner == user))

    def _record(self, noted: Sequence[_Noted]) -> None:
        with self._database.write() as connection:
            for entry in noted:
                if entry.search.terms is not None:
                    _remember(connection, entry.search.user, entry.search.terms, entry.at)
                if entry.stands_for:
                    data = {
                        "seconds": round(entry.search.seconds, 6),
                        "total": entry.search.total,
                        "kinds": list(entry.search.kinds),
                        "stands_for": entry.stands_for,
                    }
                    user = entry.search.user
                    events.append(connection, EventType.SEARCH_PERFORMED, None, data, user)
            for user in {entry.search.user for entry in noted}:
                _forget_old(connection, user)


def _remember(connection: sa.Connection, user: str, terms: SearchTerms, at: str) -> None:
    # The same search in another order is the same.
    asked = json.dumps([terms.query.split(), stored_terms(terms)["filters"]], sort_keys=True)
    digest = hashlib.sha256(asked.encode("utf-8", "replace")).hexdigest()
    same = (_column.owner == user) & (_column.digest == digest)
    connection.execute(sa.delete(recent_searches).where(same))
    row = {"owner": user, "digest": digest, "search": stored_terms(terms), "searched_at": at}
    connection.execute(sa.insert(recent_searches), [row])


def _forget_old(connection: sa.Connection, user: str) -> None:
    own = _column.owner == user
    latest = sa.select(_column.digest).where(own).order_by(_column.searched_at.desc())
    kept = connection.execute(latest.limit(MAX_RECENT_SEARCHES)).scalars().all()
    connection.execute(sa.delete(recent_searches).where(own, _column.digest.not_in(kept)))


def stored_terms(terms: SearchTerms) -> dict[str, Any]:
    """Return what a search asks for as it is stored."""
    return asdict(terms)


def terms_of(stored: Mapping[str, Any]) -> SearchTerms:
    """Return what a stored search asks for."""
    filters = {field: tuple(values) for field, values in stored["filters"].items()}
    return SearchTerms(**{**stored, "filters": filters})
