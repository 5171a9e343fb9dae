"""What a library was told to do, what it said it had done, and what it must therefore hold."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["Change", "Ledger", "Model", "State", "after"]


Step: TypeAlias = tuple[str, str, str]
"""What is done, to which run, and with which tag."""


@dataclass(frozen=True)
class Change:
    """One operation; several steps are one transaction: all or nothing."""

    steps: tuple[Step, ...]


class Ledger:
    """Notes each change before it is asked for, and again when the library has confirmed it.

    One write each, to a file that outlives the process.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def begin(self, change: Change) -> None:
        self._note({"steps": change.steps})

    def confirm(self) -> None:
        self._note("done")

    def refuse(self, error: BaseException) -> None:
        self._note({"refused": type(error).__name__, "message": str(error)})

    def _note(self, content: object) -> None:
        os.write(self._descriptor, json.dumps(content).encode() + b"\n")


@dataclass(frozen=True)
class State:
    """What is known of one run."""

    status: str
    tags: frozenset[str] = frozenset()


Runs: TypeAlias = dict[str, State]


def after(runs: Runs, change: Change) -> Runs:
    """Return the runs as they are after a change."""
    result = dict(runs)
    for verb, run, tag in change.steps:
        old = result.get(run, State("available"))
        if verb == "purge":
            result = {key: state for key, state in result.items() if state.status != "trashed"}
        elif verb in ("import", "restore"):
            result[run] = replace(old, status="available")
        elif verb == "delete":
            result[run] = replace(old, status="trashed")
        elif verb == "tag":
            result[run] = replace(old, tags=old.tags | {tag})
        elif verb == "untag":
            result[run] = replace(old, tags=old.tags - {tag})
    return result


@dataclass
class Model:
    """The runs as they must be. A change that was not confirmed may have happened or not."""

    runs: Runs = field(default_factory=dict)
    open_changes: list[Change] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)
    n_confirmed: int = 0

    def follow(self, path: Path) -> None:
        """Take what a process has noted; its last change may be open."""
        begun = None
        for line in path.read_text().splitlines() if path.exists() else ():
            note = json.loads(line)
            if note == "done" and begun is not None:
                self.runs = after(self.runs, begun)
                self.n_confirmed += 1
                begun = None
            elif "refused" in note and begun is not None:
                self.refusals.append(note)
                # It can have happened all the same: when what failed came after the commit.
                self.open_changes.append(begun)
                begun = None
            else:
                begun = Change(tuple(map(tuple, note["steps"])))
        if begun is not None:
            self.open_changes.append(begun)

    def violations(self, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Compare with what a library holds, and go on from there."""
        actual = {
            run: State(str(row["status"]), frozenset(row["tags"])) for run, row in found.items()
        }
        possible = [self.runs]
        for change in self.open_changes:
            possible += [after(runs, change) for runs in possible]
        wrong = []
        if actual not in possible:
            expected = possible[-1]
            wrong = [
                f"{run} is {actual.get(run)}, expected {self.runs.get(run)} or {expected.get(run)}"
                for run in sorted({*actual, *self.runs, *expected})
                if actual.get(run) != self.runs.get(run) or actual.get(run) != expected.get(run)
            ]
        self.runs = actual
        self.open_changes.clear()
        return wrong
