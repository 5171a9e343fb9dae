"""Routes that change many things at once."""

from __future__ import annotations

from ape_jupyter.model.lifecycle import PurgeReport
from ape_jupyter.wire.messages import PurgeOrder, SimulationList
from ape_jupyter.wire.routes.route import Route
from ape_jupyter.wire.transactions import Rollback, TransactionOrder

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="transactions",
        name="commitTransaction",
        summary="Make several changes, all or none. Needs Idempotency-Key: repeated under the same "
        "key, nothing happens twice and the answer is the same.",
        action="write",
        body=TransactionOrder,
        answers={200: SimulationList},
        errors=(400, 404, 409, 410, 412, 422, 507),
    ),
    Route(
        method="POST",
        path="transactions/rollback",
        name="recordRollback",
        summary="Leave in the log that a client gave a transaction up.",
        action="write",
        body=Rollback,
        answers={204: None},
        errors=(400,),
    ),
    Route(
        method="POST",
        path="trash/purge",
        name="purgeTrash",
        summary="Remove for good what has been in the trash for long, or only say what would go.",
        action="write",
        body=PurgeOrder,
        answers={200: PurgeReport},
        errors=(400,),
    ),
)
