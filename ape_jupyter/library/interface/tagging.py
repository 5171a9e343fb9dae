"""How tags change wherever they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ape_jupyter.library.interface.opening import FilterValue
from ape_jupyter.model.tags import TagsChanged

__all__ = ["ChangesTags"]


class ChangesTags(Protocol):
    """How tags change wherever they are.

    Each change is one transaction, however many runs it is about, and its reply has the number
    under which :meth:`undo_tags` takes it back. The history of every run tells of it.
    """

    def change_tags(
        self,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        *,
        sim_ids: Iterable[str] | None = None,
        query: str | None = None,
        filters: Mapping[str, FilterValue] | None = None,
    ) -> TagsChanged:
        """Add and remove tags on the runs that are named, or on all that a search finds.

        Raises
        ------
        InvalidArgumentError
            If runs are named and a search is given, or neither.
        QuerySyntaxError
            For a search that can not be understood.
        """

    def rename_tag(self, old: str, new: str) -> TagsChanged:
        """Give a tag another name on all runs, also those in the trash.

        The tags below it go with it: with ``area`` renamed to ``region``, ``area/north`` is
        ``region/north``. So does its colour.

        Raises
        ------
        InvalidArgumentError
            If no run has the tag, or a new name is too long or no tag.
        ConflictError
            If a new name is that of another tag; :meth:`merge_tags` makes one of both.
        """

    def merge_tags(self, sources: Iterable[str], into: str) -> TagsChanged:
        """Replace several tags by one on all runs, also those in the trash.

        The tags below them go with them. The one they become need not be in use; it keeps its
        colour, or gets that of the first that has one.

        Raises
        ------
        InvalidArgumentError
            If no run has one of the tags, or a new name is too long or no tag.
        """

    def set_tag_colour(self, tag: str, colour: str | None) -> TagsChanged:
        """Give a tag a colour for everybody, or with None take it away.

        Parameters
        ----------
        colour : str or None
            ``grey``, ``red``, ``orange``, ``yellow``, ``green``, ``teal``, ``blue``,
            ``purple``, ``pink``, or ``#rrggbb``.

        Raises
        ------
        InvalidArgumentError
            If it is no colour, or no run has the tag or one below it.
        """

    def undo_tags(self, change: int) -> TagsChanged:
        """Take a change of tags back.

        Every change of tags has a number, in its reply and in the ``data`` of its events. Tags
        that somebody changed on a run since then stay there as they are; the reply counts such
        runs. An undo is a change, and can be undone.

        Raises
        ------
        InvalidArgumentError
            If the history has no such change, or has forgotten it.
        """
