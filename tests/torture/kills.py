"""Processes killed at any moment while they import, tag, delete and restore."""

from __future__ import annotations

import random
import tempfile
import time
from functools import partial
from pathlib import Path

from torture import forks
from torture.actions import apply_at_random, write_runs
from torture.audit import audit, collect_garbage
from torture.ledger import Model
from torture.table import Row

__all__ = ["kills"]

ROUNDS_PER_LIBRARY = 20
N_RUNS = 12


def kills(rounds: int) -> list[Row]:
    """Kill a process ``rounds`` times, each up to 0.4 s after it began or confirmed a change."""
    choice = random.Random(20261125)
    model, wrong, orphans, left = Model(), [], 0, []
    n_confirmed = 0
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        results = folder / "results"
        forks.call(lambda: len(write_runs(results, N_RUNS)))
        for number in range(rounds):
            library = folder / f"library-{number // ROUNDS_PER_LIBRARY}"
            if number % ROUNDS_PER_LIBRARY == 0:
                n_confirmed += model.n_confirmed
                model = Model()
            ledger = folder / f"ledger-{number}"
            victim = forks.start(partial(apply_at_random, library, results, ledger, number))
            # Every fourth at any moment from the start on, when the library is being opened.
            while number % 4 and not (ledger.exists() and b"done" in ledger.read_bytes()):
                time.sleep(0.001)
            time.sleep(choice.uniform(0.0, 0.4))
            victim.kill()
            if victim.wait() >= 0:
                wrong.append(f"round {number}: {victim.answer.read_text()}")
            model.follow(ledger)
            found = forks.call(partial(audit, library))
            wrong += [f"round {number}: {line}" for line in found["wrong"]]
            wrong += [f"round {number}: {line}" for line in model.violations(found["runs"])]
            orphans = max(orphans, found["orphans"])
            if number % ROUNDS_PER_LIBRARY == ROUNDS_PER_LIBRARY - 1 or number == rounds - 1:
                left += forks.call(partial(collect_garbage, library))
                after = forks.call(partial(audit, library))
                left += [f"{after['orphans']} orphans"] * bool(after["orphans"])
                wrong += [f"after garbage collection: {line}" for line in after["wrong"]]
        n_confirmed += model.n_confirmed
    return [
        Row(
            "kill -9 while importing, tagging, deleting and restoring",
            f"{rounds} kills, {n_confirmed} confirmed changes",
            f"at most {orphans} orphans at once before garbage collection",
            (*wrong, *left),
        )
    ]
