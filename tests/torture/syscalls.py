"""A crash, or an error, at every system call that makes a change last."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from torture import forks
from torture.actions import apply, write_runs
from torture.audit import audit, collect_garbage
from torture.ledger import Change, Model, State, after
from torture.table import Row

__all__ = ["crashes", "errors", "sample"]

DURABLE = (
    *("fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat"),
    *("pwrite64", "unlink", "unlinkat", "ftruncate", "mkdir", "rmdir"),
)
WRITING = (*DURABLE, "write", "openat")
KINDS = ("import", "tag", "delete", "restore", "transaction", "purge")
STRACE_SECONDS = 120


class Scene:
    """A library with two runs, copied for every round, and what is tried on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.escaped: list[str] = []
        self.results = folder / "results"
        runs = forks.call(lambda: [run.name for run in write_runs(self.results, 3)])
        first, second, new = runs
        self.changes = {
            "import": Change((("import", new, ""),)),
            "tag": Change((("tag", first, "beta"),)),
            "delete": Change((("delete", first, ""),)),
            "restore": Change((("restore", second, ""),)),
            "transaction": Change(
                (("import", new, ""), ("tag", first, "beta"), ("restore", second, ""))
            ),
            "purge": Change((("purge", "", ""),)),
        }
        before = [
            Change((("import", first, ""),)),
            Change((("tag", first, "alpha"),)),
            Change((("import", second, ""),)),
            Change((("delete", second, ""),)),
        ]
        self._template, self._ledger = folder / "template", folder / "template-ledger"
        forks.call(partial(apply, self._template, before, self.results, self._ledger))
        self._number = 0

    def play(self, change: Change, injection: Sequence[str]) -> tuple[Path, Path, bool]:
        """Do a change under an injection; tell where, and whether it was injected."""
        self._number += 1
        library = self.folder / f"library-{self._number}"
        ledger = self.folder / f"ledger-{self._number}"
        log = self.folder / f"strace-{self._number}"
        shutil.copytree(self._template, library)
        ready, go = os.pipe()
        victim = forks.start(
            partial(apply, library, [change], self.results, ledger), wait_for=ready
        )
        command = ["strace", "-f", "-p", str(victim.pid), "-o", str(log), *injection]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert tracer.stderr is not None
        line = tracer.stderr.readline()
        if "attached" not in line:
            victim.kill()
            raise RuntimeError(f"strace can not attach here: {line}{tracer.stderr.read()}")
        os.write(go, b"x")
        os.close(go)
        os.close(ready)
        if victim.wait() > 0:
            self.escaped.append(victim.answer.read_text().rstrip().splitlines()[-1])
        victim.answer.unlink()
        tracer.wait(STRACE_SECONDS)
        return library, ledger, "(INJECTED)" in log.read_text() or victim.wait() < 0

    def counts(self, change: Change, calls: Sequence[str]) -> dict[str, int]:
        """Return how often a change makes each call, in the thread that makes it most often."""
        library, _, _ = self.play(change, (f"--trace={','.join(calls)}",))
        shutil.rmtree(library)
        lines = (self.folder / f"strace-{self._number}").read_text().splitlines()
        by_thread = Counter(tuple(line.split("(")[0].split()) for line in lines if "(" in line)
        counts = dict.fromkeys(calls, 0)
        for (_, *call), count in by_thread.items():
            if len(call) == 1 and call[0] in counts:
                counts[call[0]] = max(counts[call[0]], count)
        return counts

    def model(self, ledger: Path) -> Model:
        """Return what a library must hold after what a ledger tells."""
        model = Model()
        model.follow(self._ledger)
        model.follow(ledger)
        return model


