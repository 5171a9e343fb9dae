"""Many changes in one request, all or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado import web

from ape_jupyter.model.operations import AddSimulation
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import SimulationList
from ape_jupyter.wire.transactions import TransactionOrder, operations_of

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["TransactionsHandler"]


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
            return SimulationList(items=tuple(library.apply(operations, key, user=user)))

        await self.answer_call(carry_out, heavy=adds)
