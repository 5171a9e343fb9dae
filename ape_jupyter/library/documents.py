"""Protocol, parameters and audit log, from what was stored to what users see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import yaml

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.protocol import AuditEvent, ProtocolData, SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.results.reading import ORIGINAL_METADATA

__all__ = ["documents_of", "protocol_digest", "read_protocol"]


def protocol_digest(parameters: Mapping[str, Any] | None) -> str:
    """Return the sha256 of a protocol in canonical JSON; empty for none."""
    if not parameters:
        return ""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()


def documents_of(metadata: SimulationMetadata, stored: Mapping[str, Any]) -> SimulationDocuments:
    """Build the documents of a run from those that the registry holds."""
    return SimulationDocuments(
        protocol=ProtocolData(
            name=metadata.protocol_name,
            version=metadata.protocol_version,
            digest=metadata.protocol_digest,
            parameters=stored.get("protocol") or {},
        ),
        parameters=stored.get("parameters") or {},
        audit_log=tuple(map(_audit_event, stored.get("audit_log") or ())),
        original_metadata=stored.get(ORIGINAL_METADATA),
        resource_config=stored.get("resource_config") or {},
    )


def _audit_event(entry: Any) -> AuditEvent:
    if not isinstance(entry, Mapping):
        return AuditEvent(event=str(entry), timestamp=None)
    data = {key: value for key, value in entry.items() if key not in ("event", "timestamp")}
    return AuditEvent(
        event=str(entry.get("event", "")), timestamp=_time(entry.get("timestamp")), data=data
    )


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def read_protocol(
    given: Mapping[str, Any] | str | PathLike[str] | None,
) -> Mapping[str, Any] | None:
    """Return a protocol that is given as a mapping or as the path of a YAML file.

    Raises
    ------
    InvalidArgumentError
        If the file can not be read or holds no mapping.
    """
    if given is None or isinstance(given, Mapping):
        return given
    try:
        parsed = yaml.safe_load(Path(given).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidArgumentError(f"The protocol {given} can not be read: {error}") from error
    if not isinstance(parsed, Mapping):
        raise InvalidArgumentError(f"The protocol {given} holds no mapping.")
    return parsed
