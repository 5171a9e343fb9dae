"""The registry: what runs there are, and what is known of each."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import sqlalchemy.dialects.sqlite
from sqlalchemy.exc import IntegrityError

from ape_jupyter.errors import ConflictError, SchemaTooNewError, SimulationNotFoundError
from ape_jupyter.model.listing import SearchPage, SearchRequest, TagCount
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import search
from ape_jupyter.registry.rows import metadata_of, row_of, search_text, stored_time
from ape_jupyter.registry.schema import (
    DATABASE_VERSION,
    documents,
    library_state,
    metadata,
    simulations,
    tags,
)
from ape_jupyter.registry.sqlite import SqliteConnector

__all__ = ["Registry"]

_column = simulations.c
_NAMED_AT_MOST = 5
# What is read off the results of a run; all else belongs to its users.
_OF_RESULTS = {
    *("n_patients", "n_patients_requested", "n_patients_without_visits", "n_visits"),
    *("duration_years", "start_date", "protocol_name", "protocol_version", "protocol_digest"),
    *("engine_type", "model_type", "seed", "runtime_seconds", "file_size_mb", "checksum"),
    *("source", "status", "has_costs", "has_resources"),
    *("mean_final_vision", "total_injections", "discontinuation_rate"),
}
# Built once: opening a run is this query and two mapped files, and should take no longer.
_ONE_RUN = sa.select(
    simulations,
    sa.select(sa.func.json_group_array(tags.c.tag))
    .where(tags.c.sim_id == simulations.c.sim_id)
    .scalar_subquery()
    .label("tags"),
).where(_column.sim_id == sa.bindparam("sim_id"))


class Registry:
    """The database of a library. Threads may share one; processes open one each.

    Raises
    ------
    SchemaTooNewError
        On opening a database that a newer version wrote; not a byte of it is changed.
    """

    def __init__(self, path: Path) -> None:
        self._database = SqliteConnector(path)
        self._accesses: Counter[str] = Counter()
        self._accesses_lock = threading.Lock()
        self._open(path)

    def _open(self, path: Path) -> None:
        with self._database.read() as connection:
            is_new = not sa.inspect(connection).has_table(library_state.name)
        if is_new:
            with self._database.write() as connection:
                metadata.create_all(connection)
                insert = sa.dialects.sqlite.insert(library_state)
                first = {"id": 1, "database_version": DATABASE_VERSION, "revision": 0}
                connection.execute(insert.values(first).on_conflict_do_nothing())
        with self._database.read() as connection:
            version = connection.execute(sa.select(library_state.c.database_version)).scalar_one()
            if version <= DATABASE_VERSION:
                # Compiles the query, or the first run that somebody opens would take twice as long.
                self._maybe_one(connection, "")
        if version > DATABASE_VERSION:
            self._database.close()
            message = (
                f"{path} has database version {version}, this ape-jupyter reads up to "
                f"{DATABASE_VERSION}. Update ape-jupyter; nothing was changed."
            )
            raise SchemaTooNewError(message)

    def close(self) -> None:
        """Write what was held back and close all connections."""
        with self._accesses_lock:
            has_accesses = bool(self._accesses)
        if has_accesses:
            with self._database.write() as connection:
                self._write_accesses(connection)
        self._database.close()

    def revision(self) -> int:
        """Return a number that grows with every change of the registry."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(library_state.c.revision)).scalar_one())

    # Reading

    def get(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of the run with exactly this id, trashed or not."""
        with self._database.read() as connection:
            return self._one(connection, sim_id)

    def find(self, text: str) -> SimulationMetadata:
        """Return the one run that an id, a name, or a prefix of either means.

        Raises
        ------
        SimulationNotFoundError
            If no run is meant, or more than one.
        """
        if not text.isascii():
            # A lone surrogate is text to Python, and to no database.
            text = text.encode(errors="replace").decode()
        with self._database.read() as connection:
            exact = self._maybe_one(connection, text)
            if exact is not None and exact.status is not Status.TRASHED:
                return exact
            usable = _column.status != Status.TRASHED.value
            starting = _column.sim_id.startswith(text, autoescape=True)
            starting |= _column.name.startswith(text, autoescape=True)
            for condition in (_column.name == text, starting) if text else ():
                query = sa.select(_column.sim_id).where(usable, condition).limit(_NAMED_AT_MOST + 1)
                found = connection.execute(query).scalars().all()
                if len(found) == 1:
                    return self._one(connection, found[0])
                if found:
                    reason = f"{text!r} means more than one run; give more of the id."
                    raise SimulationNotFoundError(text, found[:_NAMED_AT_MOST], reason)
            raise SimulationNotFoundError(text, self._similar(connection, text))

    def get_many(self, sim_ids: Sequence[str]) -> list[SimulationMetadata]:
        """Return the metadata of several runs, in the order of their ids."""
        with self._database.read() as connection:
            return [self._one(connection, sim_id) for sim_id in sim_ids]

    def pinned_checksums(self) -> frozenset[str]:
        """Return the checksums of the pinned runs that are not in the trash."""
        query = sa.select(_column.checksum).where(
            _column.is_pinned, _column.status != Status.TRASHED.value
        )
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def with_checksums(self, checksums: Iterable[str]) -> list[SimulationMetadata]:
        """Return the runs outside the trash that have one of these result sets, oldest first."""
        query = sa.select(_column.sim_id).where(
            _column.checksum.in_(list(checksums)), _column.status != Status.TRASHED.value
        )
        with self._database.read() as connection:
            order = (_column.created_at, _column.sim_id)
            found = connection.execute(query.order_by(*order)).scalars().all()
            return [self._one(connection, sim_id) for sim_id in found]

    def all_runs(self) -> list[SimulationMetadata]:
        """Return every run, also those in the trash, oldest first."""
        query = sa.select(_column.sim_id).order_by(_column.created_at, _column.sim_id)
        with self._database.read() as connection:
            sim_ids = connection.execute(query).scalars().all()
            return [self._one(connection, sim_id) for sim_id in sim_ids]

    def documents(self, sim_id: str) -> dict[str, Any]:
        """Return the documents of a run by kind."""
        query = sa.select(documents.c.kind, documents.c.content)
        with self._database.read() as connection:
            rows = connection.execute(query.where(documents.c.sim_id == sim_id)).all()
        return {str(kind): content for kind, content in rows if content is not None}

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of the runs that match, and how many match in all."""
        with self._database.read() as connection:
            rows = connection.execute(search.page_query(request)).mappings().all()
            count = sa.select(sa.func.count()).select_from(simulations)
            total = connection.execute(count.where(*search.conditions(request))).scalar_one()
            page = rows[: request.limit]
            run_tags = self._tags_of(connection, [row["sim_id"] for row in page])
            items = tuple(metadata_of(row, run_tags.get(row["sim_id"], ())) for row in page)
        more = len(rows) > request.limit
        next_cursor = search.cursor_after(request, page[-1]) if more else None
        return SearchPage(items=items, total=total, next_cursor=next_cursor)

    def tag_counts(self) -> list[TagCount]:
        """Return the tags of runs outside the trash, the most used first."""
        # Of the spellings in use, the first in order stands for all.
        query = (
            sa.select(sa.func.min(tags.c.tag), sa.func.count())
            .join(simulations, simulations.c.sim_id == tags.c.sim_id)
            .where(_column.status != Status.TRASHED.value)
            .group_by(tags.c.tag_key)
            .order_by(sa.func.count().desc(), tags.c.tag_key)
        )
        with self._database.read() as connection:
            return [TagCount(tag=tag, count=count) for tag, count in connection.execute(query)]

    # Writing

    def add(self, run: SimulationMetadata, run_documents: Mapping[str, Any]) -> None:
        """Add a run with its tags and documents.

        Raises
        ------
        ConflictError
            If there is a run with this id.
        """
        try:
            with self._database.write() as connection:
                connection.execute(sa.insert(simulations).values(row_of(run)))
                for tag in run.tags:
                    self._add_tag(connection, run.sim_id, tag)
                self._add_documents(connection, run.sim_id, run_documents)
                self._changed(connection)
        except IntegrityError as error:
            raise ConflictError(f"There is a run {run.sim_id!r} already.") from error

    def set_status(self, sim_id: str, status: Status) -> SimulationMetadata:
        """Change the status of a run."""
        with self._database.write() as connection:
            if self._one(connection, sim_id).status is not status:
                self._update(connection, sim_id, {"status": status.value})
                self._changed(connection)
            return self._one(connection, sim_id)

    def quarantine(self, sim_id: str) -> bool:
        """Set an available run apart because its results are damaged; False when it was not.

        Of all that notice the damage at the same time, one gets True.
        """
        with self._database.write() as connection:
            run = self._maybe_one(connection, sim_id)
            if run is None or run.status is not Status.AVAILABLE:
                return False
            self._update(connection, sim_id, {"status": Status.QUARANTINED.value})
            self._changed(connection)
            return True

    def replace_results(self, run: SimulationMetadata, run_documents: Mapping[str, Any]) -> None:
        """Let a run have the results of ``run``, and be available; users' own changes stay."""
        values = {name: value for name, value in row_of(run).items() if name in _OF_RESULTS}
        with self._database.write() as connection:
            self._one(connection, run.sim_id)
            self._update(connection, run.sim_id, values)
            connection.execute(sa.delete(documents).where(documents.c.sim_id == run.sim_id))
            self._add_documents(connection, run.sim_id, run_documents)
            self._changed(connection)

    def set_pinned(self, sim_id: str, is_pinned: bool) -> SimulationMetadata:
        """Pin or unpin a run."""
        with self._database.write() as connection:
            if self._one(connection, sim_id).is_pinned is not is_pinned:
                self._update(connection, sim_id, {"is_pinned": is_pinned})
                self._changed(connection)
            return self._one(connection, sim_id)

    def set_tags(
        self, sim_ids: Sequence[str], add: Iterable[str], remove: Iterable[str]
    ) -> list[SimulationMetadata]:
        """Add and remove tags on all of these runs, or on none."""
        added, removed = tuple(add), tuple(tag.casefold() for tag in remove)
        with self._database.write() as connection:
            for sim_id in sim_ids:
                before = self._one(connection, sim_id)
                matching = (tags.c.sim_id == sim_id) & tags.c.tag_key.in_(removed)
                connection.execute(sa.delete(tags).where(matching))
                for tag in added:
                    self._add_tag(connection, sim_id, tag)
                after = self._tags_of(connection, [sim_id]).get(sim_id, [])
                if set(after) != set(before.tags):
                    self._update(
                        connection, sim_id, {"search_text": search_text(row_of(before), after)}
                    )
                    self._changed(connection)
            return [self._one(connection, sim_id) for sim_id in sim_ids]

    def record_access(self, sim_id: str) -> None:
        """Count one opening of a run; written with the next change, so that reads never wait."""
        with self._accesses_lock:
            self._accesses[sim_id] += 1

    # Within a connection

    @staticmethod
    def _one(connection: sa.Connection, sim_id: str) -> SimulationMetadata:
        found = Registry._maybe_one(connection, sim_id)
        if found is None:
            raise SimulationNotFoundError(sim_id)
        return found

    @staticmethod
    def _maybe_one(connection: sa.Connection, sim_id: str) -> SimulationMetadata | None:
        row = connection.execute(_ONE_RUN, {"sim_id": sim_id}).mappings().one_or_none()
        if row is None:
            return None
        own_tags = json.loads(row["tags"])
        return metadata_of(row, own_tags)

    @staticmethod
    def _tags_of(connection: sa.Connection, sim_ids: Sequence[str]) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        query = sa.select(tags.c.sim_id, tags.c.tag).where(tags.c.sim_id.in_(sim_ids))
        for sim_id, tag in connection.execute(query):
            result.setdefault(sim_id, []).append(tag)
        return result

    @staticmethod
    def _similar(connection: sa.Connection, text: str) -> list[str]:
        import difflib

        query = sa.select(_column.sim_id, _column.name).order_by(_column.created_at.desc())
        rows = connection.execute(query.where(_column.status != Status.TRASHED.value).limit(2000))
        known = {name: name for row in rows for name in row}
        return difflib.get_close_matches(text, known, n=3, cutoff=0.6)

    @staticmethod
    def _add_tag(connection: sa.Connection, sim_id: str, tag: str) -> None:
        values = {"sim_id": sim_id, "tag_key": tag.casefold(), "tag": tag}
        insert = sa.dialects.sqlite.insert(tags).values(values)
        connection.execute(insert.on_conflict_do_nothing())

    @staticmethod
    def _add_documents(
        connection: sa.Connection, sim_id: str, run_documents: Mapping[str, Any]
    ) -> None:
        for kind, content in run_documents.items():
            values = {"sim_id": sim_id, "kind": kind, "content": content}
            connection.execute(sa.insert(documents).values(values))

    @staticmethod
    def _update(connection: sa.Connection, sim_id: str, values: Mapping[str, Any]) -> None:
        update = sa.update(simulations).where(_column.sim_id == sim_id)
        connection.execute(update.values(**values, revision=_column.revision + 1))

    def _changed(self, connection: sa.Connection) -> None:
        update = sa.update(library_state).values(revision=library_state.c.revision + 1)
        connection.execute(update)
        self._write_accesses(connection)

    def _write_accesses(self, connection: sa.Connection) -> None:
        with self._accesses_lock:
            accesses, self._accesses = self._accesses, Counter()
        now = stored_time(datetime.now(UTC))
        for sim_id, count in accesses.items():
            update = sa.update(simulations).where(_column.sim_id == sim_id)
            counts = {"access_count": _column.access_count + count, "last_accessed": now}
            connection.execute(update.values(counts))