def _each_call(
    scene: Scene, change: Change, calls: Sequence[str], how: str, every: int
) -> Iterator[tuple[str, Path, Path]]:
    """Play a change once for each of its calls, or each so-manieth, under an injection there."""
    for call, count in scene.counts(change, calls).items():
        for number in range(1, count + 1, every):
            injection = (f"--trace={call}", f"--inject={call}:{how}:when={number}")
            library, ledger, was_injected = scene.play(change, injection)
            if was_injected:
                yield f"{call} {number}", library, ledger
            shutil.rmtree(library)


def crashes(every: int, kinds: Sequence[str] = KINDS, calls: Sequence[str] = DURABLE) -> list[Row]:
    """Kill a process at each durable system call of each kind of change."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        scene = Scene(Path(name))
        for kind in kinds:
            change = scene.changes[kind]
            n_rounds = n_orphans = 0
            wrong: list[str] = []
            for place, library, ledger in _each_call(scene, change, calls, "signal=SIGKILL", every):
                n_rounds += 1
                found, problems = _state(scene, library, ledger)
                n_orphans = max(n_orphans, found["orphans"])
                problems += forks.call(partial(collect_garbage, library))
                problems += _again(scene, change, library)
                wrong += [f"{kind}, killed at {place}: {line}" for line in problems]
            rows.append(
                Row(
                    f"crash at every durable system call of: {kind}",
                    f"{n_rounds} crashes",
                    f"at most {n_orphans} orphans before garbage collection",
                    tuple(wrong),
                )
            )
    return rows


def errors(every: int, kinds: Sequence[str] = KINDS, calls: Sequence[str] = WRITING) -> list[Row]:
    """Let each writing system call fail once, with a bad disk and with a full one."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        scene = Scene(Path(name))
        for error in ("EIO", "ENOSPC"):
            for kind in kinds:
                change = scene.changes[kind]
                n_rounds = n_refused = n_confirmed = 0
                wrong: list[str] = []
                for place, library, ledger in _each_call(
                    scene, change, calls, f"error={error}", every
                ):
                    n_rounds += 1
                    _, problems = _state(scene, library, ledger)
                    problems += [
                        f"ended with {line}"
                        for line in scene.escaped
                        if not line.startswith(("ape_jupyter.errors.", "OSError"))
                    ]
                    scene.escaped.clear()
                    model = scene.model(ledger)
                    n_refused += len(model.refusals)
                    text = ledger.read_text() if ledger.exists() else ""
                    n_confirmed += "done" in text
                    problems += _again(scene, change, library)
                    wrong += [f"{kind}, {error} at {place}: {line}" for line in problems]
                rows.append(
                    Row(
                        f"{error} at every writing system call of: {kind}",
                        f"{n_rounds} errors",
                        f"{n_refused} refused with a reason, {n_confirmed} done all the same",
                        tuple(wrong),
                    )
                )
    return rows


def sample() -> list[Row]:
    """A crash and an error at a few calls of the change that has most of them."""
    kinds, calls = ("transaction",), ("fsync", "rename", "pwrite64")
    return [*crashes(12, kinds, calls), *errors(20, kinds, calls)]


def _state(scene: Scene, library: Path, ledger: Path) -> tuple[dict, list[str]]:
    found = forks.call(partial(audit, library))
    return found, [*found["wrong"], *scene.model(ledger).violations(found["runs"])]


def _again(scene: Scene, change: Change, library: Path) -> list[str]:
    """Done again where nothing fails, the change must be there, if it was not already."""
    ledger = scene.folder / "again"
    ledger.unlink(missing_ok=True)
    before = forks.call(partial(audit, library))["runs"].items()
    forks.call(partial(apply, library, [change], scene.results, ledger))
    found = forks.call(partial(audit, library))
    model = Model({run: State(row["status"], frozenset(row["tags"])) for run, row in before})
    wanted = after(model.runs, change)
    said = ledger.read_text()
    actual = {r: State(row["status"], frozenset(row["tags"])) for r, row in found["runs"].items()}
    return found["wrong"] + [f"is {actual} after it was done again: {said}"] * (actual != wanted)
