"""The part of a remote library that bundles changes: they travel in one request."""

from __future__ import annotations

import json
import tempfile
import time
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.transport import Transport
from ape_jupyter.errors import (
    ApeError,
    Fault,
    InvalidArgumentError,
    InvalidResultsError,
    ServerUnavailableError,
)
from ape_jupyter.library.collected import CollectedChanges
from ape_jupyter.model.operations import AddSimulation, Operation
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.services.discovery import is_package
from ape_jupyter.wire.messages import SimulationList
from ape_jupyter.wire.transactions import Rollback, order_of

__all__ = ["RemoteTransaction", "RemoteTransactions"]

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.5
_MAX_MANIFEST_BYTES = 16 * 2**20


class RemoteTransaction(CollectedChanges):
    """Changes of a server's library; see ``Library.transaction``."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport
        self._operations: list[Operation] = []
        self._id_of_name: dict[str, str] = {}

    def add_simulation(self, path: str | PathLike[str], *, tags: Iterable[str] = ()) -> str:
        """Add what lies at a path of the server's host; return the id of the run.

        Raises
        ------
        InvalidArgumentError
            If the server is on another host: it can not read the path.
        InvalidResultsError
            If the run does not say its id. All other faults are told at the end of the block.
        """
        self._require_open()
        self._require_same_host()
        place = Path(path).expanduser().absolute()
        sim_id = _sim_id_at(place)
        self._add_path(place, tags)
        return sim_id

    def register(
        self,
        patients: Any,
        visits: Any,
        *,
        protocol: Mapping[str, Any] | str | PathLike[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        audit_log: Sequence[Mapping[str, Any]] | None = None,
        costs: Any = None,
        resources: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        parent: str | None = None,
    ) -> str:
        """Add a run from tables; return its id."""
        self._require_open()
        self._require_same_host()
        # Brings in all that a local library needs; most kernels only read.
        from ape_jupyter.client.packing import described_package

        run = described_package(
            {"patients": patients, "visits": visits, "costs": costs, "resources": resources},
            {"protocol": protocol, "parameters": parameters, "audit_log": audit_log},
            name=name,
            notes=notes,
            parent=None if parent is None else self._id_of(parent),
        )
        directory = self._staged.enter_context(tempfile.TemporaryDirectory(prefix="ape-jupyter-"))
        package = Path(directory) / "run.zip"
        run.write(package)
        self._add_path(package, tags)
        sim_id = str(run.metadata["sim_id"])
        self._id_of_name |= {sim_id: sim_id, str(run.metadata["memorable_name"]): sim_id}
        return sim_id

    def _id_of(self, text: str) -> str:
        if text in self._id_of_name:
            return self._id_of_name[text]
        run: SimulationMetadata = self._transport.get(
            SimulationMetadata, "simulations", path_segment(text)
        )
        return run.sim_id

    def _require_same_host(self) -> None:
        if not self._transport.address.is_on_this_host:
            raise InvalidArgumentError(
                "The server is on another host, where a transaction can take no runs in. Use "
                "import_results() or register(), and change them in the transaction."
            )

    def _add_path(self, path: Path, tags: Iterable[str]) -> None:
        self._operations.append(AddSimulation(path=str(path), tags=tuple(map(normalise_tag, tags))))

    def add(self, operation: Operation) -> None:
        """Add a change that is given as a value."""
        self._require_open()
        self._operations.append(operation)

    def _commit(self) -> Sequence[SimulationMetadata]:
        return apply_remotely(self._transport, self._operations, uuid.uuid4().hex)

    def _record_rollback(self, reason: str) -> None:
        note = Rollback(n_operations=len(self._operations), reason=reason)
        try:
            self._transport.post(None, "transactions", "rollback", json=note)
        except ApeError:
            # What went wrong first is what the user has to hear.
            return


def apply_remotely(
    transport: Transport, operations: Sequence[Operation], key: str
) -> Sequence[SimulationMetadata]:
    """Have a server carry out operations; asks again, under the same key, when no answer comes."""
    if not operations:
        return ()
    attempt = 1
    while True:
        try:
            answer: SimulationList = transport.post(
                SimulationList,
                "transactions",
                json=order_of(operations),
                headers={"Idempotency-Key": key},
            )
        except ServerUnavailableError:
            if attempt == _ATTEMPTS:
                raise
            attempt += 1
            time.sleep(_PAUSE_SECONDS)
        else:
            return answer.items


def _sim_id_at(path: Path) -> str:
    try:
        if is_package(path):
            with zipfile.ZipFile(path) as package, package.open("manifest.json") as file:
                text = file.read(_MAX_MANIFEST_BYTES)
        else:
            text = (path / "metadata.json").read_bytes()
        sim_id = json.loads(text)["sim_id"]
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        problem = f"does not say the run's sim_id ({type(error).__name__})"
        raise InvalidResultsError(str(path), [Fault(path.name, problem)]) from error
    return str(sim_id)


class RemoteTransactions:
    """Bundles changes; see ``Library``."""

    _transport: Transport

    def transaction(self) -> RemoteTransaction:
        """Return a transaction, to be used as ``with lib.transaction() as tx:``."""
        return RemoteTransaction(self._transport)

    def apply(
        self, operations: Iterable[Operation], *, key: str | None = None
    ) -> list[SimulationMetadata]:
        """Carry out all operations in their order, or none; see ``Library``."""
        return list(apply_remotely(self._transport, list(operations), key or uuid.uuid4().hex))
