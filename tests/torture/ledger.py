"""What a library was told to do, what it said it had done, and what it must therefore hold."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Change", "Ledger", "Model"]


@dataclass(frozen=True)
class Change:
    """One operation: several steps on one run, all or nothing."""

    run: str
    steps: tuple[tuple[str, str], ...]


class Ledger:
    """Notes each change before it is asked for, and again when the library has confirmed it.

    One write each, to a file that outlives the process.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def begin(self, change: Change) -> None:
        self._note({"run": change.run, "steps": change.steps})

    def confirm(self) -> None:
        self._note("done")

    def refuse(self, error: BaseException) -> None:
        self._note({"refused": type(error).__name__, "message": str(error)})

    def _note(self, content: object) -> None:
        os.write(self._descriptor, json.dumps(content).encode() + b"\n")


@dataclass
class State:
    """What is known of one run."""

    status: str = "absent"
    tags: set[str] = field(default_factory=set)

    def after(self, steps: Iterable[tuple[str, str]]) -> State:
        result = State(self.status, set(self.tags))
        for verb, tag in steps:
            if verb in ("import", "restore"):
                result.status = "available"
            elif verb == "delete":
                result.status = "trashed"
            elif verb == "tag":
                result.tags.add(tag)
            elif verb == "untag":
                result.tags.discard(tag)
        return result


@dataclass
class Model:
    """The runs as they must be. A change that was not confirmed may have happened or not."""

    runs: dict[str, State] = field(default_factory=dict)
    open_changes: list[Change] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)
    n_confirmed: int = 0

    def follow(self, path: Path) -> None:
        """Take what a process has noted; its last change may be open."""
        begun: Change | None = None
        for line in path.read_text().splitlines() if path.exists() else ():
            note = json.loads(line)
            if note == "done":
                assert begun is not None
                self._apply(begun)
                self.n_confirmed += 1
                begun = None
            elif "refused" in note:
                assert begun is not None
                self.refusals.append(note)
                # What was refused must not have happened, but for a reply that was lost.
                self.open_changes.append(begun)
                begun = None
            else:
                begun = Change(note["run"], tuple(map(tuple, note["steps"])))
        if begun is not None:
            self.open_changes.append(begun)

    def _apply(self, change: Change) -> None:
        self.runs[change.run] = self.runs.get(change.run, State()).after(change.steps)

    def violations(self, found: dict[str, dict[str, object]]) -> list[str]:
        """Compare with what a library holds, and go on from there."""
        wrong = []
        for run in sorted({*self.runs, *found, *(change.run for change in self.open_changes)}):
            actual = State(
                str(found[run]["status"]) if run in found else "absent",
                set(found[run]["tags"]) if run in found else set(),  # type: ignore[call-overload]
            )
            possible = [self.runs.get(run, State())]
            for change in self.open_changes:
                if change.run == run:
                    possible += [state.after(change.steps) for state in possible]
            if actual not in possible:
                wrong.append(f"{run} is {actual}, expected {' or '.join(map(str, possible))}")
            self.runs[run] = actual
        self.open_changes.clear()
        return wrong
