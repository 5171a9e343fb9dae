"""What the control groups around this process let it have, and what they take of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["ControlGroup", "control_groups"]


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of the files of a group, and of its figures for pages of files."""

    limit: str
    used: str
    files: tuple[str, ...]


_VERSION_1 = _Names(
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_active_file", "total_inactive_file"),
)
_VERSION_2 = _Names("memory.max", "memory.current", ("active_file", "inactive_file"))


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A group with a limit.

    Attributes
    ----------
    taken_bytes : int or None
        What its processes take, without the pages of files; None when it does not say.
    """

    limit_bytes: int
    taken_bytes: int | None


def control_groups(root: Path) -> Iterator[ControlGroup]:
    """Give the groups of this process, and those around them, that limit its memory."""
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
            places, names = _mounted(mounts, "cgroup2", ""), _VERSION_2
        elif "memory" in controllers.split(","):
            places, names = _mounted(mounts, "cgroup", "memory"), _VERSION_1
        else:
            continue
        for mount_root, mount_point in places:
            yield from _groups_up(root, mount_point, _below(path, mount_root), names)


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


def _groups_up(
    root: Path, mount: str, group: PurePosixPath, names: _Names
) -> Iterator[ControlGroup]:
    base = root / mount.lstrip("/")
    for place in (group, *group.parents):
        if ".." in place.parts:
            continue
        try:
            # "max" of version 2 is no number; "unlimited" of version 1 is more than any
            # machine has, and so never the least.
            limit = int((base / place / names.limit).read_text())
        except (OSError, ValueError):
            continue
        yield ControlGroup(limit, _taken(base / place, names))


def _taken(directory: Path, names: _Names) -> int | None:
    try:
        used = int((directory / names.used).read_text())
        lines = (directory / "memory.stat").read_text().splitlines()
        figures = {name: int(value) for name, _, value in (line.partition(" ") for line in lines)}
        return max(used - sum(figures[name] for name in names.files), 0)
    except (OSError, ValueError, KeyError):
        return None
