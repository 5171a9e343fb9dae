"""Many changes in one request, and changes that can not be undone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tornado import web

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.lifecycle import PurgeReport
from ape_jupyter.model.operations import AddSimulation
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import PurgeOrder, SimulationList
from ape_jupyter.wire.transactions import Rollback, TransactionOrder, operations_of

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["PurgeHandler", "RollbackHandler", "TransactionsHandler"]

_MAX_REASON_CHARACTERS = 100


class TransactionsHandler(ApeHandler):
    """``transactions``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Carry out changes; a repetition under the same key only gets the answer again."""
        key = self.request.headers.get("Idempotency-Key")
        if not key:
            raise web.HTTPError(
                400, "Send Idempotency-Key: a text of your own, new for each transaction."
            )
        operations = operations_of(self.json_body(TransactionOrder))
        adds = any(isinstance(operation, AddSimulation) for operation in operations)
        if adds:
            self.require_feature(
                self.ape.path_imports, "Results can not be imported by their path", "path_imports"
            )
        user = self.owner

        def carry_out(library: LocalLibrary) -> SimulationList:
            return SimulationList(items=tuple(library.apply(operations, key=key, user=user)))

        await self.answer_call(carry_out, heavy=adds)


class RollbackHandler(ApeHandler):
    """``transactions/rollback``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Leave in the log that a client gave a transaction up."""
        note = self.json_body(Rollback)
        if not (note.reason.isidentifier() and len(note.reason) <= _MAX_REASON_CHARACTERS):
            raise InvalidArgumentError("body.reason should be the name of an exception.")
        user = self.owner
        await self.access.call(
            lambda library: library.record_rollback(note.n_operations, note.reason, user=user)
        )
        self.set_status(204)
        self.finish()


class PurgeHandler(ApeHandler):
    """``trash/purge``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Remove for good what has been in the trash for long, or say what would go."""
        order = self.json_body(PurgeOrder)
        try:
            older_than = timedelta(seconds=order.older_than_seconds)
        except (OverflowError, ValueError):
            raise InvalidArgumentError(
                f"body.older_than_seconds can not be {order.older_than_seconds}."
            ) from None
        user = self.owner

        def purge(library: LocalLibrary) -> PurgeReport:
            return library.purge(older_than, order.dry_run, user=user)

        await self.answer_call(purge, heavy=True)
