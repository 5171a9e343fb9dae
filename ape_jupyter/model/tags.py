"""What a tag may be, and what became of tags."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ape_jupyter.errors import InvalidArgumentError

__all__ = [
    "MAX_TAG_CHARACTERS",
    "TAG_COLOURS",
    "TagsChanged",
    "moved_tag",
    "normalise_colour",
    "normalise_tag",
    "tag_key",
    "with_tags",
]

MAX_TAG_CHARACTERS = 64
TAG_COLOURS = ("grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
"""Colours by name: what they look like is for each theme to say."""

_RGB = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsChanged:
    """What a change of tags came to.

    Attributes
    ----------
    change : int or None
        The number under which it can be undone; None when nothing changed.
    n_runs : int
        Runs whose tags changed.
    n_left : int
        Runs of which an undo left tags as they are, because somebody changed them meanwhile.
    """

    change: int | None
    n_runs: int
    n_left: int = 0


def normalise_tag(tag: str) -> str:
    """Return the tag in Unicode NFC without surrounding space.

    Raises
    ------
    InvalidArgumentError
        If it is empty, longer than 64 characters, or holds a control character or a comma.
    """
    text = unicodedata.normalize("NFC", tag).strip()
    if not text:
        raise InvalidArgumentError("A tag can not be empty.")
    if len(text) > MAX_TAG_CHARACTERS:
        raise InvalidArgumentError(
            f"The tag {text[:20]!r}… has {len(text)} characters, {MAX_TAG_CHARACTERS} at most."
        )
    if "," in text or any(unicodedata.category(character)[0] == "C" for character in text):
        raise InvalidArgumentError(
            f"The tag {text!r} holds a comma or a control character; leave it out."
        )
    return text


def normalise_colour(colour: str) -> str:
    """Return the colour in lower case.

    Raises
    ------
    InvalidArgumentError
        If it is neither of the palette nor ``#rrggbb``.
    """
    text = colour.strip().lower()
    if text not in TAG_COLOURS and not _RGB.fullmatch(text):
        known = ", ".join(TAG_COLOURS)
        raise InvalidArgumentError(
            f"{colour[:30]!r} is no colour. Write #rrggbb, or one of {known}."
        )
    return text


def tag_key(tag: str) -> str:
    """Return what is equal for tags that differ only in case or in how they are encoded."""
    return unicodedata.normalize("NFC", tag).casefold()


def with_tags(tags: Iterable[str], add: Iterable[str], remove: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of a run after some were added and removed, in order.

    A tag in both is there afterwards; one that is there already keeps its spelling.
    """
    removed = set(map(tag_key, remove))
    kept = {tag_key(tag): tag for tag in tags if tag_key(tag) not in removed}
    for tag in add:
        kept.setdefault(tag_key(tag), tag)
    return tuple(sorted(kept.values(), key=str.casefold))


def moved_tag(tag: str, branch: str, into: str) -> str | None:
    """Return what a tag is called once its branch is called ``into``.

    Parameters
    ----------
    branch : str
        The key of a tag. Of it and of the tags below it the beginning is replaced; None is
        returned for others.
    """
    key = tag_key(tag)
    if key != branch and not key.startswith(f"{branch}/"):
        return None
    below = tag.split("/")[branch.count("/") + 1 :]
    return "/".join([into, *below])
