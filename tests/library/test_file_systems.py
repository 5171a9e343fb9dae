"""A library is kept off file systems that several machines use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ape_jupyter.errors import InvalidArgumentError, ServerUnavailableError
from ape_jupyter.library import mounts as mounts_module
from ape_jupyter.library.file_systems import ALLOW_VARIABLE, file_system_of
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.mounts import Mount, mount_of, parse_mounts
from ape_jupyter.library.place import LibraryPlace
from ape_jupyter.registry.sqlite import DRIVER, FIRST_SAFE_WAL
from ape_jupyter.server.library_access import LibraryAccess

ROOT = b"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"

# The ends of lines of mountinfo: device, optional fields, type, source and options.
SHARED = {
    "nfs": b"0:45 / {} rw,relatime shared:101 - nfs filer:/export rw,vers=3,addr=10.0.0.2",
    "nfs4": b"0:46 / {} rw shared:102 master:1 - nfs4 filer:/home rw,vers=4.2,addr=10.0.0.2",
    "cifs": b"0:47 / {} rw,relatime - cifs //filer/share rw,vers=3.1.1,username=me",
    "smb3": b"0:48 / {} rw,relatime - smb3 //filer/share rw,vers=3.1.1",
    "lustre": b"0:49 / {} rw,relatime - lustre 10.0.0.1@tcp:/scratch rw,flock",
    "ceph": b"0:50 / {} rw,relatime - ceph 10.0.0.1:6789:/ rw,name=admin",
    "fuse.glusterfs": b"0:51 / {} rw - fuse.glusterfs gluster1:/vol rw,user_id=0,group_id=0",
    "beegfs": b"0:52 / {} rw - beegfs beegfs_nodev rw,cfgFile=/etc/beegfs/beegfs-client.conf",
    "gpfs": b"0:53 / {} rw - gpfs gpfs0 rw",
    "9p": b"0:54 / {} rw - 9p C:\\134 rw,dirsync,aname=drvfs;path=C:\\134",
    "fuse.sshfs": b"0:55 / {} rw,nosuid - fuse.sshfs me@host:/data rw,user_id=1000",
    "afs": b"0:56 / {} rw - afs #root.cell rw",
    "fuse.juicefs": b"0:57 / {} rw - fuse.juicefs JuiceFS:team rw",
    "fuse": b"0:58 / {} rw - fuse somebodys-own rw",
    "virtiofs": b"0:59 / {} rw - virtiofs home rw",
    "ocfs2": b"8:17 / {} rw - ocfs2 /dev/sdb1 rw,heartbeat=local",
    "a-new-network-one": b"0:60 / {} rw - a-new-network-one host:/share rw",
}
LOCAL = {
    "ext4": b"8:2 / {} rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro",
    "xfs": b"8:3 / {} rw - xfs /dev/sda3 rw,attr2",
    "btrfs": b"0:33 /@home {} rw - btrfs /dev/nvme0n1p2 rw,subvol=/@home",
    "tmpfs": b"0:34 / {} rw - tmpfs tmpfs rw,size=2g",
    "overlay": b"0:35 / {} rw - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w",
    "zfs": b"0:36 / {} rw - zfs pool/home rw,xattr",
    "fuse.fuse-overlayfs": b"0:37 / {} rw - fuse.fuse-overlayfs fuse-overlayfs rw",
    "fuseblk": b"8:5 / {} rw - fuseblk /dev/sda5 rw,user_id=0",
    "f2fs": b"179:2 / {} rw - f2fs /dev/mmcblk0p2 rw",
}


def mountinfo(*ends: bytes, mount_point: Path) -> bytes:
    escaped = str(mount_point).replace("\\", "\\134").replace(" ", "\\040").encode()
    lines = [b"%d 27 %s\n" % (100 + n, end.replace(b"{}", escaped)) for n, end in enumerate(ends)]
    return ROOT + b"".join(lines)


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def mount(end: bytes, mount_point: Path) -> None:
        path = tmp_path / "mountinfo"
        path.write_bytes(mountinfo(end, mount_point=mount_point))
        monkeypatch.setattr(mounts_module, "MOUNTINFO", path)

    return mount


@pytest.mark.parametrize("fs_type", SHARED)
def test_no_library_is_made_on_a_shared_file_system(fs_type: str, mounted, tmp_path: Path) -> None:
    home = tmp_path / "home of\\somebody"
    home.mkdir()
    mounted(SHARED[fs_type], home)
    with pytest.raises(InvalidArgumentError) as caught:
        LocalLibrary.open(home / "new" / "library")
    assert f"on {fs_type} (mounted at {home})" in caught.value.message
    assert "APE_JUPYTER_LIBRARY" in caught.value.message
    assert f"{ALLOW_VARIABLE}=1" in caught.value.message
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("fs_type", LOCAL)
def test_local_file_systems_are_known(fs_type: str, tmp_path: Path) -> None:
    mounted = parse_mounts(mountinfo(LOCAL[fs_type], mount_point=tmp_path))
    found = file_system_of(tmp_path / "library", mounted)
    assert found is not None
    assert (found.fs_type, found.is_local) == (fs_type, True)
    assert found.mount_point == str(tmp_path)


@pytest.mark.parametrize("linked", ["registry.db", "cache"])
def test_a_link_to_a_shared_file_system_does_not_help(linked: str, mounted, tmp_path: Path) -> None:
    library, share = tmp_path / "library", tmp_path / "share"
    LocalLibrary.open(library).close()
    share.mkdir()
    mounted(SHARED["nfs4"], share)
    (library / linked).rename(share / linked)
    (library / linked).symlink_to(share / linked)
    with pytest.raises(InvalidArgumentError, match="nfs4"):
        LocalLibrary.open(library)


@pytest.mark.parametrize("by_variable", [True, False])
def test_those_who_know_better_can_say_so(
    by_variable: bool, mounted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    mounted(SHARED["fuse.sshfs"], home)
    if by_variable:
        monkeypatch.setenv(ALLOW_VARIABLE, "1")
    with LocalLibrary.open(home, allow_network_file_system=not by_variable) as library:
        assert library.file_system is not None
        assert not library.file_system.is_local
        assert any("fuse.sshfs" in note for note in library.memory().notes)
        # Its index would be in memory that machines do not share.
        assert not (home / "registry.db-wal").exists()


def test_a_local_library_has_no_such_note(library: LocalLibrary) -> None:
    is_safe = DRIVER.sqlite_version_info >= FIRST_SAFE_WAL
    assert (library.directory / "registry.db-wal").exists() == is_safe
    assert not any("The cache is on" in note for note in library.memory().notes)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_server_has_the_same_switch(allowed: bool, mounted, tmp_path: Path) -> None:
    home = tmp_path / "home"
    mounted(SHARED["nfs"], home)
    access = LibraryAccess(LibraryPlace(home), allow_network_file_system=allowed)
    if allowed:
        assert access.library().location == str(home)
    else:
        with pytest.raises(ServerUnavailableError, match="nfs"):
            access.library()
    access.close()


def test_where_the_system_tells_nothing_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mounts_module, "MOUNTINFO", tmp_path / "missing")
    with LocalLibrary.open(tmp_path / "library") as library:
        assert library.file_system is None


def test_the_command_says_it_without_a_traceback(tmp_path: Path) -> None:
    code = (
        "import sys, ape_jupyter.library.mounts as mounts; from pathlib import Path\n"
        "mounts.MOUNTINFO = Path(sys.argv.pop(1)); from ape_jupyter.cli import main; main()"
    )
    path = tmp_path / "mountinfo"
    path.write_bytes(mountinfo(SHARED["nfs4"], mount_point=tmp_path))
    command = [sys.executable, "-c", code, path, "list", "--library", tmp_path / "library"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nfs4" in done.stderr
    assert "Traceback" not in done.stderr


# Nested, stacked and hidden mounts

NESTED = parse_mounts(
    b"27 1 254:0 / / rw - ext4 /dev/vda rw\n"
    b"30 27 0:40 / /home rw - nfs4 filer:/home rw\n"
    b"31 30 8:1 / /home/me/scratch rw - xfs /dev/sda1 rw\n"
    b"32 27 8:1 /private /bound rw - xfs /dev/sda1 rw\n"
    b"33 27 8:2 / /stack rw - ext4 /dev/sdb rw\n"
    b"34 33 0:41 / /stack rw - nfs filer:/a rw\n"
    b"35 27 8:3 / /data/inner rw - ext4 /dev/sdc rw\n"
    b"36 27 0:42 / /data rw - cifs //filer/data rw\n"
    b"37 27 0:43 / /mnt/two\\040words\\134and\\011tab rw - lustre x@tcp:/y rw\n"
    b"this is no line of mountinfo\n"
)


@pytest.mark.parametrize(
    ("path", "fs_type"),
    [
        ("/", "ext4"),
        ("/homestead", "ext4"),
        ("/home", "nfs4"),
        ("/home/me", "nfs4"),
        ("/home/me/scratch/library", "xfs"),
        ("/home/me/scratchy", "nfs4"),
        ("/bound/library", "xfs"),
        ("/stack/library", "nfs"),
        # The longest prefix would be the ext4 below the share, which nobody can see.
        ("/data/inner/library", "cifs"),
        ("/mnt/two words\\and\ttab/library", "lustre"),
    ],
)
def test_the_mount_of_a_path(path: str, fs_type: str) -> None:
    found = mount_of(Path(path), NESTED)
    assert found is not None
    assert found.fs_type == fs_type


def test_this_machine_is_read_as_its_own_tool_reads_it() -> None:
    if not mounts_module.MOUNTINFO.exists():
        pytest.skip("only Linux has /proc/self/mountinfo")
    listed = mounts_module.MOUNTINFO.read_bytes().splitlines()
    mounted = mounts_module.mounts()
    assert mounted is not None
    assert len(mounted) == len(listed)
    for path in (Path("/"), Path("/proc/self"), Path("/sys"), Path.cwd()):
        mount = mount_of(path.resolve(), mounted)
        assert mount is not None
        number = f"{path.stat().st_dev >> 8 & 0xFFF}:{path.stat().st_dev & 0xFF}"
        assert mount.device == number or mount.fs_type in ("btrfs", "overlay")


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)


@given(parts=st.lists(names.filter(lambda name: name not in (".", "..")), min_size=1, max_size=4))
def test_every_name_survives_the_kernels_escapes(parts: list[str]) -> None:
    mount_point = "/" + "/".join(parts)
    escaped = mount_point.encode()
    for character in b"\\ \t\n#":
        escaped = escaped.replace(bytes([character]), b"\\%03o" % character)
    (mount,) = parse_mounts(b"40 27 0:9 / " + escaped + b" rw shared:2 - nfs4 a:/b rw\n")
    assert mount.mount_point == mount_point
    assert mount_of(Path(mount_point) / "x", [mount]) == mount


@given(content=st.binary(max_size=200))
def test_no_content_breaks_the_reader(content: bytes) -> None:
    assert all(isinstance(mount, Mount) for mount in parse_mounts(ROOT + content))
