"""Which file system a path is on, as Linux tells it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mount", "mount_of", "mounts", "parse_mounts"]

MOUNTINFO = Path("/proc/self/mountinfo")
_OCTAL = re.compile(rb"\\([0-7]{3})")
# Only these two bytes separate: a name may hold every other kind of white space.
_LINE = re.compile(
    rb"(?P<id>\d+) (?P<parent>\d+) (?P<device>\d+:\d+) [^ ]+ (?P<mount_point>[^ ]+) [^ ]+"
    rb"(?: [^ ]+)*? - (?P<fs_type>[^ ]+) (?P<source>[^ ]*)(?: .*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mounted file system.

    Attributes
    ----------
    mount_id, parent_id : int
        Its number, and the number of the mount that its mount point lies on.
    device : str
        ``major:minor``; major is 0 when there is no block device below.
    mount_point, fs_type, source : str
        Where it is mounted, what it is (``"ext4"``), and of what.
    """

    mount_id: int
    parent_id: int
    device: str
    mount_point: str
    fs_type: str
    source: str


def mounts() -> tuple[Mount, ...] | None:
    """Return what is mounted; None where the system does not tell (macOS, Windows)."""
    try:
        return parse_mounts(MOUNTINFO.read_bytes())
    except OSError:
        return None


def parse_mounts(content: bytes) -> tuple[Mount, ...]:
    """Read ``/proc/self/mountinfo``; lines of another form are left out.

    The kernel writes space, tab, newline and backslash in paths as three octal digits. The
    optional fields before the hyphen can be any number.
    """
    matches = filter(None, map(_LINE.fullmatch, content.split(b"\n")))
    return tuple(
        Mount(
            mount_id=int(match["id"]),
            parent_id=int(match["parent"]),
            device=match["device"].decode(),
            mount_point=_path(match["mount_point"]),
            fs_type=_path(match["fs_type"]),
            source=_path(match["source"]),
        )
        for match in matches
    )


def _path(field: bytes) -> str:
    return os.fsdecode(_OCTAL.sub(lambda match: bytes([int(match[1], 8)]), field))


def mount_of(path: Path, mounted: Sequence[Mount]) -> Mount | None:
    """Return the mount that an absolute path without links is on, by going down to it.

    The longest mount point that leads to a path is not always it: a mount can be hidden by a
    later one on a directory above.
    """
    numbers = {mount.mount_id for mount in mounted}
    # The first of all, in the kernel's own initial file system, is its own parent.
    entered = [m for m in mounted if m.parent_id not in numbers or m.parent_id == m.mount_id]
    here = _first_on_the_way(path, "/", entered)
    while here is not None:
        inside = [m for m in mounted if m.parent_id == here.mount_id and m is not here]
        deeper = _first_on_the_way(path, here.mount_point, inside)
        if deeper is None:
            break
        here = deeper
    return here


def _first_on_the_way(path: Path, start: str, candidates: Sequence[Mount]) -> Mount | None:
    on_the_way = [
        mount
        for mount in candidates
        if path.is_relative_to(mount.mount_point) and Path(mount.mount_point).is_relative_to(start)
    ]
    return min(on_the_way, key=lambda mount: len(Path(mount.mount_point).parts), default=None)
