"""How well a run fits the words of a search: the same in Python, SQLite and PostgreSQL.

Each word or phrase without a field counts for every text that has it: most for the name, and
more for a whole word of the name than for its beginning. Nothing here depends on the other
runs of a library, as the usual measures of rarity do: so a page that was begun goes on in
the same order while runs are added, and both databases agree.
"""

from __future__ import annotations

from collections.abc import Iterator

from ape_jupyter.model.query import AllOf, AnyOf, QueryNode, Words

__all__ = ["FIELD_WEIGHTS", "WHOLE_NAME_WEIGHT", "ranking_words"]

FIELD_WEIGHTS = {
    "name": 8,
    "protocol_name": 4,
    "tags": 4,
    "notes": 1,
    "owner": 1,
    "sim_id": 1,
    "engine_type": 1,
    "model_type": 1,
}
WHOLE_NAME_WEIGHT = 4
# Nobody tells runs apart by more, and each takes time for each run.
_MOST_WORDS = 8


def ranking_words(tree: QueryNode) -> tuple[Words, ...]:
    """Return the words of a search that are wanted anywhere, the first eight."""
    return tuple(_wanted(tree))[:_MOST_WORDS]


def _wanted(node: QueryNode) -> Iterator[Words]:
    if isinstance(node, AllOf | AnyOf):
        for operand in node.operands:
            yield from _wanted(operand)
    elif isinstance(node, Words) and node.field is None:
        yield node
