"""What the cache may take: limits of containers, disks, and people."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ape_jupyter.cache import budget
from ape_jupyter.cache.budget import Budget, memory_limit
from ape_jupyter.errors import InvalidArgumentError

GIB = 2**30
MEMINFO = "MemTotal:       16777216 kB\nMemFree: 1 kB\n"


def machine(root: Path, cgroup: str, mounts: str, **limits: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(MEMINFO)
    (root / "proc/self/cgroup").write_text(cgroup)
    (root / "proc/self/mountinfo").write_text(mounts)
    for path, text in limits.items():
        file = root / "sys/fs/cgroup" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    return root


V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
V1 = "35 30 0:31 / /sys/fs/cgroup/memory rw shared:15 - cgroup cgroup rw,memory\n"


def test_version_2(tmp_path: Path) -> None:
    limits = {"a/b/memory.max": str(4 * GIB), "a/memory.max": "max"}
    assert memory_limit(machine(tmp_path, "0::/a/b\n", V2, **limits)) == 4 * GIB


def test_a_group_around_has_less(tmp_path: Path) -> None:
    limits = {"a/b/memory.max": str(4 * GIB), "a/memory.max": str(3 * GIB)}
    assert memory_limit(machine(tmp_path, "0::/a/b\n", V2, **limits)) == 3 * GIB


def test_version_2_with_its_own_namespace(tmp_path: Path) -> None:
    limits = {"memory.max": str(2 * GIB)}
    assert memory_limit(machine(tmp_path, "0::/\n", V2, **limits)) == 2 * GIB


def test_no_limit_is_the_machine(tmp_path: Path) -> None:
    assert memory_limit(machine(tmp_path, "0::/a\n", V2, **{"a/memory.max": "max"})) == 16 * GIB


def test_version_1(tmp_path: Path) -> None:
    limits = {
        "memory/box/memory.limit_in_bytes": str(5 * GIB),
        "memory/memory.limit_in_bytes": "9223372036854771712",
    }
    root = machine(tmp_path, "4:memory:/box\n0::/\n", V1, **limits)
    assert memory_limit(root) == 5 * GIB


def test_version_1_in_a_container_with_the_path_of_the_host(tmp_path: Path) -> None:
    mounts = V1.replace("0:31 / ", "0:31 /docker/77 ")
    limits = {"memory/memory.limit_in_bytes": str(6 * GIB)}
    for path in ("/docker/77", "/docker/elsewhere"):
        root = machine(tmp_path / path[-2:], f"4:cpu,memory:{path}\n", mounts, **limits)
        assert memory_limit(root) == 6 * GIB


def test_this_machine_has_a_limit() -> None:
    limit = memory_limit()
    assert limit is not None
    assert limit > 2**24


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    disk = SimpleNamespace(total=1000 * GIB, free=500 * GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    monkeypatch.setattr(budget, "memory_limit", lambda: 8 * GIB)
    return disk


def test_default_is_a_share_of_the_least(disk: SimpleNamespace, tmp_path: Path) -> None:
    assert Budget().limit_bytes(tmp_path) == 4 * GIB
    disk.total = 10 * GIB
    assert Budget().limit_bytes(tmp_path) == 2 * GIB


def test_never_more_than_the_disk_has(disk: SimpleNamespace, tmp_path: Path) -> None:
    disk.free = 3 * GIB
    for chosen in (Budget(), Budget(100 * GIB)):
        assert chosen.limit_bytes(tmp_path) == 2 * GIB
    # What the cache has already is not free, and is its own.
    assert Budget(100 * GIB).limit_bytes(tmp_path, used_bytes=7 * GIB) == 9 * GIB
    disk.free = 0
    assert Budget(GIB).limit_bytes(tmp_path) == 0


def test_somebody_chooses() -> None:
    variable = budget.BUDGET_VARIABLE
    assert Budget.of(2.5).chosen_bytes == 2_500_000
    assert Budget.of(None, {variable: "3"}).chosen_bytes == 3_000_000
    assert Budget.of(1, {variable: "3"}).chosen_bytes == 1_000_000
    assert Budget.of(None, {}).chosen_bytes is None
    for wrong in ("many", "-1", "0", "nan", "inf"):
        with pytest.raises(InvalidArgumentError, match=variable):
            Budget.of(None, {variable: wrong})
    with pytest.raises(InvalidArgumentError, match="cache_budget_mb"):
        Budget.of(0)
