"""File systems that can not hold a library: those that several machines use at once.

SQLite's write-ahead log needs memory that all its processes share, and the cache files that
stay as they are for those who have mapped them. Neither is so where another machine writes, too,
and what then happens is no error but a damaged database, or a kernel that is killed.

Refused are the network, cluster and parallel file systems known here, folders that a host shares
into a virtual machine (their locks and maps do not reach the host), and FUSE unless it is known
to be local: a FUSE program can put anything behind a path, and most put a network there. A type
that is not known here counts as local only when a block device is below it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.mounts import Mount, mount_of, mounts
from ape_jupyter.model.file_system import FileSystem

__all__ = ["ALLOW_VARIABLE", "file_system_of", "refuse_network_file_systems"]

ALLOW_VARIABLE = "APE_JUPYTER_ALLOW_NETWORK_FS"

# They have no block device of their own, or hide it.
LOCAL = frozenset(
    {
        *("bcachefs", "btrfs", "ecryptfs", "overlay", "ramfs", "rootfs", "shiftfs", "tmpfs", "zfs"),
        *("fuse.encfs", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuseblk"),
    }
)
SHARED = frozenset(
    {
        # network
        *(
            "9p",
            "afs",
            "auristorfs",
            "ceph",
            "cifs",
            "coda",
            "ncpfs",
            "nfs",
            "nfs4",
            "smb3",
            "smbfs",
        ),
        # parallel
        *("beegfs", "cvfs", "gpfs", "lustre", "mfs", "orangefs", "panfs", "pvfs2", "wekafs"),
        # cluster: on a block device that other machines use, too
        *("acfs", "gfs", "gfs2", "ocfs2"),
        # folders that a virtual machine has from its host
        *("fakeowner", "prl_fs", "vboxsf", "virtiofs", "vmhgfs"),
    }
)


def file_system_of(path: Path, mounted: Sequence[Mount] | None = None) -> FileSystem | None:
    """Return what a path is on, or would be; None where the system does not tell.

    Parameters
    ----------
    mounted : sequence of Mount, optional
        What is mounted. Default: what Linux says; macOS and Windows are not asked.
    """
    mounted = mounts() if mounted is None else mounted
    mount = mount_of(path.resolve(), mounted) if mounted else None
    if mount is None:
        return None
    return FileSystem(
        fs_type=mount.fs_type, mount_point=mount.mount_point, is_local=_is_local(mount)
    )


def _is_local(mount: Mount) -> bool:
    if mount.fs_type in LOCAL:
        return True
    if mount.fs_type in SHARED or mount.fs_type.startswith("fuse"):
        return False
    return mount.source.startswith("/dev/") or not mount.device.startswith("0:")


def refuse_network_file_systems(paths: Sequence[Path], *, allow: bool = False) -> None:
    """Refuse places for the database and the mapped files of a library.

    Parameters
    ----------
    allow : bool
        Let them pass, as ``APE_JUPYTER_ALLOW_NETWORK_FS=1`` does.

    Raises
    ------
    InvalidArgumentError
        If one of them is on a file system that is not known to be of this machine alone;
        says where a library can be instead.
    """
    if allow or os.environ.get(ALLOW_VARIABLE) == "1":
        return
    for path in paths:
        file_system = file_system_of(path)
        if file_system is None or file_system.is_local:
            continue
        message = (
            f"No library can be kept in {path}: it is on {file_system}, and a database and mapped "
            "files that several machines reach can be damaged. Name a directory on a disk of this "
            "machine (APE_JUPYTER_LIBRARY), or connect to the server that has the library. If no "
            f"other machine uses {file_system.mount_point}, {ALLOW_VARIABLE}=1 lets it pass."
        )
        raise InvalidArgumentError(message)
