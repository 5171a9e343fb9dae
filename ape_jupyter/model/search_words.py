"""What a word is, and when a text has it: the same in Python, SQLite and PostgreSQL.

A text is *folded* character by character: compatibility decomposition (NFKD), case folding,
decomposition again; then non-spacing marks and invisible format characters are dropped.
So ``Ångström``, ``ångström`` and ``angstrom`` are one word, ``ﬁ`` is ``fi``, ``ß`` is ``ss``.
Of the folded text, runs of letters, digits and the remaining marks are its *tokens*;
everything else separates them. A character of a script written without spaces (Han, kana,
Thai, Lao, Khmer, Burmese) is a token by itself. A token keeps its first 64 characters, and
of a text the first 10,000 characters are looked at.

A text *has* tokens ``t1 … tn`` when it has them next to each other and in this order. Asked
as a prefix, the last one only has to begin like ``tn``. No tokens are in every text.

Databases do not agree on any of this: FTS5's ``unicode61`` follows Unicode 6.1 and drops
only some marks, PostgreSQL's parser sees URLs, hyphens and numbers. So neither is asked to
find words. :func:`index_text` writes the tokens in an alphabet of ``a-z``, ``0-9`` and ``_``
on which every tokeniser agrees (FTS5 ``ascii`` with ``_`` as a token character; PostgreSQL
by casting to ``tsvector`` without a parser). It writes characters by a prefix code, so a
token begins like another exactly when its index text does. The one inexact part is
PostgreSQL's: it forgets positions past 16,383 and past the 256th of a lexeme, so phrases are
checked there against the index text itself, in which a space surrounds every token.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

__all__ = [
    "MAX_TEXT_CHARACTERS",
    "MAX_TOKEN_CHARACTERS",
    "find_tokens",
    "fold",
    "has_tokens",
    "index_text",
    "indexed_token",
    "token_of",
    "tokens",
]

MAX_TOKEN_CHARACTERS = 64
MAX_TEXT_CHARACTERS = 10_000
_DROPPED = ("Mn", "Cf")
# Thai to Lao, Burmese, Khmer, and from the CJK radicals to the ideographs; Hangul has spaces.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def _folded(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(
        part
        for part in unicodedata.normalize("NFKD", decomposed)
        if unicodedata.category(part) not in _DROPPED
    )


def _part(character: str) -> str:
    """Return a folded character as it stands in tokens, or a space where it separates them."""
    if unicodedata.category(character)[0] not in "LNM":
        return " "
    code = ord(character)
    is_unspaced = any(first <= code <= last for first, last in _UNSPACED)
    return f" {character} " if is_unspaced else character


class _Folding(dict[int, str]):
    """A table for ``str.translate`` that works characters out when they first occur."""

    def __missing__(self, code: int) -> str:
        self[code] = text = _folded(chr(code))
        return text


class _Separation(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = text = "".join(map(_part, _folded(chr(code))))
        return text


class _Alphabet(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = text = f"_{code:x}_"
        return text


_WRITTEN = re.compile("_([0-9a-f]+)_")
_FOLDING = _Folding()
_SEPARATION = _Separation()
_ALPHABET = _Alphabet({ord(character): character for character in "abcdefghijklmnopqrstuvwxyz"})
_ALPHABET.update({ord(digit): digit for digit in "0123456789"})


def fold(text: str) -> str:
    """Return a text without differences of case, accents and compatibility forms."""
    return text.translate(_FOLDING)


def tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of a text, in order."""
    separated = text[:MAX_TEXT_CHARACTERS].translate(_SEPARATION)
    return tuple(part[:MAX_TOKEN_CHARACTERS] for part in separated.split())


def indexed_token(token: str) -> str:
    """Return a token in the alphabet of the index."""
    return token.translate(_ALPHABET)


def token_of(indexed: str) -> str:
    """Return the token that stands in the index like this."""
    return _WRITTEN.sub(lambda match: chr(int(match[1], 16)), indexed)


def index_text(text: str) -> str:
    """Return the tokens of a text in the alphabet of the index, each between two spaces."""
    found = tokens(text)
    return f" {' '.join(map(indexed_token, found))} " if found else ""


def has_tokens(found: Sequence[str], wanted: Sequence[str], *, is_prefix: bool) -> bool:
    """Tell whether a text with the tokens ``found`` has those that are ``wanted``."""
    return not wanted or next(_places(found, wanted, is_prefix=is_prefix), None) is not None


def _places(found: Sequence[str], wanted: Sequence[str], *, is_prefix: bool) -> Iterator[int]:
    *whole, last = wanted
    for start in range(len(found) - len(whole)):
        end = start + len(whole)
        is_last = found[end].startswith(last) if is_prefix else found[end] == last
        if is_last and list(found[start:end]) == whole:
            yield start


def find_tokens(text: str, wanted: Sequence[str], *, is_prefix: bool) -> list[tuple[int, int]]:
    """Return where a text has tokens, as pairs of first and one past the last character.

    Of a token that has more than was asked for as a prefix, only what was asked for counts.
    """
    if not wanted:
        return []
    spans = _token_spans(text[:MAX_TEXT_CHARACTERS])
    found = ["".join(part for part, _ in pieces)[:MAX_TOKEN_CHARACTERS] for pieces in spans]
    places = []
    for start in _places(found, wanted, is_prefix=is_prefix):
        last = spans[start + len(wanted) - 1]
        places.append((spans[start][0][1], _end_of(text, last, len(wanted[-1]))))
    return places


def _token_spans(text: str) -> list[list[tuple[str, int]]]:
    """Return for each token its folded pieces, each with its position in the text."""
    spans: list[list[tuple[str, int]]] = []
    is_open = False
    for position, character in enumerate(text):
        for part in character.translate(_SEPARATION):
            if part == " ":
                is_open = False
            elif is_open:
                spans[-1].append((part, position))
            else:
                spans.append([(part, position)])
                is_open = True
    return spans


def _end_of(text: str, pieces: Sequence[tuple[str, int]], length: int) -> int:
    end = pieces[min(length, len(pieces)) - 1][1] + 1
    # An accent that follows its letter belongs to it.
    while end < len(text) and not text[end].translate(_FOLDING):
        end += 1
    return end
