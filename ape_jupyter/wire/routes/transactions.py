"""Routes that change many things at once."""

from __future__ import annotations

from ape_jupyter.wire.messages import SimulationList
from ape_jupyter.wire.routes.route import Route
from ape_jupyter.wire.transactions import TransactionOrder

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
)
