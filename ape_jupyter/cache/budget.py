"""How many bytes the cache may take: what the disk and the container really have."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ape_jupyter.errors import InvalidArgumentError

__all__ = ["BUDGET_VARIABLE", "Budget", "memory_limit"]

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
        What somebody asked for; None for a fifth of the disk or half of the memory,
        whichever is less.
    """

    chosen_bytes: int | None = None

    @classmethod
    def of(
        cls, budget_mb: float | None = None, environment: Mapping[str, str] = os.environ
    ) -> Budget:
        """Return the budget given in MB (1,000,000 bytes), else by the environment.

        Raises
        ------
        InvalidArgumentError
            If it is no positive number.
        """
        text = str(budget_mb) if budget_mb is not None else environment.get(BUDGET_VARIABLE, "")
        if not text:
            return cls()
        try:
            chosen = float(text)
        except ValueError:
            chosen = 0.0
        if not 0 < chosen < float("inf"):
            where = "cache_budget_mb" if budget_mb is not None else BUDGET_VARIABLE
            message = f"{where} should be a number of MB greater than 0, and is {text!r}."
            raise InvalidArgumentError(message)
        return cls(int(chosen * MB))

    def limit_bytes(self, directory: Path, used_bytes: int = 0) -> int:
        """Return what a cache in ``directory`` that takes ``used_bytes`` now may take.

        Never more than it has and could get: some of the disk is left to others.
        """
        disk = shutil.disk_usage(directory)
        left_free = min(int(disk.total * _LEFT_FREE_SHARE), _LEFT_FREE_AT_MOST)
        possible = max(used_bytes + disk.free - left_free, 0)
        if self.chosen_bytes is not None:
            return min(self.chosen_bytes, possible)
        wanted = int(disk.total * _DISK_SHARE)
        memory = memory_limit()
        if memory is not None:
            wanted = min(wanted, int(memory * _MEMORY_SHARE))
        return min(wanted, possible)


def memory_limit(root: Path = Path("/")) -> int | None:
    """Return the bytes of memory that this container or machine has; None when unknown.

    A container sees the machine's memory in every usual place; what it really may use is
    the least limit of its control group and of the groups around that.
    """
    limits = [*_group_limits(root)]
    total = _machine_memory(root)
    if total is not None:
        limits.append(total)
    return min(limits) if limits else None


def _machine_memory(root: Path) -> int | None:
    try:
        for line in (root / "proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemTotal:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _group_limits(root: Path) -> Iterator[int]:
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
        mounts = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return
    for line in groups:
        # "4:memory:/some/path" is version 1, "0::/some/path" version 2.
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            places, file = _mounted(mounts, "cgroup2", ""), "memory.max"
        elif "memory" in controllers.split(","):
            places, file = _mounted(mounts, "cgroup", "memory"), "memory.limit_in_bytes"
        else:
            continue
        for mount_root, mount_point in places:
            yield from _limits_up(root, mount_point, _below(path, mount_root), file)


def _mounted(mounts: list[str], kind: str, controller: str) -> list[tuple[str, str]]:
    """Return root and mount point of the mounts of a kind of control groups."""
    found = []
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields, options = before.split(), after.split()
        if len(fields) < 5 or len(options) < 3 or options[0] != kind:  # noqa: PLR2004
            continue
        if not controller or controller in options[2].split(","):
            found.append((fields[3], fields[4]))
    return found


def _below(path: str, mount_root: str) -> PurePosixPath:
    """Return a group's path as seen below a mount whose own root is ``mount_root``."""
    try:
        return PurePosixPath(path).relative_to(mount_root)
    except ValueError:
        # Inside a container with the host's paths: the mount itself is the group.
        return PurePosixPath()


def _limits_up(root: Path, mount: str, group: PurePosixPath, file: str) -> Iterator[int]:
    base = root / mount.lstrip("/")
    for place in (group, *group.parents):
        if ".." in place.parts:
            continue
        try:
            # "max" of version 2 is no number; "unlimited" of version 1 is more than any
            # machine has, and so never the least.
            yield int((base / place / file).read_text())
        except (OSError, ValueError):
            continue
