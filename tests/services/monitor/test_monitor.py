"""The monitor with real processes and real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor import monitor as monitoring
from ape_jupyter.services.monitor.monitor import PerformanceMonitor
from ape_jupyter.services.monitor.threshold import Threshold

WRITER = """
import sys
from pathlib import Path
from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor.monitor import PerformanceMonitor
from ape_jupyter.services.monitor.threshold import Threshold
monitor = PerformanceMonitor(Path(sys.argv[1]))
"""
ADDS = """
for _ in range(50):
    monitor.opened("a run", 0.01, warm=True)
    monitor.write()
monitor.close()
"""
DIES = """
monitor.observe(Operation.IMPORT, 1.0)
monitor.write()
monitor.observe(Operation.IMPORT, 1.0)
print("observed", flush=True)
sys.stdin.read()
"""
ENDS = "monitor.observe(Operation.IMPORT, 1.0)"
TOLD = 'print(sum(monitor.reaches("memory", 0.9, Threshold()) for _ in range(20)))'


def process(code, path):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER + code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def outputs(*processes):
    """Wait for processes that end well, and return what they have printed."""
    printed = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return printed


@pytest.fixture
def path(tmp_path):
    return tmp_path / "performance.json"


def found_in(path):
    monitor = PerformanceMonitor(path)
    found = monitor.measurements()
    monitor.close()
    return found


def test_processes_add_to_one_file(path):
    outputs(*(process(ADDS, path) for _ in range(4)))
    found = found_in(path)
    assert found.count_of(Operation.OPEN_WARM) == 200
    assert found.opens["a run"].opens == pytest.approx(200, rel=1e-3)
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, path.name + ".lock"]


def test_a_killed_process_loses_only_what_it_had_not_written(path):
    killed = process(DIES, path)
    assert killed.stdout.readline() == "observed\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert found_in(path).count_of(Operation.IMPORT) == 1


def test_a_script_that_does_not_close_loses_nothing(path):
    outputs(process(ENDS, path))
    assert found_in(path).count_of(Operation.IMPORT) == 1


def test_writes_by_itself_and_then_looks_after_things(path, monkeypatch):
    monkeypatch.setattr(monitoring, "_WRITE_AFTER_SECONDS", 0.01)
    looked = threading.Event()
    monitor = PerformanceMonitor(path, looked.set)
    monitor.observe(Operation.SEARCH, 0.1)
    assert looked.wait(30)
    assert found_in(path).count_of(Operation.SEARCH) == 1
    monitor.close()


def test_a_monitor_that_does_nothing_has_no_thread_and_writes_nothing(path):
    before = threading.active_count()
    monitor = PerformanceMonitor(path)
    monitor.measurements()
    monitor.write()
    assert threading.active_count() == before
    monitor.close()
    assert not path.exists()


def test_threads_may_share_one(path):
    monitor = PerformanceMonitor(path)

    def observe():
        for _ in range(500):
            monitor.observe(Operation.SEARCH, 0.01)
            if _ % 100 == 0:
                monitor.write()

    threads = [threading.Thread(target=observe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.known().count_of(Operation.SEARCH) == 2000
    monitor.close()
    assert found_in(path).count_of(Operation.SEARCH) == 2000


def test_counts_never_go_back_while_they_are_written(path):
    monitor = PerformanceMonitor(path)
    stop = threading.Event()

    def write():
        while not stop.is_set():
            monitor.write()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    for _ in range(300):
        monitor.observe(Operation.SEARCH, 0.01)
        seen.append(monitor.known().count_of(Operation.SEARCH))
    stop.set()
    writer.join()
    monitor.close()
    assert seen == list(range(1, 301))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1, "measurements": {}}'])
def test_a_damaged_file_is_begun_anew(path, content):
    path.write_bytes(content)
    monitor = PerformanceMonitor(path)
    assert monitor.measurements().count_of(Operation.SEARCH) == 0
    monitor.observe(Operation.SEARCH, 0.1)
    monitor.close()
    assert found_in(path).count_of(Operation.SEARCH) == 1


def test_a_file_of_a_newer_version_stays_as_it_is(path):
    newer = json.dumps({"format": 2, "figures": "of some other kind"})
    path.write_text(newer)
    monitor = PerformanceMonitor(path)
    monitor.observe(Operation.SEARCH, 0.1)
    monitor.write()
    assert monitor.known().count_of(Operation.SEARCH) == 1
    monitor.close()
    assert path.read_text() == newer


def test_what_can_not_be_written_is_kept(path):
    monitor = PerformanceMonitor(path)
    monitor.observe(Operation.SEARCH, 0.1)
    path.mkdir()
    monitor.write()
    assert monitor.known().count_of(Operation.SEARCH) == 1
    path.rmdir()
    monitor.observe(Operation.SEARCH, 0.1)
    monitor.close()
    assert found_in(path).count_of(Operation.SEARCH) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only systems with fork() can fork")
def test_a_forked_child_counts_for_itself(path):
    code = """
import os
monitor.observe(Operation.SEARCH, 0.1)
child = os.fork()
if child == 0:
    monitor.observe(Operation.IMPORT, 0.1)
    monitor.close()
    os._exit(0)
os.waitpid(child, 0)
monitor.close()
"""
    outputs(process(code, path))
    found = found_in(path)
    assert found.count_of(Operation.SEARCH) == found.count_of(Operation.IMPORT) == 1


def test_one_of_all_processes_is_told_of_a_crossing(path):
    assert sum(map(int, outputs(*(process(TOLD, path) for _ in range(4))))) == 1
    monitor, threshold = PerformanceMonitor(path), Threshold()
    # Over restarts, too; and again once the level was below.
    told = [monitor.reaches("memory", share, threshold) for share in (0.95, 0.75, 0.95, 0.5, 0.8)]
    assert told == [False, False, False, False, True]
    assert monitor.reaches("cache", 0.9, threshold)
    # What others observe meanwhile changes nothing of that.
    monitor.observe(Operation.SEARCH, 0.1)
    monitor.write()
    assert not monitor.reaches("cache", 0.9, threshold)
    monitor.close()


def test_closing_waits_for_what_is_being_looked_after(path, monkeypatch):
    monkeypatch.setattr(monitoring, "_WRITE_AFTER_SECONDS", 0.01)
    started, is_over = threading.Event(), []

    def look():
        started.set()
        time.sleep(0.2)
        is_over.append(True)

    monitor = PerformanceMonitor(path, look)
    monitor.observe(Operation.SEARCH, 0.1)
    assert started.wait(30)
    monitor.close()
    assert is_over == [True]
