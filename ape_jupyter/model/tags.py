"""What a tag may be."""

from __future__ import annotations

import unicodedata

from ape_jupyter.errors import InvalidArgumentError

__all__ = ["MAX_TAG_CHARACTERS", "normalise_tag", "tag_key"]

MAX_TAG_CHARACTERS = 64


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


def tag_key(tag: str) -> str:
    """Return what is equal for tags that differ only in case or in how they are encoded."""
    return unicodedata.normalize("NFC", tag).casefold()
