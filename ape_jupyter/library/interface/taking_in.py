"""How runs come in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol

from ape_jupyter.model.progress import ProgressCallback
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    from ape_jupyter.library.listing import ImportReport

__all__ = ["TakesRunsIn"]


class TakesRunsIn(Protocol):
    """How runs come in."""

    def import_results(
        self,
        path: str | PathLike[str],
        *,
        copy: bool = True,
        tags: Iterable[str] = (),
        progress: ProgressCallback | None = None,
    ) -> ImportReport:
        """Take in an APE results directory, a folder of many, or a package ``.zip``.

        Runs that are already there are left as they are. A run with faults does not keep
        the others out; it is named in the report's ``refused``.

        Parameters
        ----------
        copy : bool
            False leaves the results where they are and links them: nothing of them is ever
            changed, and a run whose files change or vanish can not be opened until they are
            back, or it is imported again. Importing a linked run with a copy makes it
            independent of its files. Packages can not be linked.

        Raises
        ------
        InvalidResultsError
            If ``path`` is one run and that run is refused.
        InvalidArgumentError
            If there is no run at ``path``.
        """

    def register(
        self,
        patients: Any,
        visits: Any,
        *,
        protocol: Mapping[str, Any] | str | PathLike[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        audit_log: Sequence[Mapping[str, Any]] | None = None,
        costs: Any = None,
        resources: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        parent: str | None = None,
    ) -> SimulationMetadata:
        """Add a run from tables: DataFrames of pandas or Dask, pyarrow Tables or paths.

        A path is that of a Parquet file, or of a directory of part files, whose rows follow one
        another in the order of the parts' numbers. Of a Dask DataFrame one partition at a time
        is in the memory of this process.

        ``parameters`` may hold ``engine_type``, ``model_type``, ``duration_years``, ``seed``,
        ``n_patients`` and ``runtime_seconds``; what is absent is read off the tables.

        Raises
        ------
        InvalidResultsError
            With every fault of the tables.
        """
