"""Comparisons of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.compared import ComparisonOrder
from ape_jupyter.wire.encoding import JSON

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["ComparisonsHandler"]


class ComparisonsHandler(ApeHandler):
    """``comparisons``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def post(self) -> None:
        """Compare runs; posted because the request can be long, it changes nothing."""
        order = self.json_body(ComparisonOrder)

        def compare(library: LocalLibrary) -> JSON:
            # Not above: the server should not load pyarrow in order to start.
            from ape_jupyter.wire.comparison import comparison_message

            return comparison_message(
                library.compare_simulations(
                    order.sim_ids,
                    order.comparison_type,
                    metrics="all" if order.metrics == ("all",) else order.metrics,
                    time_alignment=order.time_alignment,
                    reference=order.reference,
                    confidence=order.confidence,
                    observations=order.observations,
                    bin_width=order.bin_width,
                    times=order.times,
                    paired=order.paired,
                    pool_replicates=order.pool_replicates,
                    patients=order.patients,
                )
            )

        await self.answer_call(compare, heavy=True)
