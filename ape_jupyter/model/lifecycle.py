"""What a purge takes, or would take."""

from __future__ import annotations

from dataclasses import dataclass

from ape_jupyter.model.simulation import SimulationMetadata

__all__ = ["PurgeReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeReport:
    """What a purge took, or with ``dry_run`` would take.

    Attributes
    ----------
    runs : tuple of SimulationMetadata
        The runs, the longest in the trash first.
    n_objects : int
        Their result sets that no other run has.
    size_bytes : int
        What these take on the disk. Linked files are neither counted nor touched.
    """

    runs: tuple[SimulationMetadata, ...]
    n_objects: int
    size_bytes: int
    dry_run: bool

    def __str__(self) -> str:
        n_runs = len(self.runs)
        runs = f"{n_runs} run{'s' if n_runs != 1 else ''}"
        sets = f"{self.n_objects} result set{'s' if self.n_objects != 1 else ''}"
        verb = "would go" if self.dry_run else "gone"
        return f"{runs} and {sets} {verb}, {self.size_bytes / 1e6:,.1f} MB."
