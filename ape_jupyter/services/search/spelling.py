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

__all__ = ["Correction", "corrected", "near_words"]

# Below the first every word is near every other; from the second on two slips are likely.
MIN_CHARACTERS = 4
TWO_SLIPS_CHARACTERS = 8
MAX_CANDIDATES = 50


@dataclass(frozen=True, slots=True)
class Correction:
    """A search with other words, and which ones were replaced by which."""

    tree: QueryNode
    replaced: tuple[tuple[str, str], ...]


def near_words(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Return the words that ``word`` could be a slip of, the likeliest first.

    Parameters
    ----------
    vocabulary : Mapping
        Words, as tokens, and in how many runs each of them is.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    if len(word) < MIN_CHARACTERS:
        return []
    # A slip is a letter missing, added or wrong, or two that are swapped.
    cutoff = 1 if len(word) < TWO_SLIPS_CHARACTERS else 2
    found = process.extract(
        word, vocabulary.keys(), scorer=OSA.distance, score_cutoff=cutoff, limit=MAX_CANDIDATES
    )
    ranked = sorted(found, key=lambda entry: (entry[1], -vocabulary[entry[0]], entry[0]))
    return [near for near, *_ in ranked if near != word]


def corrected(
    tree: QueryNode, vocabulary: Mapping[str, int], is_found: Callable[[Words], bool]
) -> Correction | None:
    """Return the search with its unknown words replaced; None when there is nothing better.

    Words that are excluded, and those of parameters, stay as they are.

    Parameters
    ----------
    vocabulary : Mapping
        Words of the library, and in how many runs each of them is.
    is_found : Callable
        Whether a search for these words finds something. The vocabulary is also that of runs
        which a search does not show, and must not be told from it.
    """
    replaced: dict[str, str] = {}

    def better(word: str) -> str:
        if is_found(Words(None, (word,), True)):
            return word
        for near in near_words(word, vocabulary):
            if is_found(Words(None, (near,), False)):
                replaced[word] = near
                return near
        return word

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
