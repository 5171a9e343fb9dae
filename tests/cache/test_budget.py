"""What the cache may take: limits of containers, disks, and people."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ape_jupyter.cache import budget
from ape_jupyter.cache.budget import Budget, memory_limit, memory_share
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


STAT = "anon 7\n{0}active_file {1}\n{0}inactive_file {1}\nactive_file 1"


def test_what_is_taken_in_version_2(tmp_path: Path) -> None:
    files = {
        "a/memory.max": str(4 * GIB),
        "a/memory.current": str(3 * GIB),
        "a/memory.stat": STAT.format("", GIB // 2).removesuffix("\nactive_file 1"),
        "memory.max": "max",
    }
    root = machine(tmp_path, "0::/a\n", V2, **files)
    # Half of what is used are pages of files, which are no burden.
    assert memory_share(root) == (2 * GIB, 4 * GIB)


def test_what_is_taken_in_version_1(tmp_path: Path) -> None:
    files = {
        "memory/box/memory.limit_in_bytes": str(5 * GIB),
        "memory/box/memory.usage_in_bytes": str(5 * GIB),
        "memory/box/memory.stat": STAT.format("total_", GIB // 2),
        "memory/memory.limit_in_bytes": "9223372036854771712",
    }
    assert memory_share(machine(tmp_path, "4:memory:/box\n", V1, **files)) == (4 * GIB, 5 * GIB)


def test_what_is_taken_is_of_the_fullest(tmp_path: Path) -> None:
    files = {"a/memory.max": str(4 * GIB), "a/memory.current": "0", "a/memory.stat": ""}
    root = machine(tmp_path, "0::/a\n", V2, **files)
    assert memory_share(root) is None
    (root / "proc/meminfo").write_text(MEMINFO + "MemAvailable: 4194304 kB\n")
    assert memory_share(root) == (12 * GIB, 16 * GIB)


def test_what_is_taken_of_this_machine() -> None:
    share = memory_share()
    assert share is not None
    assert 0 < share[0] / share[1] < 1


def test_users_agree_on_a_budget(disk: SimpleNamespace, tmp_path: Path) -> None:
    setting = tmp_path / "cache_budget_mb"
    default, chosen = Budget.of(None, {}, setting), Budget.of(5, {}, setting)
    assert default.limit_bytes(tmp_path) == 4 * GIB
    raised = chosen.raised(7.5)
    assert raised.limit_bytes(tmp_path) == 7_500_000
    # All that were given none follow; who was given one keeps it until told.
    assert default.limit_bytes(tmp_path) == 7_500_000
    assert chosen.limit_bytes(tmp_path) == 5_000_000
    assert list(tmp_path.iterdir()) == [setting]
    for damaged in ("", "nan", "-3", "many"):
        setting.write_text(damaged)
        assert default.limit_bytes(tmp_path) == 4 * GIB
