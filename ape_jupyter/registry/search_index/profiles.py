"""All parameters of a run as bytes: pairs of a key and a value, twelve bytes each, by key.

A key is the number of a path. The value of a number is its double; the value of anything else
is a hash, and its key has the highest bit set. Several values of one path are one value here.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping

from ape_jupyter.model.parameters import Parameter

__all__ = ["IS_TEXT", "packed"]

IS_TEXT = 1 << 31
_NUMBER, _TEXT = struct.Struct("<Id"), struct.Struct("<IQ")


def packed(parameters: Iterable[Parameter], path_ids: Mapping[str, int]) -> bytes:
    """Return the profile of a run with these parameters.

    Parameters
    ----------
    path_ids : Mapping
        The number of every path.
    """
    by_path: dict[str, list[Parameter]] = {}
    for parameter in parameters:
        by_path.setdefault(parameter.path, []).append(parameter)
    entries = sorted((path_ids[path], values) for path, values in by_path.items())
    return b"".join(_entry(path_id, values) for path_id, values in entries)


def _entry(path_id: int, values: list[Parameter]) -> bytes:
    if len(values) == 1 and values[0].number is not None:
        return _NUMBER.pack(path_id, values[0].number)
    text = "\0".join(value.text for value in values)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return _TEXT.pack(path_id | IS_TEXT, int.from_bytes(digest, "little"))
