"""Routes about tags."""

from __future__ import annotations

from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.tags import TagsChanged
from ape_jupyter.wire.messages import (
    SimulationList,
    TagChange,
)
from ape_jupyter.wire.routes.route import Route
from ape_jupyter.wire.tagging import BulkTagChange, TagColour, TagMerge, TagRenaming, TagUndo

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="tags",
        name="getTags",
        summary="Return all tags in use and those above them, the most used first.",
        action="read",
        answers={200: tuple[TagCount, ...]},
    ),
    Route(
        method="POST",
        path="tags",
        name="changeTags",
        summary="Add tags to and remove tags from several runs, all or nothing.",
        action="write",
        body=TagChange,
        answers={200: SimulationList},
        errors=(400, 404, 409),
    ),
    Route(
        method="POST",
        path="tags/bulk",
        name="changeTagsOfMany",
        summary="Add and remove tags on runs that are named or found, all or nothing; the answer "
        "is short and can be undone.",
        action="write",
        body=BulkTagChange,
        answers={200: TagsChanged},
        errors=(400, 404),
    ),
    Route(
        method="POST",
        path="tags/rename",
        name="renameTag",
        summary="Give a tag and those below it another name, on all runs.",
        action="write",
        body=TagRenaming,
        answers={200: TagsChanged},
        errors=(400, 409),
    ),
    Route(
        method="POST",
        path="tags/merge",
        name="mergeTags",
        summary="Replace several tags and those below them by one, on all runs.",
        action="write",
        body=TagMerge,
        answers={200: TagsChanged},
        errors=(400,),
    ),
    Route(
        method="POST",
        path="tags/colour",
        name="setTagColour",
        summary="Give a tag a colour, or none.",
        action="write",
        body=TagColour,
        answers={200: TagsChanged},
        errors=(400,),
    ),
    Route(
        method="POST",
        path="tags/undo",
        name="undoTags",
        summary="Take a change of tags back, but for what somebody changed since.",
        action="write",
        body=TagUndo,
        answers={200: TagsChanged},
        errors=(400,),
    ),
)
