"""What the workers of a cluster are asked to do.

A worker needs to see what it is to read, under the path that this process has for it, and
nothing of the library's directory but that: what it makes travels back as bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ape_jupyter.errors import ApeError, InvalidArgumentError
from ape_jupyter.library.isolation import prepare_isolated
from ape_jupyter.library.orders import failed, prepared
from ape_jupyter.library.preparation import Request, files_at
from ape_jupyter.library.summaries import summary_of_object
from ape_jupyter.results.parcels import packed
from ape_jupyter.results.store import ObjectStore

__all__ = ["prepared_on_worker", "summarised_on_worker", "table_from", "told_by"]


def prepared_on_worker(path: str, request: Request) -> dict[str, Any]:
    """Prepare a run as for a library that has none; see ``prepare_run``.

    Returns
    -------
    dict
        Either ``failed`` or ``denied``, or ``prepared`` with ``files`` and ``summary``.
    """
    place = _seen(path)
    with _own_directory() as own:
        store = ObjectStore(own / "objects", own / "staging")
        store.directory.mkdir()
        store.staging.mkdir()
        with store.staged() as scratch:
            try:
                files = files_at(place, scratch, request.link)
                run = prepare_isolated(files, request, store, scratch, lambda _: None)
            except ApeError as error:
                return {"failed": failed(error)}
            except PermissionError as error:
                return {"denied": [error.errno, error.strerror, str(error.filename)]}
            assert run.new is not None  # noqa: S101  # the store of this function was empty
            return {
                "prepared": prepared(run),
                "files": packed(run.new.staged.path),
                "summary": _to_bytes(run.new.summary),
            }


def told_by(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a preparation tells, without the bytes that may not be needed."""
    return {key: value for key, value in outcome.items() if key not in {"files", "summary"}}


def summarised_on_worker(
    objects: str, digest: str, start_date: datetime, duration_years: float
) -> bytes:
    """Make the summary of a stored result set; :func:`table_from` reads it.

    Raises
    ------
    CorruptedDataError
        If the results are damaged, as far as this worker can see.
    """
    _seen(str(ObjectStore(Path(objects), Path(objects)).path(digest)))
    with _own_directory() as own:
        store = ObjectStore(Path(objects), own)
        return _to_bytes(summary_of_object(store, digest, start_date, duration_years))


def _seen(path: str) -> Path:
    if not Path(path).exists():
        import distributed

        raise InvalidArgumentError(
            f"The worker {distributed.get_worker().address} does not see {path}. Put it on a "
            "file system that all workers have under the same path, or work without the "
            "cluster after use_cluster(None)."
        )
    return Path(path)


@contextmanager
def _own_directory() -> Iterator[Path]:
    import distributed

    # When a worker is killed, Dask removes what it had in here.
    place = distributed.get_worker().local_directory
    with tempfile.TemporaryDirectory(prefix="ape-jupyter-", dir=place) as own:
        yield Path(own)


def _to_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def table_from(data: bytes) -> pa.Table:
    """Read a table that came from a worker."""
    table = pa.ipc.open_stream(data).read_all()
    table.validate(full=True)
    return table
