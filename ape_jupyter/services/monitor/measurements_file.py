"""One small file of measurements that all processes of a library add to."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from ape_jupyter.services.monitor.measurements import Measurements

__all__ = ["MeasurementsFile"]

T = TypeVar("T")

_FORMAT = 1
_OTHERS_SECONDS = 1.0

_log = logging.getLogger(__name__)


class MeasurementsFile:
    """Measurements that outlive their processes. Threads and processes may share the file.

    A change reads the file, adds to it and puts a new one in its place, under a lock that ends
    with its process. So there is one file whatever the number of processes, and one that is
    killed loses only what it had not yet added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A lock of files is no lock between the threads of one process.
        self._turn = threading.Lock()

    def read(self) -> Measurements:
        """Return what is in the file; nothing when there is none, or it is damaged."""
        try:
            return self._stored()
        except PermissionError:
            return Measurements()

    def _stored(self) -> Measurements:
        try:
            stored = json.loads(self.path.read_bytes())
            if stored["format"] > _FORMAT:
                raise PermissionError(f"{self.path} is of a newer ape-jupyter.")
            found = Measurements.from_json(stored["measurements"])
        except FileNotFoundError:
            return Measurements()
        except (ValueError, KeyError, TypeError) as error:
            # As after a power cut. Figures are worth no more than a line in the log.
            _log.warning("%s is damaged, measuring starts anew: %s", self.path, error)
            return Measurements()
        found.fade(time.time())
        return found

    def update(self, change: Callable[[Measurements], T]) -> T:
        """Read the file, let ``change`` alter what is in it, and write that.

        Raises
        ------
        OSError
            If the file can not be written, or another process keeps it; nothing has changed.
        """
        with self._turn:
            try:
                with FileLock(f"{self.path}.lock", timeout=_OTHERS_SECONDS):
                    measurements = self._stored()
                    result = change(measurements)
                    self._write(measurements)
                    return result
            except Timeout as error:
                raise BlockingIOError(f"Another process keeps {self.path}.") from error

    def _write(self, measurements: Measurements) -> None:
        text = json.dumps({"format": _FORMAT, "measurements": measurements.to_json()})
        partial = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}.partial")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
            partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)
