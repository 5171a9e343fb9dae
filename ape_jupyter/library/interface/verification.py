"""How a library is checked."""

from __future__ import annotations

from typing import Protocol

from ape_jupyter.model.progress import ProgressCallback
from ape_jupyter.model.verification import VerifyReport

__all__ = ["VerifiesRuns"]


class VerifiesRuns(Protocol):
    """How a library is checked."""

    def verify(
        self,
        sim_id: str | None = None,
        repair: bool = False,
        fast: bool = False,
        *,
        progress: ProgressCallback | None = None,
    ) -> VerifyReport:
        """Check stored results, summaries, cache and registry against each other.

        Runs whose stored results are damaged are quarantined: opening them raises
        :class:`~ape_jupyter.errors.CorruptedDataError` until the same results are imported
        again. Linked files are read, and never changed.

        Parameters
        ----------
        sim_id : str, optional
            The run to check. Default: all runs, and files that belong to none.
        repair : bool
            Whether to mend what can be: make cache and summaries again, bring back runs from
            quarantine that are sound again and runs that the registry has lost, and remove
            files that have belonged to no run for a day.
        fast : bool
            Whether to check names, sizes and times only, and read no results.
        progress : callable, optional
            Told how many runs of how many are checked. What it raises ends the check.
        """
