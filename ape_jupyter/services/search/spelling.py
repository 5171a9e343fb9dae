"""What somebody meant who misspelt a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ape_jupyter.model.query import (
    AllOf,
    AnyOf,
    QueryNode,
    Words,
    all_of,
    any_of,
)

__all__ = ["Correction", "corrected", "nearest_word"]

# Below the first every word is near every other; from the second on two slips are likely.
MIN_CHARACTERS = 4
TWO_SLIPS_CHARACTERS = 8
MAX_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Correction:
    """A search with other words, and which ones were replaced by which."""

    tree: QueryNode
    replaced: tuple[tuple[str, str], ...]


def nearest_word(word: str, vocabulary: Mapping[str, int]) -> str | None:
    """Return the word that ``word`` is most likely a slip of; None when there is none.

    Parameters
    ----------
    vocabulary : Mapping
        Words, as tokens, and in how many runs each of them is.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    if len(word) < MIN_CHARACTERS:
        return None
    # A slip is a letter missing, added or wrong, or two that are swapped.
    cutoff = 1 if len(word) < TWO_SLIPS_CHARACTERS else 2
    found = process.extract(
        word, vocabulary.keys(), scorer=OSA.distance, score_cutoff=cutoff, limit=MAX_CANDIDATES
    )
    ranked = sorted(found, key=lambda entry: (entry[1], -vocabulary[entry[0]], entry[0]))
    return ranked[0][0] if ranked else None


def corrected(
    tree: QueryNode, vocabulary: Mapping[str, int], is_known: Callable[[str], bool]
) -> Correction | None:
    """Return the search with its unknown words replaced; None when there is nothing better.

    Words that are excluded, and those of parameters, stay as they are.

    Parameters
    ----------
    is_known : Callable
        Whether a word of the library begins like this.
    """
    replaced: dict[str, str] = {}

    def better(word: str) -> str:
        near = None if is_known(word) else nearest_word(word, vocabulary)
        if near is None or near == word:
            return word
        replaced[word] = near
        return near

    def rebuilt(node: QueryNode) -> QueryNode:
        match node:
            case AllOf(operands):
                return all_of(map(rebuilt, operands))
            case AnyOf(operands):
                return any_of(map(rebuilt, operands))
            # What is quoted is meant as it stands.
            case Words(None, tokens, True):
                return Words(None, tuple(map(better, tokens)), True)
            case _:
                return node

    tree = rebuilt(tree)
    return Correction(tree, tuple(replaced.items())) if replaced else None
