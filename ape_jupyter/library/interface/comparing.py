"""How runs are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.comparison import ComparisonType, TimeAlignment

if TYPE_CHECKING:
    from ape_jupyter.library.comparison import ComparisonResult

__all__ = ["ComparesRuns"]


class ComparesRuns(Protocol):
    """How runs are compared."""

    def compare_simulations(
        self,
        sim_ids: Sequence[str],
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        metrics: Sequence[str] | None = None,
        time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
        reference: str | None = None,
        confidence: float = 0.95,
    ) -> ComparisonResult:
        """Compare runs from their summaries; the cost does not depend on the patients.

        Raises
        ------
        InvalidArgumentError
            For fewer than two runs, an unknown type, metric or alignment, a reference
            that is not among the runs, or a confidence outside (0, 1).
        """
