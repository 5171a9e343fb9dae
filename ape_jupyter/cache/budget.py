"""How many bytes the cache may take: what the disk and the container really have."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ape_jupyter.cache.control_groups import control_groups
from ape_jupyter.errors import InvalidArgumentError

__all__ = ["BUDGET_VARIABLE", "Budget", "largest_bytes", "memory_limit", "memory_share"]

BUDGET_VARIABLE = "APE_JUPYTER_CACHE_BUDGET_MB"
MB = 10**6

_DISK_SHARE = 0.2
_MEMORY_SHARE = 0.5
_LEFT_FREE_SHARE = 0.02
_LEFT_FREE_AT_MOST = 2**30


@dataclass(frozen=True, slots=True)
class Budget:
    """The bytes that a cache may take.

    Attributes
    ----------
    chosen_bytes : int or None
        What somebody asked for; None for what ``setting`` says, else a fifth of the disk or
        half of the memory, whichever is less.
    setting : Path or None
        A file with the MB that the users of the library agreed on.
    """

    chosen_bytes: int | None = None
    setting: Path | None = None

    @classmethod
    def of(
        cls,
        budget_mb: float | None = None,
        environment: Mapping[str, str] = os.environ,
        setting: Path | None = None,
    ) -> Budget:
        """Return the budget given in MB (1,000,000 bytes), else by the environment.

        Raises
        ------
        InvalidArgumentError
            If it is no positive number.
        """
        text = str(budget_mb) if budget_mb is not None else environment.get(BUDGET_VARIABLE, "")
        if not text:
            return cls(None, setting)
        try:
            chosen = float(text)
        except ValueError:
            chosen = 0.0
        if not 0 < chosen < float("inf"):
            where = "cache_budget_mb" if budget_mb is not None else BUDGET_VARIABLE
            message = f"{where} should be a number of MB greater than 0, and is {text!r}."
            raise InvalidArgumentError(message)
        return cls(int(chosen * MB), setting)

    def raised(self, budget_mb: float) -> Budget:
        """Return another budget, and keep it for all processes that were given none.

        Raises
        ------
        OSError
            If the setting can not be written.
        """
        if self.setting is not None:
            partial = self.setting.with_name(f".{self.setting.name}.{uuid.uuid4().hex}.partial")
            try:
                partial.write_text(f"{budget_mb:.6f}\n", "ascii")
                partial.replace(self.setting)
            finally:
                partial.unlink(missing_ok=True)
        return replace(self, chosen_bytes=int(budget_mb * MB))

    def _agreed_bytes(self) -> int | None:
        if self.setting is None:
            return None
        try:
            agreed = float(self.setting.read_text("ascii"))
        except (OSError, ValueError):
            return None
        return int(agreed * MB) if 0 < agreed < float("inf") else None

    def limit_bytes(self, directory: Path, used_bytes: int = 0) -> int:
        """Return what a cache in ``directory`` that takes ``used_bytes`` now may take.

        Never more than it has and could get: some of the disk is left to others.
        """
        possible = largest_bytes(directory, used_bytes)
        chosen = self._agreed_bytes() if self.chosen_bytes is None else self.chosen_bytes
        if chosen is not None:
            return min(chosen, possible)
        wanted = int(shutil.disk_usage(directory).total * _DISK_SHARE)
        memory = memory_limit()
        if memory is not None:
            wanted = min(wanted, int(memory * _MEMORY_SHARE))
        return min(wanted, possible)


def largest_bytes(directory: Path, used_bytes: int = 0) -> int:
    """Return what a cache in ``directory`` that takes ``used_bytes`` now could take."""
    disk = shutil.disk_usage(directory)
    left_free = min(int(disk.total * _LEFT_FREE_SHARE), _LEFT_FREE_AT_MOST)
    return max(used_bytes + disk.free - left_free, 0)


def memory_limit(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that this container or machine has; None when unknown.

    A container sees the machine's memory in every usual place; what it really may use is
    the least limit of its control group and of the groups around that.
    """
    limits = [group.limit_bytes for group in control_groups(root)]
    total = _machine_memory(root)
    if total is not None:
        limits.append(total)
    return min(limits) if limits else None


def memory_share(root: Path = Path("/")) -> tuple[int, int] | None:
    """Return what is taken of the memory and how much there is, in bytes; None when unknown.

    Of the machine and the control groups around this process, those of the one that is
    fullest. Pages of files that the system can take back at once, mapped runs among them,
    are not counted.
    """
    levels = [
        (group.taken_bytes, group.limit_bytes)
        for group in control_groups(root)
        if group.taken_bytes is not None and group.limit_bytes > 0
    ]
    figures = _machine_figures(root)
    if "MemTotal" in figures and "MemAvailable" in figures:
        total = figures["MemTotal"]
        levels.append((total - figures["MemAvailable"], total))
    return max(levels, key=lambda level: level[0] / level[1], default=None)


def _machine_figures(root: Path) -> dict[str, int]:
    """Return the figures of ``meminfo`` that are in bytes."""
    try:
        lines = (root / "proc/meminfo").read_text("ascii").splitlines()
        return {
            name: int(value.split()[0]) * 1024
            for name, _, value in (line.partition(":") for line in lines)
        }
    except (OSError, ValueError, IndexError):
        return {}


def _machine_memory(root: Path) -> int | None:
    figures = _machine_figures(root)
    if "MemTotal" in figures:
        return figures["MemTotal"]
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
