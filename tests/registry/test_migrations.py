"""Databases of older versions, of newer ones, and their backups."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner

from ape_jupyter.cli.main import main
from ape_jupyter.errors import CorruptedDataError, InvalidArgumentError, SchemaTooNewError
from ape_jupyter.model.events import EventType
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry import migrations
from ape_jupyter.registry.backups import KEPT, Backups, version_in
from ape_jupyter.registry.connector import connector_for
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.schema import (
    DATABASE_VERSION,
    library_state,
    metadata,
    recent_searches,
    saved_searches,
    tag_details,
)
from ape_jupyter.registry.search_index.tables import parameter_profiles
from ape_jupyter.registry.sqlite import SqliteConnector
from ape_jupyter.services.search.grammar import parse
from ape_jupyter.testing.suite_registry import example_metadata

# Written by ape-jupyter as it was when the version was the newest.
FIRST = Path(__file__).parent / "fixtures" / "version_1.db"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "registry.db"
    shutil.copy(FIRST, path)
    return path


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """What the first version knew, whatever the version of the file."""
    connection = sqlite3.connect(path)
    columns = [row[1] for row in sqlite3.connect(FIRST).execute("PRAGMA table_info(simulations)")]
    columns.remove("search_text")
    result = {
        "simulations": sorted(connection.execute(f"SELECT {', '.join(columns)} FROM simulations")),
        "tags": sorted(connection.execute("SELECT * FROM tags")),
        "documents": sorted(connection.execute("SELECT * FROM documents")),
        "revision": list(connection.execute("SELECT revision FROM library_state")),
    }
    connection.close()
    return result


def test_the_first_version_is_brought_up_on_opening(old: Path) -> None:
    expected = content(FIRST)
    registry = Registry(old)
    assert [run.name for run in registry.all_runs()] == [
        "quiet-harbour",
        "amber-field",
        "north-lantern",
    ]
    trashed = registry.all_runs()[2]
    assert trashed.status is Status.TRASHED
    assert content(old) == expected
    told = registry.events()
    assert {event.type for event in told} == {EventType.MIGRATION_APPLIED}
    assert [event.data["database_version"] for event in told] == list(
        range(2, DATABASE_VERSION + 1)
    )
    assert registry.search(parse("amber"), SearchRequest()).total == 1
    registry.set_status(trashed.sim_id, Status.AVAILABLE)
    assert registry.broken_history() is None
    registry.close()
    (backup,) = Backups(old).paths()
    assert content(backup) == expected
    assert version_in(backup) == 1


def is_ours(name: str | None, _kind: str, _parents: object) -> bool:
    """Tell what the schema describes from the full-text index, made in each database's way."""
    return not str(name).startswith(("search_words", "search_documents_by_word"))


def test_migrated_and_new_databases_are_alike(old: Path) -> None:
    Registry(old).close()
    connector = SqliteConnector(old)
    with connector.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(context, metadata) == []
    connector.close()


def test_steps_lead_to_this_version_one_by_one() -> None:
    assert [step.version for step in migrations.STEPS] == list(range(2, DATABASE_VERSION + 1))


def test_opening_this_version_loads_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ape_jupyter.library.local import LocalLibrary\n"
        f"for _ in range(2): LocalLibrary.open({str(tmp_path / 'library')!r}).close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
import sqlalchemy as sa
from ape_jupyter.registry.migrations import migrate, version_of
from ape_jupyter.registry.sqlite import SqliteConnector
from ape_jupyter.services.search.grammar import parse

first, place = Path(sys.argv[1]), Path(sys.argv[2])
number = 0
while True:
    number += 1
    path = place / str(number) / "registry.db"
    path.parent.mkdir()
    shutil.copy(first, path)
    child = os.fork()
    if child == 0:
        seen = 0

        @sa.event.listens_for(sa.Engine, "after_cursor_execute")
        def count(*_):
            global seen
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

        migrate(SqliteConnector(path))
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(number, status, flush=True)
    if status == 0:
        break
