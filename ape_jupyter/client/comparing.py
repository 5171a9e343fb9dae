"""The part of a remote library that compares runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ape_jupyter.client.transport import Transport
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.model.comparison import (
    ComparisonType,
    Observations,
    PatientCriterion,
    TimeAlignment,
)
from ape_jupyter.wire.comparison import comparison_result
from ape_jupyter.wire.encoding import encode

__all__ = ["RemoteComparison"]


class RemoteComparison:
    """Has the server compare runs; see ``Library``."""

    _transport: Transport

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | str | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
        *,
        observations: Observations | str | None = None,
        bin_width: int | None = None,
        times: Sequence[float | str | date] | None = None,
        paired: bool = False,
        pool_replicates: bool = False,
        patients: Mapping[str, Any] | Sequence[PatientCriterion] | None = None,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``."""
        # A kernel that only lists runs does not need the statistics.
        from ape_jupyter.services.compare import patient_criteria

        order = {
            "sim_ids": list(sim_ids),
            "comparison_type": comparison_type,
            "metrics": metrics if metrics is None else _listed(metrics),
            "time_alignment": time_alignment,
            "reference": reference,
            "confidence": confidence,
            "observations": observations,
            "bin_width": bin_width,
            "times": None if times is None else [_sent(time) for time in times],
            "paired": paired,
            "pool_replicates": pool_replicates,
            "patients": encode(patient_criteria(patients)),
        }
        return comparison_result(self._transport.post(Any, "comparisons", json=order))


def _listed(metrics: Sequence[str] | str) -> list[str]:
    return [metrics] if isinstance(metrics, str) else list(metrics)


def _sent(time: float | str | date) -> float | str:
    return time.isoformat() if isinstance(time, date) else time
