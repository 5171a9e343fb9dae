"""The part of a registry that changes tags of many runs, and takes such changes back."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa

from ape_jupyter.errors import ConflictError, InvalidArgumentError
from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.query import QueryNode, Tagged
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import (
    TagsChanged,
    moved_tag,
    normalise_colour,
    normalise_tag,
    tag_key,
    with_tags,
)
from ape_jupyter.registry import events, reading, search, tag_details, tag_undo
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.recorded import record_changes
from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.registry.search_index.conditions import carries
from ape_jupyter.registry.users import current_user

__all__ = ["WithTagging"]

NewTags = Callable[[SimulationMetadata], tuple[str, ...]]


class WithTagging:
    """Changes tags wherever they are; see ``Registry``."""

    _database: Connector

    def tag_counts(self) -> list[TagCount]:
        """Return the tags of runs outside the trash and those above them, the most used first."""
        with self._database.read() as connection:
            return tag_details.counts(connection)

    def change_tags(
        self,
        chosen: Sequence[str] | QueryNode,
        add: Iterable[str],
        remove: Iterable[str],
        user: str | None = None,
    ) -> TagsChanged:
        """Add and remove tags on runs that are named, or that match, or on none.

        Raises
        ------
        SimulationNotFoundError
            If one that is named is not there.
        """
        added = [normalise_tag(tag) for tag in add]
        removed = [normalise_tag(tag) for tag in remove]
        with self._database.write() as connection:
            if isinstance(chosen, Sequence):
                sim_ids = [reading.find(connection, text).sim_id for text in chosen]
            else:
                condition = search.condition_of(chosen, connection.dialect.name)
                sim_ids = _ids_where(connection, condition)
            change = events.last_seq(connection) + 1
            n_runs = _retag(
                connection,
                set(sim_ids),
                lambda run: with_tags(run.tags, added, removed),
                change,
                user or current_user(),
            )
        return _told(change, n_runs)

    def rename_tag(self, old: str, new: str, user: str | None = None) -> TagsChanged:
        """Give a tag another name, on all runs and also in the trash; tags below it go with it.

        Raises
        ------
        InvalidArgumentError
            If the tag is not in use, or a new name can not be one.
        ConflictError
            If a new name belongs to another tag.
        """
        branch, into = tag_key(normalise_tag(old)), normalise_tag(new)
        with self._database.write() as connection:
            _require_use(connection, old, branch)
            self._refuse_taken(connection, branch, into)
            return _move(connection, [branch], into, frozenset(), user or current_user())

    @staticmethod
    def _refuse_taken(connection: sa.Connection, branch: str, into: str) -> None:
        used = connection.execute(sa.select(tags.c.tag).distinct()).scalars().all()
        moved = {tag: moved_tag(tag, branch, into) for tag in used}
        staying = {tag_key(tag): tag for tag, target in moved.items() if target is None}
        for target in filter(None, moved.values()):
            taken = staying.get(tag_key(target))
            if taken is not None:
                raise ConflictError(
                    f"There is a tag {taken!r} already. To make one of both, merge them; "
                    "nothing was changed."
                )

    def merge_tags(self, sources: Iterable[str], into: str, user: str | None = None) -> TagsChanged:
        """Let all runs with one of several tags have another instead; tags below go with them.

        Raises
        ------
        InvalidArgumentError
            If one of the tags is not in use, or a new name can not be one.
        """
        target = normalise_tag(into)
        with self._database.write() as connection:
            branches = []
            for source in sources:
                branch = tag_key(normalise_tag(source))
                _require_use(connection, source, branch)
                branches.append(branch)
            # What is there already stays, or merging "a" into "a/b" would move "a/b" as well.
            kept = frozenset({tag_key(target)})
            return _move(connection, branches, target, kept, user or current_user())

    def set_tag_colour(self, tag: str, colour: str | None, user: str | None = None) -> TagsChanged:
        """Give a tag a colour, or none.

        Raises
        ------
        InvalidArgumentError
            If it is no colour, or the tag is not in use.
        """
        given = None if colour is None else normalise_colour(colour)
        wanted = {tag_key(normalise_tag(tag)): given}
        with self._database.write() as connection:
            for key in wanted:
                _require_use(connection, tag, key)
            change = events.last_seq(connection) + 1
            tag_details.set_colours(connection, wanted, {"change": change}, user or current_user())
            return _told(change, 0, has_changed=events.last_seq(connection) >= change)

    def undo_tags(self, change: int, user: str | None = None) -> TagsChanged:
        """Take a change of tags back, but for what somebody changed since.

        Raises
        ------
        InvalidArgumentError
            If the log has no such change.
        """
        with self._database.write() as connection:
            return tag_undo.undo(connection, change, user or current_user())


def _told(change: int, n_runs: int, *, has_changed: bool = False) -> TagsChanged:
    return TagsChanged(change=change if n_runs or has_changed else None, n_runs=n_runs)


def _ids_where(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[str]:
    query = sa.select(simulations.c.sim_id).where(condition)
    return list(connection.execute(query).scalars())


def _retag(
    connection: sa.Connection,
    sim_ids: Iterable[str],
    new_tags: NewTags,
    change: int,
    user: str,
) -> int:
    """Give runs other tags, and return how many of them had not just these."""
    n_runs = 0
    for runs in reading.in_pages(connection, sim_ids):
        wanted = [(run, replace(run, tags=new_tags(run))) for run in runs]
        changed = [(old, new) for old, new in wanted if new != old]
        record_changes(connection, changed, user, change=change)
        n_runs += len(changed)
    return n_runs


def _move(
    connection: sa.Connection,
    branches: Sequence[str],
    into: str,
    kept: frozenset[str],
    user: str,
) -> TagsChanged:
    def target(tag: str, name: str) -> str:
        if any(moved_tag(tag, branch, name) is not None for branch in kept):
            return tag
        found = (moved_tag(tag, branch, name) for branch in branches)
        return next((moved for moved in found if moved is not None), tag)

    def new_tags(run: SimulationMetadata) -> tuple[str, ...]:
        moved = {tag: target(tag, into) for tag in run.tags}
        staying = [tag for tag, new in moved.items() if new == tag]
        return with_tags(staying, [normalise_tag(new) for new in moved.values()], ())

    change = events.last_seq(connection) + 1
    carrying = sa.select(tags.c.sim_id).where(_in_branches(branches))
    sim_ids = _ids_where(connection, simulations.c.sim_id.in_(carrying))
    n_runs = _retag(connection, sim_ids, new_tags, change, user)
    wanted: dict[str, str | None] = {}
    colours = tag_details.colours(connection)
    for key, colour in colours.items():
        moved = target(key, tag_key(into))
        if moved != key:
            wanted[key] = None
            if moved not in kept or moved not in colours:
                wanted.setdefault(moved, colour)
    tag_details.set_colours(connection, wanted, {"change": change}, user)
    return _told(change, n_runs, has_changed=events.last_seq(connection) >= change)


def _in_branches(branches: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(carries(Tagged(branch, "branch")) for branch in branches))


def _require_use(connection: sa.Connection, tag: str, branch: str) -> None:
    query = sa.select(tags.c.tag).where(_in_branches([branch])).limit(1)
    if connection.execute(query).first() is None:
        used = connection.execute(sa.select(tags.c.tag_key, tags.c.tag).distinct()).all()
        names = {row.tag_key: row.tag for row in used}
        near = difflib.get_close_matches(branch, names, n=3)
        hint = f" Did you mean {', '.join(repr(names[key]) for key in near)}?" if near else ""
        raise InvalidArgumentError(f"No run has a tag {tag!r}.{hint}")
