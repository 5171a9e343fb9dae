"""Measuring kernels from the outside, and adding up what they share."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from ape_jupyter.cache.budget import memory_limit
from ape_jupyter.cache.eviction import is_exempt_name
from ape_jupyter.cache.pages import FilePages, ProcessPages, family, process_pages
from ape_jupyter.model.file_system import FileSystem
from ape_jupyter.model.memory import KernelMemory, MappedRun, MemoryReport, RunMemory

__all__ = ["kernel_memory", "memory_report"]

MB = 10**6

_NO_SHARES = (
    "This system does not tell which pages of a file a process has in memory, so the shares "
    "of the kernels in the mapped runs are not known."
)
_NO_RESIDENCE = "This system does not tell which parts of the cached files are in memory."
_NO_LIMIT = "How much memory this machine has is not known."
_NOT_LOCAL = "should another machine remove files there, kernels that map them are killed."


def kernel_memory(
    kernels: Mapping[str, int] | None,
    users: Collection[int],
    cache: Path,
    sim_ids: Mapping[str, str],
) -> list[KernelMemory]:
    """Return the memory of kernels and of all others that have runs open.

    Parameters
    ----------
    kernels : mapping or None
        Process ids by kernel id; None when this process is the one that asks for itself.
    users : collection of int
        Processes that hold leases.
    sim_ids : mapping
        By digest.
    """
    roots: list[tuple[str | None, int]] = list((kernels or {}).items())
    families = [(kernel_id, family(pid)) for kernel_id, pid in roots]
    known = {pid for _, members in families for pid in members}
    others = set(users) | ({os.getpid()} if kernels is None else set())
    families += [(None, [pid]) for pid in sorted(others - known)]
    directory = cache.resolve()
    measured = []
    for kernel_id, members in families:
        pages = [found for pid in members if (found := process_pages(pid)) is not None]
        if pages:
            measured.append(_kernel(kernel_id, pages, directory, sim_ids))
    return measured


def _kernel(
    kernel_id: str | None, pages: Sequence[ProcessPages], cache: Path, sim_ids: Mapping[str, str]
) -> KernelMemory:
    by_run: dict[str, list[FilePages]] = {}
    for process in pages:
        for file in process.files or ():
            directory = file.path.parent
            sim_id = sim_ids.get(directory.name)
            if directory.parent == cache and sim_id and not is_exempt_name(file.path.name):
                by_run.setdefault(sim_id, []).append(file)
    return KernelMemory(
        kernel_id=kernel_id,
        pid=pages[0].pid,
        private_mb=_total(process.private for process in pages),
        pss_mb=_total(process.share for process in pages),
        runs=tuple(_mapped_run(sim_id, files) for sim_id, files in sorted(by_run.items())),
    )


def _total(values: Iterable[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / MB if known else None


def _mapped_run(sim_id: str, files: Sequence[FilePages]) -> MappedRun:
    # A process, or its child, that opened a run twice maps each file twice: its pages are
    # the same, and only the shares may be added.
    paths = {file.path for file in files}

    def once(figure: str) -> int:
        return sum(
            max(getattr(file, figure) for file in files if file.path == path) for path in paths
        )

    return MappedRun(
        sim_id=sim_id,
        mapped_mb=once("mapped") / MB,
        pss_mb=sum(file.share for file in files) / MB,
        resident_mb=once("resident") / MB,
    )


def memory_report(
    kernels: Sequence[KernelMemory],
    runs: Sequence[RunMemory],
    *,
    budget_bytes: int,
    cached_bytes: int,
    file_system: FileSystem | None,
) -> MemoryReport:
    """Add up the figures of kernels and runs; ``file_system`` is the one of the cache."""
    limit = memory_limit()
    as_pandas = {run.sim_id: run.pandas_mb for run in runs}
    mapped = [run for kernel in kernels for run in kernel.runs]
    knows_shares = all(kernel.pss_mb is not None for kernel in kernels)
    notes = {
        _NO_SHARES: not knows_shares,
        _NO_RESIDENCE: any(run.resident_mb is None for run in runs),
        _NO_LIMIT: limit is None,
        f"The cache is on {file_system}; {_NOT_LOCAL}": file_system and not file_system.is_local,
    }
    return MemoryReport(
        kernels=tuple(kernels),
        runs=tuple(runs),
        limit_mb=None if limit is None else limit / MB,
        budget_mb=budget_bytes / MB,
        cached_mb=cached_bytes / MB,
        shared_mb=sum(run.pss_mb or 0.0 for run in mapped) if knows_shares else None,
        pandas_mb=sum(as_pandas.get(run.sim_id, 0.0) for run in mapped),
        notes=tuple(note for note, applies in notes.items() if applies),
    )
