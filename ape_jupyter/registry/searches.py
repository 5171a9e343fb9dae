"""The part of a registry that keeps searches."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import ConflictError, InvalidArgumentError, PermissionDeniedError
from ape_jupyter.model.events import EventType
from ape_jupyter.model.saved_searches import (
    MAX_SAVED_SEARCHES,
    RecentSearch,
    SavedSearch,
    SearchTerms,
    normalise_search_name,
)
from ape_jupyter.registry import events
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.performed_searches import (
    PerformedSearch,
    PerformedSearches,
    stored_terms,
    terms_of,
)
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import saved_searches
from ape_jupyter.registry.users import current_user

__all__ = ["WithSearches"]

_column = saved_searches.c


class WithSearches:
    """Keeps saved and recent searches; see ``Registry``.

    The log tells of shared searches only: what somebody looks for alone is nobody's business.
    """

    _database: Connector
    _searches: PerformedSearches

    def save_search(
        self,
        name: str,
        terms: SearchTerms,
        *,
        is_shared: bool,
        replace: bool,
        user: str | None = None,
    ) -> SavedSearch:
        """Save a search under a name of its own.

        Raises
        ------
        ConflictError
            If the user has one of this name, and it is not to be replaced.
        InvalidArgumentError
            If the name can not be one, or the user has too many.
        """
        owner = user or current_user()
        wanted = SavedSearch(
            name=normalise_search_name(name),
            owner=owner,
            terms=terms,
            is_shared=is_shared,
            saved_at=datetime.now(UTC),
        )
        with self._database.write() as connection:
            before = _own(connection, owner, wanted.name)
            if before is not None and not replace:
                raise ConflictError(
                    f"You have a search {before.name!r} already. Give another name, or replace it."
                )
            if before is None:
                _refuse_too_many(connection, owner)
            _write(connection, before, wanted)
        return wanted

    def saved_searches(self, user: str | None = None) -> list[SavedSearch]:
        """Return the searches of a user, and those that others share, by name."""
        owner = user or current_user()
        query = sa.select(saved_searches).where((_column.owner == owner) | _column.is_shared)
        query = query.order_by(_column.owner != owner, _column.name_key, _column.owner)
        with self._database.read() as connection:
            return [_saved(row) for row in connection.execute(query).mappings()]

    def change_search(
        self,
        name: str,
        *,
        new_name: str | None = None,
        is_shared: bool | None = None,
        user: str | None = None,
    ) -> SavedSearch:
        """Give a search of the user another name, share it, or share it no more.

        Raises
        ------
        InvalidArgumentError
            If there is no such search, or the new name can not be one.
        PermissionDeniedError
            If it is somebody else's.
        ConflictError
            If another one has the name.
        """
        owner = user or current_user()
        with self._database.write() as connection:
            before = _required(connection, owner, name)
            after = SavedSearch(
                name=before.name if new_name is None else normalise_search_name(new_name),
                owner=owner,
                terms=before.terms,
                is_shared=before.is_shared if is_shared is None else is_shared,
                saved_at=before.saved_at,
            )
            taken = _own(connection, owner, after.name)
            if taken is not None and taken != before:
                raise ConflictError(f"You have a search {taken.name!r} already; nothing changed.")
            _write(connection, before, after)
        return after

    def delete_search(self, name: str, user: str | None = None) -> SavedSearch:
        """Remove a search of the user, and return it.

        Raises
        ------
        InvalidArgumentError
            If there is no such search.
        PermissionDeniedError
            If it is somebody else's.
        """
        owner = user or current_user()
        with self._database.write() as connection:
            before = _required(connection, owner, name)
            _write(connection, before, None)
        return before

    def note_search(self, search: PerformedSearch) -> None:
        """Remember a search; written a little later, so that nobody waits for it."""
        self._searches.note(search)

    def recent_searches(self, user: str | None = None) -> list[RecentSearch]:
        """Return what a user searched for, the latest first."""
        return self._searches.recent(user or current_user())

    def clear_recent_searches(self, user: str | None = None) -> None:
        """Forget what a user searched for."""
        self._searches.forget(user or current_user())


def _key(name: str) -> str:
    return name.casefold()


def _saved(row: sa.RowMapping) -> SavedSearch:
    return SavedSearch(
        name=row["name"],
        owner=row["owner"],
        terms=terms_of(row["search"]),
        is_shared=row["is_shared"],
        saved_at=datetime.fromisoformat(row["saved_at"]),
    )


def _own(connection: sa.Connection, owner: str, name: str) -> SavedSearch | None:
    query = sa.select(saved_searches).where(_column.owner == owner, _column.name_key == _key(name))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _saved(row)


def _required(connection: sa.Connection, owner: str, name: str) -> SavedSearch:
    name = normalise_search_name(name)
    found = _own(connection, owner, name)
    if found is not None:
        return found
    shared = sa.select(_column.owner).where(_column.is_shared, _column.name_key == _key(name))
    of_another = connection.execute(shared.limit(1)).scalar_one_or_none()
    if of_another is not None:
        raise PermissionDeniedError(
            f"The search {name!r} belongs to {of_another}; save it under a name of your own."
        )
    names = connection.execute(sa.select(_column.name).where(_column.owner == owner)).scalars()
    near = difflib.get_close_matches(name, list(names), n=3)
    hint = f" Did you mean {', '.join(map(repr, near))}?" if near else ""
    raise InvalidArgumentError(f"You have no search {name!r}.{hint}")


def _refuse_too_many(connection: sa.Connection, owner: str) -> None:
    query = sa.select(sa.func.count()).select_from(saved_searches).where(_column.owner == owner)
    if connection.execute(query).scalar_one() >= MAX_SAVED_SEARCHES:
        raise InvalidArgumentError(
            f"You have {MAX_SAVED_SEARCHES} searches, which is the most; delete one first."
        )


def _write(
    connection: sa.Connection, before: SavedSearch | None, after: SavedSearch | None
) -> None:
    if before == after:
        return
    if before is not None:
        own = (_column.owner == before.owner) & (_column.name_key == _key(before.name))
        connection.execute(sa.delete(saved_searches).where(own))
    if after is not None:
        row = {
            "owner": after.owner,
            "name_key": _key(after.name),
            "name": after.name,
            "search": stored_terms(after.terms),
            "is_shared": after.is_shared,
            "saved_at": stored_time(after.saved_at),
        }
        connection.execute(sa.insert(saved_searches), [row])
    told = {"before": _told(before), "after": _told(after)}
    if told["before"] != told["after"]:
        owner = (before or after).owner  # type: ignore[union-attr]  # one of them is there
        events.append(connection, EventType.SAVED_SEARCH_CHANGED, None, told, owner)


def _told(search: SavedSearch | None) -> dict[str, Any] | None:
    if search is None or not search.is_shared:
        return None
    return {"name": search.name, **stored_terms(search.terms)}
