"""Changes of a library as values: collected in a transaction, sent in a request, told apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ape_jupyter.errors import InvalidArgumentError

__all__ = [
    "EDITABLE_FIELDS",
    "VISIBILITIES",
    "AddSimulation",
    "DeleteSimulation",
    "Operation",
    "RestoreSimulation",
    "SetPinned",
    "SetTags",
    "UpdateMetadata",
    "checked_changes",
]

VISIBILITIES = ("private", "group", "everyone")
_MAX_NAME_CHARACTERS = 200
_MAX_NOTES_CHARACTERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChangeOfRun:
    """What changes one run.

    Attributes
    ----------
    sim_id : str
        Its id, or a name or prefix that means no other run.
    expected_revision : int or None
        The revision the change was meant for; at any other it is refused.
    """

    sim_id: str
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMetadata(_ChangeOfRun):
    """Change fields of a run's metadata; see :func:`checked_changes`."""

    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTags(_ChangeOfRun):
    """Add and remove tags; a tag in both is there afterwards."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPinned(_ChangeOfRun):
    """Pin a run, or unpin it."""

    is_pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSimulation(_ChangeOfRun):
    """Move a run to the trash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSimulation(_ChangeOfRun):
    """Bring a run back from the trash; ``sim_id`` is its full id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSimulation:
    """Add a run from a results directory or a package.

    Attributes
    ----------
    path : str
        Where it is, on the host of the library.
    """

    path: str
    tags: tuple[str, ...] = ()


Operation: TypeAlias = (
    AddSimulation | UpdateMetadata | SetTags | SetPinned | DeleteSimulation | RestoreSimulation
)


def _name(text: str) -> str:
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > _MAX_NAME_CHARACTERS:
        raise InvalidArgumentError(f"A name has 1 to {_MAX_NAME_CHARACTERS} characters.")
    _refuse_control_characters("name", name)
    return name


def _notes(text: str) -> str:
    if len(text) > _MAX_NOTES_CHARACTERS:
        message = f"The notes have {len(text):,} characters, {_MAX_NOTES_CHARACTERS:,} at most."
        raise InvalidArgumentError(message)
    _refuse_control_characters("notes", text, allowed="\n\r\t")
    return text


def _visibility(text: str) -> str:
    if text not in VISIBILITIES:
        known = ", ".join(VISIBILITIES)
        raise InvalidArgumentError(f"There is no visibility {text!r}, only: {known}.")
    return text


def _refuse_control_characters(what: str, text: str, allowed: str = "") -> None:
    for character in text:
        # Cs: a lone surrogate, which no database can hold.
        if unicodedata.category(character) in ("Cc", "Cs") and character not in allowed:
            raise InvalidArgumentError(f"The {what} can not hold the character {character!r}.")


_CHECKS: Mapping[str, Callable[[str], str]] = {
    "name": _name,
    "notes": _notes,
    "visibility": _visibility,
}
EDITABLE_FIELDS = tuple(_CHECKS)
"""The fields of the metadata that people write; all others are facts about the run."""


def checked_changes(changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the changes as they are stored.

    Raises
    ------
    InvalidArgumentError
        If a field can not be changed, or not to this value.
    """
    result = {}
    for name, value in changes.items():
        if name not in _CHECKS:
            known = ", ".join(EDITABLE_FIELDS)
            message = f"{name!r} can not be changed. What can: {known}; tags have set_tags()."
            raise InvalidArgumentError(message)
        if not isinstance(value, str):
            raise InvalidArgumentError(f"{name!r} is text, not {type(value).__name__}.")
        result[name] = _CHECKS[name](value)
    return result
