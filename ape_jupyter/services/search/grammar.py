"""The query language.

==========================  =======================================================
``flat pond``               both words; each at the beginning of a word of the run's
                            name, protocol, tags, notes, owner, id, engine or model
``"treat and extend"``      these whole words, in this order; ``"treat and ext"*``
                            lets the last one go on
``protocol:fixed``          words in one field
``engine:abs,des``          one or the other
``name=flat-pond``          the text exactly as it is
``n_patients>=10k``         also ``<``, ``<=``, ``>``, ``=``, ``!=``, and k and M
``n_patients:1k..5k``       a range with its ends; ``..<`` leaves an end out
``created:2026-01..2026-06``  from the start of January to the end of June, in UTC
``created:<30d``            newer than 30 days; h, d, w, m (30 days), y (365 days)
``tag:nhs``, ``tag:nh*``    a tag with all below it (``nhs/site``); tags beginning so
``is:pinned``, ``has:costs``  properties
``protocol.min_interval_days>=56``  a parameter of the protocol
``-word``, ``NOT word``     the opposite
``a OR b``, ``( … )``       one or the other, groups
==========================  =======================================================

``NOT`` and ``-`` bind tightest, then AND (written or not), then OR. Operators are upper
case, so that ``treat and extend`` is three words. A word without letters or digits, such as
``&``, is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from ape_jupyter.errors import QuerySyntaxError
from ape_jupyter.model.query import (
    EVERYTHING,
    PARAMETER_ROOTS,
    AllOf,
    AnyOf,
    NoneOf,
    QueryNode,
    all_of,
    any_of,
    negation,
)
from ape_jupyter.services.search.conditions import FLAG_GROUPS, Value, condition, words
from ape_jupyter.services.search.fields import field_names

if TYPE_CHECKING:
    from lark import Lark, Token, UnexpectedCharacters, UnexpectedToken

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "MAX_TERMS", "checked_size", "parse", "unsearchable"]

MAX_CHARACTERS = 10_000
# SQLite refuses expressions that are nested 1,000 deep, and chains count as nested.
MAX_TERMS = 200
MAX_DEPTH = 20

# Databases refuse NUL and halves of surrogate pairs; nobody types the others.
_UNSEARCHABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")

_GRAMMAR = r"""
    start: choice?
    ?choice: group (_OR group)*
    ?group: part (_AND? part)*
    ?part: (_NOT | _MINUS) part -> opposite
         | _LPAR choice _RPAR
         | WORD                 -> word
         | PHRASE               -> phrase
         | condition
    condition: (SPACED_FIELD | FIELD) OPERATOR value (_COMMA value)* DANGLING_COMMA?
    ?value: VALUE | PHRASE

    _AND.5: /AND(?=[\s()]|\Z)/
    _OR.5: /OR(?=[\s()]|\Z)/
    _NOT.5: /NOT(?=[\s()]|\Z)/
    _MINUS.4: /-(?=[^\s)])/
    _LPAR: "("
    _RPAR: ")"
    SPACED_FIELD.3: /(?i:%(fields)s|(?:%(roots)s)(?:\.\w+)+)(?=\s*(?:[<>:]|!?=))/
    FIELD.2: /[^\W\d]\w*(?:\.\w+)*(?=[<>:]|!?=)/
    OPERATOR: /:?(?:[<>]=?|!=|==?)|:/
    VALUE: /[^\s,()"“”„][^\s,()]*/
    PHRASE.2: /"(?:[^"\\]|\\.)*"\*?|[“”„][^"“”„]*["“”„]\*?/s
    _COMMA.6: /,(?!\s|\Z)/
    DANGLING_COMMA.6: /,(?=\s|\Z)/
    WORD: /(?!(?:AND|OR|NOT)(?:[\s()]|\Z))[^\s()"“”„][^\s()]*/
    %%ignore /\s+/
"""


def parse(text: str) -> QueryNode:
    """Return the tree of a search.

    Raises
    ------
    QuerySyntaxError
        With the position of what can not be understood, and what to write instead.
    """
    from lark.exceptions import UnexpectedCharacters, UnexpectedToken

    if len(text) > MAX_CHARACTERS:
        raise QuerySyntaxError(
            f"The search has {len(text):,} characters, {MAX_CHARACTERS:,} at most.",
            position=MAX_CHARACTERS,
            hint="Leave something out.",
        )
    if bad := unsearchable(text):
        raise QuerySyntaxError(
            f"The character {bad[0]!r} can not be searched for.",
            position=bad.start(),
            hint="Leave it out.",
        )
    try:
        tree: QueryNode | None = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedCharacters as error:
        raise _unexpected_character(text, error) from None
    except UnexpectedToken as error:
        raise _unexpected_token(text, error) from None
    return checked_size(EVERYTHING if tree is None else tree)


def unsearchable(text: str) -> re.Match[str] | None:
    """Return the first character that no database takes, if there is one."""
    return _UNSEARCHABLE.search(text)


def checked_size(tree: QueryNode) -> QueryNode:
    """Return the tree, which is small enough to be carried out.

    Raises
    ------
    QuerySyntaxError
        If it has too many conditions or is nested too deep.
    """
    n_terms = 0
    waiting: list[tuple[QueryNode, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise QuerySyntaxError(
                f"The search has brackets in brackets, more than {MAX_DEPTH} deep.",
                hint="Write it with fewer.",
            )
        if isinstance(node, AllOf | AnyOf):
            waiting.extend((operand, depth + 1) for operand in node.operands)
        elif isinstance(node, NoneOf):
            waiting.append((node.operand, depth + 1))
        else:
            n_terms += 1
    if n_terms > MAX_TERMS:
        raise QuerySyntaxError(
            f"The search has {n_terms:,} conditions, {MAX_TERMS} at most.",
            hint="Search in several steps.",
        )
    return tree


@cache
def _parser() -> Lark:
    from lark import Lark

    names = sorted((*field_names(), *FLAG_GROUPS), key=len, reverse=True)
    terminals = {
        "fields": "|".join(map(re.escape, names)),
        "roots": "|".join(PARAMETER_ROOTS),
    }
    return Lark(_GRAMMAR % terminals, parser="lalr", transformer=_Building())


class _Building:
    """Called by the parser for each rule; None stands for what says nothing."""

    def start(self, nodes: Sequence[QueryNode | None]) -> QueryNode | None:
        return nodes[0] if nodes else None

    def choice(self, nodes: Sequence[QueryNode | None]) -> QueryNode | None:
        present = [node for node in nodes if node is not None]
        return any_of(present) if present else None

    def group(self, nodes: Sequence[QueryNode | None]) -> QueryNode | None:
        present = [node for node in nodes if node is not None]
        return all_of(present) if present else None

    def opposite(self, nodes: Sequence[QueryNode | None]) -> QueryNode | None:
        (node,) = nodes
        return None if node is None else negation(node)

    def word(self, found: Sequence[Token]) -> QueryNode | None:
        return words(Value(str(found[0])))

    def phrase(self, found: Sequence[Token]) -> QueryNode | None:
        return words(_value(found[0]))

    def condition(self, parts: Sequence[Token]) -> QueryNode:
        name, operator, *values = parts
        if values[-1].type == "DANGLING_COMMA":
            raise QuerySyntaxError(
                "After a comma another value is expected.",
                position=_start(values[-1]),
                hint="Write a,b without a space between, or leave the comma out.",
            )
        source = f"{name}{operator}{','.join(values)}"
        symbol = operator if operator == ":" else operator.lstrip(":").replace("==", "=")
        return condition(
            str(name), symbol, [*map(_value, values)], position=_start(name), source=source
        )


def _value(token: Token) -> Value:
    text = str(token)
    has_star = text.endswith("*")
    if token.type != "PHRASE":
        return Value(text.rstrip("*") if has_star else text, has_star=has_star)
    inner = text[1 : -2 if has_star else -1]
    return Value(re.sub(r'\\(["\\])', r"\1", inner), is_quoted=True, has_star=has_star)


def _start(token: Token) -> int:
    return token.start_pos or 0


def _unexpected_character(text: str, error: UnexpectedCharacters) -> QuerySyntaxError:
    # lark declares the None that its code replaces.
    position: int = error.pos_in_stream  # type: ignore[assignment]
    character = text[position]
    if character in '"“”„':
        message, hint = "A quotation mark is not closed.", 'Add " after the last word.'
    else:
        message, hint = f"{character!r} is not expected here.", "Leave it out, or put it in quotes."
    return QuerySyntaxError(message, position=position, hint=hint)


def _unexpected_token(text: str, error: UnexpectedToken) -> QuerySyntaxError:
    token = error.token
    position = len(text) if token.type == "$END" else _start(token)
    is_value_expected = "VALUE" in error.expected
    is_part_expected = "_NOT" in error.expected and "_AND" not in error.expected
    match token.type:
        case "_LPAR" if is_value_expected:
            message = "A value can not be in brackets."
            hint = "Write field:a,b for one or the other."
        case _ if is_value_expected:
            message, hint = "After the operator a value is missing.", "Write field:value."
        case "$END" if is_part_expected:
            message = "Something is missing at the end."
            hint = 'AND, OR, NOT, - and ( need something after them; the word is written "AND".'
        case "$END":
            message, hint = "A bracket is not closed.", "Add ) at the end."
        case "_RPAR" if is_part_expected and text[:position].rstrip().endswith("("):
            message, hint = "There is nothing between the brackets.", "Leave them out."
        case "_RPAR" if not is_part_expected:
            message, hint = "A bracket is closed that was not opened.", "Leave ) out, or add (."
        case "_AND" | "_OR":
            message = f"{token} has nothing before it."
            hint = f'Write it between two conditions, or "{token}" for the word.'
        case _:
            message = f"{str(token)[:50]!r} is not expected here."
            hint = "Leave it out, or put it in quotes."
    return QuerySyntaxError(message, position=position, hint=hint)
