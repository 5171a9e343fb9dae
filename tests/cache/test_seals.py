"""What is mapped was written by this library, in this version, and is whole."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ape_jupyter.cache import seals
from ape_jupyter.cache.mapped import PersistentCache, map_table, write_table
from ape_jupyter.cache.seals import holds_what_was_sealed, is_sealed, seal_path

EXPECTED = pa.table({"value": np.arange(1000), "word": [f"word {i}" for i in range(1000)]})


@pytest.fixture
def cache(tmp_path: Path) -> PersistentCache:
    return PersistentCache(tmp_path)


def opened(cache: PersistentCache) -> pa.Table:
    return map_table(cache.files("d", ["a"], lambda: {"a": EXPECTED})["a"])


def flip(path: Path, position: int, *, keep_time: bool) -> None:
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[position] ^= 0x10
    path.chmod(0o600)
    path.write_bytes(bytes(content))
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("keep_time", [True, False])
def test_no_flipped_bit_is_mapped(cache: PersistentCache, keep_time: bool) -> None:
    opened(cache)
    path = cache.path("d", "a")
    size = path.stat().st_size
    for position in range(0, size, max(1, size // 150)):
        flip(path, position, keep_time=keep_time)
        assert opened(cache).equals(EXPECTED)


def test_files_of_others_are_not_mapped(cache: PersistentCache) -> None:
    opened(cache)
    path = cache.path("d", "a")
    write_table(pa.table({"value": [1]}), path.with_name("other"))
    path.with_name("other").replace(path)
    assert opened(cache).equals(EXPECTED)


def test_files_of_another_version_are_made_again(
    cache: PersistentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "_version", lambda: "0.0.1")
    opened(cache)
    before = cache.path("d", "a").stat().st_ino
    monkeypatch.undo()
    opened(cache)
    assert cache.path("d", "a").stat().st_ino != before


def test_large_files_are_read_once_after_each_start(
    cache: PersistentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "ALWAYS_READ_BYTES", 100)
    opened(cache)
    path = cache.path("d", "a")
    flip(path, 900, keep_time=True)
    assert is_sealed(path)
    assert not holds_what_was_sealed(path)
    monkeypatch.setattr(seals, "_started", lambda: time.time() + 60)
    assert not is_sealed(path)
    assert opened(cache).equals(EXPECTED)


def test_what_was_read_is_not_read_again(
    cache: PersistentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "ALWAYS_READ_BYTES", 100)
    opened(cache)
    path = cache.path("d", "a")
    old = time.time() - 1000
    os.utime(seal_path(path), (old, old))
    monkeypatch.setattr(seals, "_started", lambda: time.time() - 500)
    assert is_sealed(path)
    assert seal_path(path).stat().st_mtime > old + 500


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"version": 1}', b"\xff"])
def test_broken_seals_are_no_seals(cache: PersistentCache, content: bytes) -> None:
    opened(cache)
    seal_path(cache.path("d", "a")).write_bytes(content)
    assert not is_sealed(cache.path("d", "a"))
    assert opened(cache).equals(EXPECTED)
    assert is_sealed(cache.path("d", "a"))
