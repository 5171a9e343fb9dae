"""The part of a remote library that compares runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ape_jupyter.client.transport import Transport
from ape_jupyter.errors import ServerUnavailableError
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.library.interface.comparing import Subgroups
from ape_jupyter.model.comparison import (
    ComparisonType,
    Observations,
    PatientCriterion,
    TimeAlignment,
)
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.wire.comparison import comparison_result
from ape_jupyter.wire.encoding import decode, encode
from ape_jupyter.wire.errors import ErrorBody, error_from
from ape_jupyter.wire.routes.comparisons import LINES

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
        subgroups: Subgroups = None,
        cost_effectiveness: bool = False,
        distributions: bool = False,
        progress: ProgressCallback | None = None,
    ) -> ComparisonResult:
        """Compare runs from their summaries; see ``Library``.

        Interrupting this, or raising from ``progress``, cancels the work on the server.
        """
        # A kernel that only lists runs does not need the statistics.
        from ape_jupyter.services.compare import patient_criteria, patient_groupings

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
            "subgroups": encode(patient_groupings(subgroups)),
            "cost_effectiveness": cost_effectiveness,
            "distributions": distributions,
        }
        with self._transport.lines("comparisons", json=order, accept=LINES) as lines:
            for line in lines:
                if line.get("result") is not None:
                    return comparison_result(line["result"])
                if line.get("error") is not None:
                    raise error_from(decode(ErrorBody, line["error"], unknown="ignore"))
                if progress is not None and line.get("progress") is not None:
                    progress(decode(Progress, line["progress"], unknown="ignore"))
        raise ServerUnavailableError(
            "The server ended before the comparison did. Compare again once it is running."
        )


def _listed(metrics: Sequence[str] | str) -> list[str]:
    return [metrics] if isinstance(metrics, str) else list(metrics)


def _sent(time: float | str | date) -> float | str:
    return time.isoformat() if isinstance(time, date) else time
