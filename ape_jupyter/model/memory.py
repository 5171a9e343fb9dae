"""What runs take of memory and disk. A MB is 1,000,000 bytes; None stands for unknown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = [
    "Eviction",
    "KernelMemory",
    "MappedRun",
    "MemoryReport",
    "MemoryUsage",
    "Optimization",
    "OptimizationReport",
    "OptimizationStep",
    "RunMemory",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """A run whose mapped files were removed; ``freed_mb`` is 0 when there were none."""

    sim_id: str
    freed_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUsage:
    """What the mapped results of a run take in one process.

    Attributes
    ----------
    mapped_mb : float
        The size of the mapped files.
    resident_mb : float or None
        The part that this process has touched and that is in memory now; all processes
        share it, and the system takes it back when memory is short.
    private_mb : float or None
        The part that is a copy of this process alone: 0, as the files are mapped read-only.
    """

    mapped_mb: float
    resident_mb: float | None
    private_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRun:
    """A run as one process has it mapped.

    Attributes
    ----------
    pss_mb : float or None
        The proportional share: each page divided by the number of processes that map it.
    resident_mb : float or None
        What this process has touched and is in memory.
    """

    sim_id: str
    mapped_mb: float
    pss_mb: float | None
    resident_mb: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelMemory:
    """The memory of a kernel with its child processes, read from the outside.

    Attributes
    ----------
    kernel_id : str or None
        None for a process that is no kernel of the server and has runs of the library open.
    private_mb : float or None
        What the kernel has for itself, mapped runs not counted.
    pss_mb : float or None
        All of its memory, with its shares of what it has in common with others.
    """

    kernel_id: str | None
    pid: int
    private_mb: float | None
    pss_mb: float | None
    runs: tuple[MappedRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMemory:
    """A run in the cache.

    Attributes
    ----------
    cached_mb : float
        The size of its mapped files on disk.
    resident_mb : float or None
        The part of the files that is in memory now, whoever uses it.
    pandas_mb : float
        What its tables would take as DataFrames, in every kernel anew.
    n_readers : int
        Kernels of ``MemoryReport.kernels`` that have it mapped.
    is_in_use : bool
        Whether a process holds it, so that it is not evicted.
    """

    sim_id: str
    name: str
    cached_mb: float
    resident_mb: float | None
    pandas_mb: float
    n_readers: int
    is_pinned: bool
    is_in_use: bool
    last_used: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReport:
    """What the library, its cache and the kernels that use it take.

    Attributes
    ----------
    limit_mb : float or None
        The memory that this container or machine has.
    budget_mb : float
        What the cache may take on disk now.
    cached_mb : float
        What it takes.
    shared_mb : float or None
        What the mapped runs cost all kernels together.
    pandas_mb : float
        What the same would cost if each kernel had a copy of its runs in pandas.
    notes : tuple of str
        What can not be known on this system, and why; and what is risky about it.
    """

    kernels: tuple[KernelMemory, ...]
    runs: tuple[RunMemory, ...]
    limit_mb: float | None
    budget_mb: float
    cached_mb: float
    shared_mb: float | None
    pandas_mb: float
    notes: tuple[str, ...]


class Optimization(StrEnum):
    """What was done with a run, or with what is no run."""

    EVICTED = "evicted"
    RELEASED = "released"
    SWEPT = "swept"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationStep:
    """One thing that was done or left, and why.

    Attributes
    ----------
    sim_id : str or None
        None for what belongs to no run.
    freed_mb : float
        Of disk for what was evicted or swept, of memory for what was released.
    """

    action: Optimization
    sim_id: str | None
    name: str
    reason: str
    freed_mb: float

    def __str__(self) -> str:
        freed = f", {self.freed_mb:,.1f} MB" if self.freed_mb else ""
        return f"{self.name}: {self.action}{freed} ({self.reason})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationReport:
    """What :meth:`optimize_memory` did.

    Attributes
    ----------
    freed_disk_mb : float
        By evicting and sweeping.
    freed_memory_mb : float
        By taking idle runs out of memory, and by evicting.
    """

    steps: tuple[OptimizationStep, ...]
    freed_disk_mb: float
    freed_memory_mb: float

    def __str__(self) -> str:
        head = (
            f"{self.freed_memory_mb:,.1f} MB of memory and {self.freed_disk_mb:,.1f} MB of disk "
            "were freed."
        )
        return "\n".join([head, *(f"  {step}" for step in self.steps)])
