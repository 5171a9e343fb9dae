"""Processes that start in milliseconds: forks of one that has loaded everything."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PYTHON", "Child", "call", "load_modules_of", "start"]

FAILED = 70
PYTHON = sys.executable


@dataclass
class Child:
    """A process that runs one function."""

    pid: int
    answer: Path
    exit_status: int | None = None

    def kill(self) -> None:
        """End it as a power cut would: without a chance to tidy up."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return its exit status; negative for a signal."""
        if self.exit_status is None:
            _, status = os.waitpid(self.pid, 0)
            self.exit_status = os.waitstatus_to_exitcode(status)
        return self.exit_status

    def has_ended(self) -> bool:
        """Tell whether it is over, without waiting."""
        if self.exit_status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_status = os.waitstatus_to_exitcode(status)
        return self.exit_status is not None

    def result(self) -> Any:
        """Return what its function returned."""
        if self.wait() != 0:
            raise RuntimeError(f"exit status {self.exit_status}: {self.answer.read_text()}")
        return json.loads(self.answer.read_text())


def start(function: Callable[[], Any], *, wait_for: int | None = None) -> Child:
    """Run a function in a child of this process, which must have one thread only.

    Parameters
    ----------
    wait_for : int, optional
        A pipe: the child begins when something can be read from it.
    """
    descriptor, name = tempfile.mkstemp(prefix="torture-answer-")
    os.close(descriptor)
    answer = Path(name)
    pid = os.fork()
    if pid:
        return Child(pid, answer)
    status = FAILED
    try:
        if wait_for is not None:
            os.read(wait_for, 1)
        answer.write_text(json.dumps(function()))
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the parent reports it
        answer.write_text(traceback.format_exc())
    finally:
        os._exit(status)


def call(function: Callable[[], Any]) -> Any:
    """Return what a function returns, without a trace of it in this process."""
    child = start(function)
    try:
        return child.result()
    finally:
        child.answer.unlink()


def load_modules_of(function: Callable[[], Any]) -> None:
    """Import here what a function imports late, so that its next fork does not spend time on it."""

    def names() -> list[str]:
        function()
        return list(sys.modules)

    for name in call(names):
        if name not in sys.modules and not name.startswith("__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
