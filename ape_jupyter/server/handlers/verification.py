"""Checks of the library."""

from __future__ import annotations

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import VerifyOrder

__all__ = ["VerificationHandler"]


class VerificationHandler(ApeHandler):
    """``verification``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Check the library, or one run."""
        order = self.json_body(VerifyOrder)
        await self.answer_call(
            lambda library: library.verify(order.sim_id, order.repair, order.fast), heavy=True
        )
