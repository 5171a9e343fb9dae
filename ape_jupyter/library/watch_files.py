"""What a library keeps on disk of the folders that it follows."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import BaseFileLock

from ape_jupyter.errors import Fault
from ape_jupyter.model.listing import ImportStatus
from ape_jupyter.model.watch import SETTLE_SECONDS, WatchedRun
from ape_jupyter.results.claims import claimed
from ape_jupyter.results.durable import replace_file, reporting_full_disk

__all__ = ["WatchDefinition", "WatchFiles", "WatchLedger", "run_from_json", "run_to_json"]

_DEFINITION = "watch.json"
_STATE = "state.json"
_LEDGER = "ledger.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDefinition:
    """That a folder is to be followed, and how."""

    folder: str
    tags: tuple[str, ...] = ()
    copy: bool = True
    settle_seconds: float = SETTLE_SECONDS
    user: str | None = None
    is_configured: bool = False

    @property
    def watch_id(self) -> str:
        """A name for the folder that can be part of a path; the same for all its spellings."""
        real = os.path.realpath(self.folder)
        return hashlib.sha256(os.fsencode(real)).hexdigest()[:16]


class WatchFiles:
    """One small directory for each folder.

    Threads and processes may use them at the same time: who follows a folder has its claim,
    which ends with the process, and alone writes its state and its ledger.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def define(self, definition: WatchDefinition) -> None:
        """Have a folder followed."""
        path = self._directory / definition.watch_id
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with reporting_full_disk(self._directory):
            replace_file(path / _DEFINITION, _encoded(asdict(definition)))

    def definitions(self) -> dict[str, WatchDefinition]:
        """Return the folders to be followed, by id."""
        ids = sorted(path.parent.name for path in self._directory.glob(f"*/{_DEFINITION}"))
        found = {watch_id: self.definition(watch_id) for watch_id in ids}
        return {watch_id: item for watch_id, item in found.items() if item is not None}

    def definition(self, watch_id: str) -> WatchDefinition | None:
        """Return how a folder is to be followed; None when it is not, or no longer."""
        content = _read(self._directory / watch_id / _DEFINITION)
        if not isinstance(content, dict):
            return None
        # A newer version may have written more.
        known = {item.name: content[item.name] for item in fields(WatchDefinition)}
        return WatchDefinition(**{**known, "tags": tuple(known["tags"])})

    def remove(self, watch_id: str) -> None:
        """Have a folder followed no longer; what is known of its runs stays, for another time."""
        (self._directory / watch_id / _DEFINITION).unlink(missing_ok=True)

    def claim(self, watch_id: str) -> BaseFileLock | None:
        """Claim a folder; None while another process or library follows it."""
        return claimed(self._directory / watch_id / "claim")

    def state(self, watch_id: str) -> Mapping[str, Any]:
        """Return what was last written of how it goes; empty when nothing was."""
        content = _read(self._directory / watch_id / _STATE)
        return content if isinstance(content, dict) else {}

    def write_state(self, watch_id: str, state: Mapping[str, Any]) -> None:
        """Write how it goes; lost in a power cut, it is written anew with the next scan."""
        replace_file(self._directory / watch_id / _STATE, _encoded(state), durably=False)

    def ledger(self, watch_id: str) -> WatchLedger:
        """Return what is known of the runs of a folder; for the owner of the claim."""
        return WatchLedger(self._directory / watch_id / _LEDGER)


class WatchLedger:
    """What became of each run of a folder, by path: a file to which lines are added.

    A run that is in it with the same stamp is not looked at again, also after a restart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._runs: dict[str, WatchedRun] = {}
        self._stamps: dict[str, str] = {}
        self._next = 1
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            lines = [b""]
        for line in lines:
            try:
                entry = json.loads(line)
                self._put(run_from_json(entry["run"]), entry["stamp"])
            except (ValueError, KeyError, TypeError):
                continue  # the last line of a process that was killed; the run is tried again
        # Without the torn line, and with one line for each run.
        if len(lines) - 1 != len(self._runs) or lines[-1]:
            content = b"".join(self._line(run) for run in self._runs.values())
            replace_file(path, content)

    def add(self, run: WatchedRun, stamp: str) -> None:
        """Remember what became of a run as it was with this stamp."""
        self._put(run, stamp)
        with self._path.open("ab") as file:
            file.write(self._line(run))
            file.flush()
            os.fsync(file.fileno())

    def _put(self, run: WatchedRun, stamp: str) -> None:
        self._runs.pop(run.path, None)
        self._runs[run.path] = run
        self._stamps[run.path] = stamp
        self._next = max(self._next, run.number + 1)

    def _line(self, run: WatchedRun) -> bytes:
        return _encoded({"run": run_to_json(run), "stamp": self._stamps[run.path]}) + b"\n"

    @property
    def next_number(self) -> int:
        """The number for the run that is dealt with next."""
        return self._next

    def stamp(self, path: str) -> str | None:
        """Return the stamp with which a run was dealt with; None when it never was."""
        return self._stamps.get(path)

    def taken_in(self) -> dict[str, str]:
        """Return the stamps of the runs that are in the library."""
        refused = ImportStatus.REFUSED
        return {
            path: self._stamps[path] for path, run in self._runs.items() if run.status != refused
        }

    def runs(self) -> list[WatchedRun]:
        """Return all runs, in the order in which they were dealt with."""
        return list(self._runs.values())

    def refused(self, stamps: Mapping[str, str]) -> list[WatchedRun]:
        """Return the runs that were refused, and are still there unchanged."""
        return [
            run
            for path, run in self._runs.items()
            if run.status is ImportStatus.REFUSED and stamps.get(path) == self._stamps[path]
        ]


def run_to_json(run: WatchedRun) -> dict[str, Any]:
    """Return what stands in a file for a run."""
    return {**asdict(run), "at": run.at.isoformat()}


def run_from_json(content: Mapping[str, Any]) -> WatchedRun:
    """Return the run that :func:`run_to_json` was given."""
    return WatchedRun(
        number=int(content["number"]),
        path=str(content["path"]),
        status=ImportStatus(content["status"]),
        sim_id=content["sim_id"],
        at=datetime.fromisoformat(content["at"]),
        faults=tuple(Fault(**fault) for fault in content["faults"]),
    )


def _encoded(content: Any) -> bytes:
    # Names of files need not be UTF-8; as escapes they come back as they were.
    return json.dumps(content, ensure_ascii=True).encode("ascii")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