"""


def test_a_kill_at_any_statement_leaves_the_old_or_the_new(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(FIRST), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) > 10
    assert {status for _, status in lines[:-1]} == {"-9"}
    expected = content(FIRST)
    for number, _ in lines:
        path = tmp_path / number / "registry.db"
        assert 1 <= version_in(path) <= DATABASE_VERSION
        assert content(path) == expected
        Registry(path).close()
        assert version_in(path) == DATABASE_VERSION
        assert content(path) == expected


OPENED = """
import sys
from pathlib import Path
from ape_jupyter.registry.registry import Registry
sys.stdin.readline()
registry = Registry(Path(sys.argv[1]))
registry.record_event("search_performed")
registry.close()
"""


@pytest.mark.parametrize("is_new", [True, False])
def test_processes_that_open_at_once_do_it_once(old: Path, is_new: bool) -> None:
    if is_new:
        old.unlink()
    arguments = [sys.executable, "-c", OPENED, str(old)]
    processes = [subprocess.Popen(arguments, stdin=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 4
    registry = Registry(old)
    told = [event.type.value for event in registry.events()]
    assert (
        sorted(told)
        == ["migration_applied"] * (0 if is_new else len(migrations.STEPS))
        + ["search_performed"] * 4
    )
    assert len(Backups(old).paths()) == (0 if is_new else 1)
    registry.close()


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_a_newer_database_is_refused_untouched(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "registry.db"
    Registry(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE library_state SET database_version = 99")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SchemaTooNewError, match="nothing was changed"):
        Registry(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_backups_are_few_and_can_be_restored(old: Path) -> None:
    backups = Backups(old)
    made = [backups.make(1) for _ in range(KEPT + 1)]
    assert backups.paths() == made[:0:-1]
    registry = Registry(old)
    registry.set_tags([registry.all_runs()[0].sim_id], ["lost"], [])
    oldest = backups.paths()[-1]
    kept = backups.restore(oldest)
    registry.close()
    assert version_in(old) == 1
    assert content(old) == content(FIRST)
    assert kept is not None
    assert version_in(kept) == DATABASE_VERSION
    backups.restore(kept)
    restored = Registry(old)
    assert "lost" in restored.all_runs()[0].tags
    restored.close()


def test_a_damaged_database_is_moved_aside_for_its_backup(old: Path) -> None:
    backup = Backups(old).make(1)
    old.write_bytes(b"no database" * 1000)
    with pytest.raises(CorruptedDataError):
        Registry(old)
    assert Backups(old).restore(backup) is None
    assert content(old) == content(FIRST)
    assert [path.read_bytes()[:11] for path in old.parent.glob("*.damaged-*")] == [b"no database"]


def test_a_damaged_backup_changes_nothing(old: Path) -> None:
    backup = Backups(old).make(1)
    data = bytearray(backup.read_bytes())
    data[5000:9000] = bytes(4000)
    backup.write_bytes(data)
    before = old.read_bytes()
    with pytest.raises(CorruptedDataError):
        Backups(old).restore(backup)
    with pytest.raises(InvalidArgumentError, match=backup.name):
        Backups(old).restore(backup.with_name("absent.db"))
    assert old.read_bytes() == before


def test_the_command_says_what_it_does(old: Path) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["migrate", "--library", str(old.parent), *arguments])
        return f"{result.exit_code} {result.output}"

    before = old.read_bytes()
    assert f"version 1; the newest is {DATABASE_VERSION}" in run("--dry-run")
    assert "Would add the history" in run("--dry-run", "--to", "2")
    assert "not to 99" in run("--to", "99")
    assert old.read_bytes() == before
    assert f"has version {DATABASE_VERSION} now" in run()
    assert "nothing to do" in run()
    assert "not to 1" in run("--to", "1")
    (backup,) = Backups(old).paths()
    assert backup.name in run("--dry-run")
    assert "is kept as" in run("--restore", backup.name)
    assert version_in(old) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_third_version_is_brought_up(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as stack:
        location: Path | str = tmp_path / "registry.db"
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql")
            location = stack.enter_context(server.database())
        registry = Registry(location)
        runs = [example_metadata(number, tags=("nhs",)) for number in range(3)]
        protocol = {"min_interval_days": 28, "doses": [1, 2]}
        for run in runs:
            registry.add(run, {"protocol": protocol})
        registry.close()
        connector = connector_for(location)
        with connector.write() as connection:
            # What that version did not have.
            for table in (tag_details, saved_searches, recent_searches, parameter_profiles):
                table.drop(connection)
            connection.execute(sa.update(library_state).values(database_version=3))
        Registry(location).close()
        with connector.read() as connection:
            context = MigrationContext.configure(connection, opts={"include_name": is_ours})
            assert compare_metadata(context, metadata) == []
            profiles = connection.execute(sa.select(parameter_profiles)).all()
        connector.close()
        assert {row.run_id for row in profiles} == {run.sim_id for run in runs}
        assert len({row.profile for row in profiles}) == 1
        registry = Registry(location)
        assert registry.all_runs() == runs
        assert registry.search(parse("protocol.min_interval_days=28"), SearchRequest()).total == 3
        registry.close()
