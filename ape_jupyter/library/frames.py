"""Dask DataFrames, computed and written as the part files of a dataset."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ape_jupyter.errors import Fault, InvalidResultsError
from ape_jupyter.library.cluster import Cluster
from ape_jupyter.results.casting import is_text

__all__ = ["computed_frames"]


def computed_frames(
    label: str, given: Mapping[str, Any], directory: Path, cluster: Cluster | None
) -> dict[str, Any]:
    """Write the Dask DataFrames among tables below a directory, and give its paths for them.

    Parameters
    ----------
    cluster : Cluster or None
        Where they are computed; None for where Dask computes by itself.

    Raises
    ------
    InvalidResultsError
        If Arrow can not hold a partition.
    """
    return {
        name: _written(label, name, data, directory, cluster) if _is_dask_frame(data) else data
        for name, data in given.items()
    }


def _is_dask_frame(data: Any) -> bool:
    # Who has none of Dask's collections has not necessarily Dask.
    return hasattr(data, "__dask_graph__") and hasattr(data, "to_delayed")


def _written(label: str, name: str, frame: Any, directory: Path, cluster: Cluster | None) -> Path:
    target = directory / name
    target.mkdir(mode=0o700)
    # Dask numbers rows for itself; a column that a user made the index has a name.
    keeps_index = getattr(getattr(frame, "index", None), "name", None) is not None
    write = partial(_write, name, target, keeps_index=keeps_index)
    parts = frame.to_delayed()
    cluster = cluster or _cluster_of_dask()
    if cluster is None:
        import dask

        # All in one computation: what partitions have in common is computed once.
        found = dask.compute(*(dask.delayed(write)(*part) for part in enumerate(parts)))
    else:
        found = [write(*part) for part in enumerate(cluster.computed(parts))]
    faults = [fault for fault in found if fault]
    if faults:
        raise InvalidResultsError(label, faults)
    return target


def _write(name: str, target: Path, number: int, part: Any, *, keeps_index: bool) -> Fault | None:
    try:
        table = pa.Table.from_pandas(part, preserve_index=keeps_index)
    except (pa.ArrowException, AttributeError) as error:
        return Fault(name, f"partition {number} can not be read as a table: {error}")
    # Dask takes a column without any values for text, whatever it is of.
    for position, (field, column) in enumerate(zip(table.schema, table.columns, strict=True)):
        if is_text(field.type) and column.null_count == len(column):
            table = table.set_column(position, field.name, pa.nulls(len(column)))
    pq.write_table(table, target / f"part-{number}.parquet", compression="zstd")
    return None


def _cluster_of_dask() -> Cluster | None:
    """Return the cluster on which ``compute()`` would compute; None for this process."""
    distributed = sys.modules.get("distributed")
    try:
        return Cluster(distributed.default_client()) if distributed else None
    except ValueError:
        return None
