"""A run given as tables, in the form in which runs are read from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any

from ape_jupyter.library.documents import read_protocol
from ape_jupyter.library.registration import described_run, given_tables
from ape_jupyter.results.reading import RunFiles

__all__ = ["files_of_tables"]


def files_of_tables(
    given: Mapping[str, Any],
    *,
    protocol: Mapping[str, Any] | str | PathLike[str] | None,
    parameters: Mapping[str, Any] | None,
    audit_log: Sequence[Mapping[str, Any]] | None,
    name: str | None,
    notes: str,
    parent: str | None,
) -> RunFiles:
    """Return what a results directory with these tables would hold; see ``Library.register``.

    Parameters
    ----------
    given : mapping
        DataFrames, tables or paths by the name of the table; None where there is none.
    parent : str or None
        The full id of the run that it was made from.
    """
    tables = given_tables(f"run {name!r}" if name else "the run", given)
    protocol = read_protocol(protocol)
    documents = {"protocol": protocol, "parameters": parameters, "audit_log": audit_log}
    details = described_run(tables, parameters or {}, protocol or {}, name)
    details["library"] = {"source": "registered", "notes": notes, "parent": parent}
    return RunFiles(
        label=f"run {details['memorable_name']!r}",
        metadata=details,
        tables=tables,
        documents={key: value for key, value in documents.items() if value is not None},
    )
