"""The treatment protocol and the audit trail that came with a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["AuditEvent", "ProtocolData", "SimulationDocuments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolData:
    """A protocol as parsed from ``protocol.yaml``.

    Attributes
    ----------
    digest : str
        sha256 of the parameters in canonical JSON: equal protocols have equal digests
        whatever the layout of their files; empty when the run came without a protocol.
    """

    name: str
    version: str
    digest: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One entry of APE's audit log; ``data`` holds every field beside name and time."""

    event: str
    timestamp: datetime | None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationDocuments:
    """The documents of one run, read with its metadata and never with its results.

    Attributes
    ----------
    original_metadata : mapping or None
        The metadata as the run brought it, when it was of an older schema version than the
        library's.
    resource_config : mapping
        The roles of a clinic, what a session of each can do, and what things cost; empty for a
        run without resource tracking.
    """

    protocol: ProtocolData
    parameters: Mapping[str, Any] = field(default_factory=dict)
    audit_log: tuple[AuditEvent, ...] = ()
    original_metadata: Mapping[str, Any] | None = None
    resource_config: Mapping[str, Any] = field(default_factory=dict)
