"""What became of changes that were asked for under a key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import ConflictError, InvalidArgumentError
from ape_jupyter.model.operations import AddSimulation, Operation
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.registry.rows import metadata_of, row_of, stored_time
from ape_jupyter.registry.schema import outcomes

__all__ = ["KeyedRequest", "record", "recorded"]

_MAX_KEY_CHARACTERS = 200
_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request for changes, and the key by which a repetition of it is known.

    Raises
    ------
    InvalidArgumentError
        If the key is empty, too long, or not printable ASCII.
    """

    key: str
    operations: Sequence[Operation]

    def __post_init__(self) -> None:
        key = self.key
        if not (key.isascii() and key.isprintable() and 0 < len(key) <= _MAX_KEY_CHARACTERS):
            raise InvalidArgumentError(
                f"An idempotency key is 1 to {_MAX_KEY_CHARACTERS} printable ASCII characters."
            )

    def fingerprint(self) -> str:
        """Return what tells its operations from others.

        Where the files of a new run are does not count: a repeated upload is at another place.
        """
        described: list[Any] = []
        for operation in self.operations:
            values = asdict(operation)
            if isinstance(operation, AddSimulation):
                del values["path"]
            described.append([type(operation).__name__, values])
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def recorded(connection: sa.Connection, request: KeyedRequest) -> list[SimulationMetadata] | None:
    """Return what a request led to; None when it was not carried out.

    Raises
    ------
    ConflictError
        If the key belongs to a request for other changes.
    """
    row = connection.execute(sa.select(outcomes).where(outcomes.c.key == request.key)).one_or_none()
    if row is None:
        return None
    if row.fingerprint != request.fingerprint():
        raise ConflictError(
            f"The idempotency key {request.key!r} was used for other changes; make a new one."
        )
    return [metadata_of(run, run["tags"]) for run in row.runs]


def record(
    connection: sa.Connection, request: KeyedRequest, runs: Sequence[SimulationMetadata]
) -> None:
    """Remember what a request led to; those of last week are forgotten."""
    now = datetime.now(UTC)
    old = outcomes.c.done_at < stored_time(now - _KEPT)
    connection.execute(sa.delete(outcomes).where(old))
    values = {
        "key": request.key,
        "fingerprint": request.fingerprint(),
        "done_at": stored_time(now),
        "runs": [{**row_of(run), "tags": list(run.tags)} for run in runs],
    }
    connection.execute(sa.insert(outcomes).values(values))
