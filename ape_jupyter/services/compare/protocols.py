"""Which parameters differ between runs, by what they mean and not by how they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import pyarrow as pa

from ape_jupyter.model.parameters import PROTOCOL_DESCRIPTIONS
from ape_jupyter.services.compare.tables import PROTOCOL_DIFF_SCHEMA

__all__ = ["RunSettings", "protocol_diff"]

RunSettings: TypeAlias = Mapping[str, Any]
"""Nested parameters: those of the protocol, and under ``run`` those of the engine."""

_UNITS = {
    "days": "days",
    "weeks": "weeks",
    "months": "months",
    "years": "years",
    "letters": "ETDRS letters",
    "minutes": "minutes",
    "hours": "hours",
}
_UNIT_IN_NAME = re.compile(rf"(?:^|_)({'|'.join(_UNITS)})$")
_ABSENT = object()


def protocol_diff(reference: str, settings: Mapping[str, RunSettings]) -> pa.Table:
    """Return what each run has otherwise than the reference.

    Two numbers are equal whatever their type, what is null is absent, the order of names and the
    names and descriptions of whole protocols do not matter, and lists of single values are one.

    Returns
    -------
    pyarrow.Table
        With ``PROTOCOL_DIFF_SCHEMA``: ``path`` has names from the outside in with dots between;
        ``old`` is the reference's value and ``new`` the comparator's, as JSON, null where there
        is none; ``unit`` is empty where the name does not tell it.
    """
    flat = {sim_id: dict(_leaves(tree)) for sim_id, tree in settings.items()}
    old = flat[reference]
    # Of many runs, each is told the same of the reference again and again.
    shown = {path: _shown(value) for path, value in old.items()}
    rows = []
    for sim_id, new in flat.items():
        for path in [*old, *(path for path in new if path not in old)]:
            before, after = old.get(path, _ABSENT), new.get(path, _ABSENT)
            if before != after or isinstance(before, bool) is not isinstance(after, bool):
                rows.append(
                    {
                        "reference": reference,
                        "comparator": sim_id,
                        "path": path,
                        "old": shown.get(path),
                        "new": _shown(after),
                        "unit": _unit(path),
                    }
                )
    return pa.Table.from_pylist(rows, PROTOCOL_DIFF_SCHEMA)


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        children = [(str(name), child) for name, child in tree.items()]
        for name, child in children:
            if path or name not in PROTOCOL_DESCRIPTIONS:
                yield from _leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(tree, list) and any(isinstance(item, Mapping | list) for item in tree):
        for position, child in enumerate(tree):
            yield from _leaves(child, f"{path}[{position}]")
    elif tree is not None:
        yield path, tree


def _shown(value: Any) -> str | None:
    return None if value is _ABSENT else json.dumps(value, ensure_ascii=False, default=str)


def _unit(path: str) -> str:
    names = path.split(".")
    if found := _UNIT_IN_NAME.search(names[-1]):
        return _UNITS[found[1]]
    is_level = names[-1] in ("mean", "std", "min", "max", "threshold")
    # "baseline_vision.mean", but not "baseline_vision_distribution.alpha".
    return "ETDRS letters" if is_level and any("vision" in name for name in names[:-1]) else ""
