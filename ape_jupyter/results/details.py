"""What ``metadata.json`` says of a run, field by field checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ape_jupyter.errors import Fault, InvalidArgumentError
from ape_jupyter.model.simulation import Source, is_valid_sim_id
from ape_jupyter.model.tags import normalise_tag

__all__ = ["RunDetails", "RunOrigin", "read_details"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrigin:
    """What a program that registers a run says beside what APE says."""

    source: Source = Source.IMPORTED
    notes: str = ""
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """What ``metadata.json`` says of a run, checked; times are aware and in UTC."""

    sim_id: str
    name: str | None
    created_at: datetime
    protocol_name: str
    protocol_version: str
    engine_type: str
    model_type: str | None
    n_patients: int
    duration_years: float
    seed: int | None
    runtime_seconds: float | None
    tags: tuple[str, ...]
    origin: RunOrigin


def read_details(document: Mapping[str, Any], file: str, faults: list[Fault]) -> RunDetails | None:
    """Read the metadata of a run; None, with the reasons among ``faults``, when it is wrong."""
    fields = _Fields(document, file, faults)
    before = len(faults)
    sim_id = fields.text("sim_id")
    if sim_id is not None and not is_valid_sim_id(sim_id):
        fields.fault("sim_id", "holds characters that an id can not have")
    created_at = fields.time("timestamp")
    details = {
        "name": fields.text("memorable_name", required=False),
        "protocol_name": fields.text("protocol_name"),
        "protocol_version": fields.text("protocol_version", required=False) or "",
        "engine_type": fields.text("engine_type"),
        "model_type": fields.text("model_type", required=False),
        "n_patients": fields.number("n_patients", int, minimum=0),
        "duration_years": fields.number("duration_years", float, minimum=0),
        "seed": fields.number("seed", int, required=False),
        "runtime_seconds": fields.number("runtime_seconds", float, required=False),
        "tags": fields.tags("tags"),
        "origin": _origin(fields),
    }
    if len(faults) > before:
        return None
    return RunDetails(sim_id=sim_id, created_at=created_at, **details)  # type: ignore[arg-type]


def _origin(fields: _Fields) -> RunOrigin | None:
    given = fields.values.get("library")
    if given is None:
        return RunOrigin()
    if not isinstance(given, Mapping):
        fields.fault("library", "holds no mapping")
        return None
    own = _Fields(given, f"{fields.file}, library", fields.faults)
    source = own.text("source", required=False) or Source.IMPORTED
    notes = own.text("notes", required=False) or ""
    parent = own.text("parent", required=False)
    if source not in (Source.IMPORTED, Source.REGISTERED):
        own.fault("source", f"is {source[:40]!r}, expected 'imported' or 'registered'")
        return None
    if parent is not None and not is_valid_sim_id(parent):
        own.fault("parent", "holds characters that an id can not have")
    return RunOrigin(source=Source(source), notes=notes, parent=parent)


@dataclass(frozen=True, slots=True)
class _Fields:
    values: Mapping[str, Any]
    file: str
    faults: list[Fault]

    def fault(self, name: str, problem: str) -> None:
        self.faults.append(Fault(self.file, problem, name))

    def text(self, name: str, required: bool = True) -> str | None:
        value = self.values.get(name)
        if value is None or value == "":
            if required:
                self.fault(name, "is missing")
            return None
        # Protocol versions are written 1.0 without quotes by some versions of APE.
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            self.fault(name, f"has type {type(value).__name__}, expected text")
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            self.fault(name, "is not valid Unicode")
            return None
        return value

    def number(
        self, name: str, kind: type, required: bool = True, minimum: float | None = None
    ) -> Any:
        value = self.values.get(name)
        if value is None:
            if required:
                self.fault(name, "is missing")
            return None
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(name, f"has type {type(value).__name__}, expected a number")
        elif not math.isfinite(value) or (kind is int and not whole):
            self.fault(name, f"is {value}, expected {'a whole' if kind is int else 'a'} number")
        elif (minimum is not None and value < minimum) or abs(value) >= 2**63:
            self.fault(name, f"is {value}, out of range")
        else:
            return kind(value)
        return None

    def time(self, name: str) -> datetime | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            time = datetime.fromisoformat(text)
            # APE writes times with and without a zone; those without are taken as UTC.
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        except (ValueError, OverflowError):
            self.fault(name, f"is {text[:40]!r}, expected an ISO time")
            return None

    def tags(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
            self.fault(name, "holds something else than a list of texts")
            return ()
        try:
            return tuple(map(normalise_tag, value))
        except InvalidArgumentError as error:
            self.fault(name, str(error))
            return ()
