"""What a directory is on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FileSystem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A mounted file system.

    Attributes
    ----------
    fs_type : str
        As the kernel names it: ``"ext4"``, ``"nfs4"``, ``"fuse.sshfs"``.
    is_local : bool
        Whether it is known to be of this machine alone.
    """

    fs_type: str
    mount_point: str
    is_local: bool

    def __str__(self) -> str:
        return f"{self.fs_type} (mounted at {self.mount_point})"
