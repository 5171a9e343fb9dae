"""Bodies of requests that change tags wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BulkTagChange", "TagColour", "TagMerge", "TagRenaming", "TagUndo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkTagChange:
    """Tags to add to and remove from the runs that are named, or that a search finds.

    Attributes
    ----------
    sim_ids : tuple of str or None
        The runs; None with a search.
    query : str or None
        The search; empty for all runs.
    filters : mapping or None
        Values by field, of which one must be equal.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    sim_ids: tuple[str, ...] | None = None
    query: str | None = None
    filters: Mapping[str, tuple[str | int | float | bool, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRenaming:
    """A tag, and what it is to be called; tags below it go with it."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMerge:
    """Tags, and the one that is to be in their place."""

    sources: tuple[str, ...]
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TagColour:
    """A tag and its colour: a name of the palette, `#rrggbb`, or null for none."""

    tag: str
    colour: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagUndo:
    """The number of a change of tags that is to be taken back."""

    change: int
