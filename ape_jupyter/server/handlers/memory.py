"""What is kept in the cache and in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.kernel_processes import kernel_pids
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.encoding import dumps
from ape_jupyter.wire.messages import OptimizationOrder

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["EvictHandler", "MemoryHandler", "OptimizationHandler", "PinHandler"]


class PinHandler(ApeHandler):
    """``simulations/{sim_id}/pin``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self, sim_id: str) -> None:
        """Pin a run."""
        user = self.owner
        await self.answer_call(lambda library: library.pin(sim_id, user=user))

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self, sim_id: str) -> None:
        """Unpin a run."""
        user = self.owner
        await self.answer_call(lambda library: library.unpin(sim_id, user=user))


class EvictHandler(ApeHandler):
    """``simulations/{sim_id}/evict``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self, sim_id: str) -> None:
        """Evict a run."""
        await self.answer_call(lambda library: library.evict(sim_id), heavy=True)


class MemoryHandler(ApeHandler):
    """``memory``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with what runs take in every kernel of this server."""
        kernels = kernel_pids(self.kernel_manager)

        def measure(library: LocalLibrary) -> str:
            return dumps(library.memory(kernels))

        self.answer_text(
            await self.ape.memory_answer.get(lambda: self.access.call(measure, heavy=True))
        )


class OptimizationHandler(ApeHandler):
    """``memory/optimize``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Free what nobody has used for some time."""
        order = self.json_body(OptimizationOrder)
        await self.answer_call(lambda library: library.optimize_memory(order.idle_for), heavy=True)
