"""The part of a remote library that compares runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ape_jupyter.client.transport import Transport
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.model.comparison import ComparisonType, TimeAlignment
from ape_jupyter.wire.comparison import comparison_result

__all__ = ["RemoteComparison"]


class RemoteComparison:
    """Has the server compare runs; see ``Library``."""

    _transport: Transport

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``."""
        order = {
            "sim_ids": list(sim_ids),
            "comparison_type": comparison_type,
            "metrics": None if metrics is None else list(metrics),
            "time_alignment": time_alignment,
            "reference": reference,
            "confidence": confidence,
        }
        return comparison_result(self._transport.post(Any, "comparisons", json=order))
