"""Where a text shows why its run was found."""

from __future__ import annotations

from collections.abc import Iterator

from ape_jupyter.model.query import (
    WORD_FIELDS,
    AllOf,
    AnyOf,
    NoneOf,
    QueryNode,
    SameText,
    Tagged,
    Words,
)
from ape_jupyter.model.search_words import find_tokens
from ape_jupyter.model.tags import tag_key

__all__ = ["highlights"]


def highlights(node: QueryNode, field: str, text: str) -> list[tuple[int, int]]:
    """Return the parts of a text that a search asks for, apart from each other and in order.

    Parameters
    ----------
    field : str
        Name of the field that the text is the value of; ``"tags"`` for one tag.

    Returns
    -------
    list of (int, int)
        First character, and one past the last.
    """
    spans: list[tuple[int, int]] = []
    for start, end in sorted(span for leaf in _wanted(node) for span in _spans(leaf, field, text)):
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _wanted(node: QueryNode) -> Iterator[QueryNode]:
    if isinstance(node, AllOf | AnyOf):
        for operand in node.operands:
            yield from _wanted(operand)
    elif not isinstance(node, NoneOf):
        yield node


def _spans(leaf: QueryNode, field: str, text: str) -> list[tuple[int, int]]:
    match leaf:
        case Words(name, tokens, is_prefix):
            is_searched = field in (*WORD_FIELDS, "tags") if name is None else name == field
            return find_tokens(text, tokens, is_prefix=is_prefix) if is_searched else []
        case SameText(name, wanted) if name == field and wanted == text and text:
            return [(0, len(text))]
        case Tagged(key, reach) if field == "tags":
            found = tag_key(text)
            below = {"tag": found, "branch": f"{key}/", "prefix": key}[reach]
            is_wanted = found == key or (reach != "tag" and found.startswith(below))
            return [(0, len(text))] if is_wanted else []
        case _:
            return []
