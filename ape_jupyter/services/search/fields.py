"""What can be searched: the one table of fields and flags."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from ape_jupyter.model.parameters import parameter_path
from ape_jupyter.model.query import is_parameter

__all__ = [
    "FIELDS",
    "FLAGS",
    "Field",
    "FieldKind",
    "Flag",
    "find_field",
    "near_names",
]


class FieldKind(StrEnum):
    """What the values of a field are, and so how they are asked for."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    TAG = "tag"
    FLAG = "flag"
    PARAMETER = "parameter"


@dataclass(frozen=True, slots=True)
class Field:
    """A field that can stand before ``:`` in a search.

    Attributes
    ----------
    name : str
        As in the metadata; ``headline.`` before the figures of the headline.
    unit : str
        In which numbers are given; empty for counts.
    """

    name: str
    kind: FieldKind
    description: str
    aliases: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Flag:
    """A property that a run has or has not, asked for as ``is:pinned`` or ``has:costs``."""

    name: str
    description: str


_TEXT, _NUMBER, _TIME = FieldKind.TEXT, FieldKind.NUMBER, FieldKind.TIME

FIELDS: tuple[Field, ...] = (
    Field("name", _TEXT, "Name of the run"),
    Field("protocol_name", _TEXT, "Name of the protocol", ("protocol",)),
    Field("tags", FieldKind.TAG, "Tags, with everything below them", ("tag",)),
    Field("notes", _TEXT, "Notes", ("note",)),
    Field("owner", _TEXT, "Who registered the run", ("by",)),
    Field("sim_id", _TEXT, "Id of the run", ("id",)),
    Field("engine_type", _TEXT, "abs or des", ("engine",)),
    Field("model_type", _TEXT, "visit_based or time_based", ("model",)),
    Field("created_at", _TIME, "When the run was simulated", ("created",)),
    Field("registered_at", _TIME, "When it came into the library", ("registered",)),
    Field("last_accessed", _TIME, "When its results were last opened", ("accessed", "opened")),
    Field("start_date", _TIME, "The earliest enrolment", ("start", "started")),
    Field("n_patients", _NUMBER, "Patients in the results", ("patients",)),
    Field("n_patients_requested", _NUMBER, "Patients asked for", ("requested",)),
    Field("n_patients_without_visits", _NUMBER, "Patients who never came"),
    Field("n_visits", _NUMBER, "Visits in the results", ("visits",)),
    Field("duration_years", _NUMBER, "Length of the run", ("duration", "years"), "years"),
    Field("seed", _NUMBER, "Seed of the engine"),
    Field("runtime_seconds", _NUMBER, "How long it was simulated", ("runtime",), "seconds"),
    Field("file_size_mb", _NUMBER, "Size on disk", ("size",), "MB"),
    Field("access_count", _NUMBER, "How often its results were opened"),
    Field("revision", _NUMBER, "Changes of the metadata"),
    Field(
        "headline.mean_final_vision",
        _NUMBER,
        "Mean of the last observed vision",
        ("mean_final_vision", "vision"),
        "letters",
    ),
    Field(
        "headline.total_injections",
        _NUMBER,
        "Injections of all patients",
        ("total_injections", "injections"),
    ),
    Field(
        "headline.discontinuation_rate",
        _NUMBER,
        "Share of patients who stopped",
        ("discontinuation_rate", "discontinuation"),
        "share",
    ),
    Field("protocol_version", _TEXT, "Version of the protocol", ("version",)),
    Field("protocol_digest", _TEXT, "sha256 of the protocol", ("digest",)),
    Field("checksum", _TEXT, "sha256 of the result set"),
    Field("schema_version", _TEXT, "Version of the metadata"),
    Field("parent", _TEXT, "Id of the run it was derived from"),
    Field("source", _TEXT, "registered, imported or linked"),
    Field("status", _TEXT, "available, quarantined or trashed"),
    Field("visibility", _TEXT, "Who may see the run"),
    Field("is_pinned", FieldKind.FLAG, "Kept in memory"),
    Field("has_costs", FieldKind.FLAG, "With costs of every visit"),
    Field("has_resources", FieldKind.FLAG, "With use of staff by day"),
)

# Share of letters that two names have in common when one could be a slip of the other.
NEARNESS = 0.7

FLAGS: tuple[Flag, ...] = (
    Flag("is:pinned", "Kept in memory"),
    Flag("is:registered", "Given as tables"),
    Flag("is:imported", "Copied from files"),
    Flag("is:linked", "Left where its files were"),
    Flag("is:available", "Can be opened"),
    Flag("is:quarantined", "Put aside because its files are damaged"),
    Flag("is:trashed", "In the trash"),
    Flag("has:costs", "With costs of every visit"),
    Flag("has:resources", "With use of staff by day"),
    Flag("has:tags", "With at least one tag"),
    Flag("has:notes", "With notes"),
    Flag("has:seed", "With a known seed"),
    Flag("has:parent", "Derived from another run"),
    Flag("has:protocol", "With its protocol"),
)

_BY_NAME = {name: field for field in FIELDS for name in (field.name, *field.aliases)}


def find_field(name: str) -> Field | None:
    """Return the field with a name or alias, whatever the case; None when there is none."""
    field = _BY_NAME.get(name.casefold())
    if field is None and is_parameter(folded := name.casefold()) and all(folded.split(".")):
        path = parameter_path(*folded.split("."))
        field = Field(path, FieldKind.PARAMETER, "A parameter of the run")
    return field


def field_names() -> tuple[str, ...]:
    """Return every name and alias of a field."""
    return tuple(_BY_NAME)


def near_names(name: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return those of ``names`` that ``name`` could be a slip of, nearest first."""
    # Nobody misspells a name of a hundred letters, and the cost grows with the length.
    return tuple(get_close_matches(name[:100].casefold(), list(names), count, NEARNESS))
