"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

__all__ = ["machine_facts"]


def machine_facts(directory: Path) -> dict[str, str]:
    """Return the facts that times depend on; ``directory`` is where the files lie."""
    return {
        "processor": _processor(),
        "cores": str(_usable_cores()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
        "file system": _file_system(directory),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pandas", "pyarrow", "sqlalchemy")},
    }


def _usable_cores() -> int | None:
    # A container may be given fewer cores than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _file_system(directory: Path) -> str:
    best = max(
        (
            part
            for part in psutil.disk_partitions(all=True)
            if directory.resolve().is_relative_to(part.mountpoint)
        ),
        key=lambda part: len(part.mountpoint),
        default=None,
    )
    return best.fstype if best else "unknown"
