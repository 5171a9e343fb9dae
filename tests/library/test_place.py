"""Libraries whose metadata are in PostgreSQL, named by one URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

import ape_jupyter
from ape_jupyter.cli.main import main
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.place import DATABASE_URL, LibraryPlace
from ape_jupyter.testing.postgresql import PostgresqlServer


def test_a_url_names_database_and_directory_and_later_the_directory_does(
    postgresql: PostgresqlServer,
    tmp_path: Path,
    results_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = tmp_path / "team library"
    with postgresql.database() as url:
        target = f"{url}&library={quote(str(directory))}"
        with ape_jupyter.connect(target) as library:
            imported = library.import_results(results_folder)
            library.add_tag(imported[0].sim_id, "nhs")
        assert not (directory / "registry.db").exists()
        with ape_jupyter.connect(directory) as library:
            assert library.search("tag:nhs").total == 1
            assert library.verify().ok
        monkeypatch.setenv("APE_JUPYTER_LIBRARY", target)
        listed = CliRunner().invoke(main, ["list"])
        assert imported[0].name in listed.output
        checked = CliRunner().invoke(main, ["verify"])
        assert checked.exit_code == 0, checked.output
        state = CliRunner().invoke(main, ["migrate", "--dry-run"])
        assert "nothing to do" not in state.output
        assert "The database has version" in state.output
        with postgresql.database() as other, pytest.raises(InvalidArgumentError, match="metadata"):
            LocalLibrary.open(directory, database=other)


def test_a_directory_with_its_own_metadata_is_not_given_a_database(tmp_path: Path) -> None:
    LocalLibrary.open(tmp_path / "library").close()
    url = f"postgresql://ada:secret@db.example/amd?library={tmp_path / 'library'}"
    with pytest.raises(InvalidArgumentError, match=r"registry\.db") as refused:
        LocalLibrary.open(url)
    assert "secret" not in str(refused.value)


def test_no_password_is_written(tmp_path: Path) -> None:
    place = LibraryPlace.of(
        f"postgresql://ada:secret@db.example/amd?password=secret&sslmode=require&library={tmp_path}"
    )
    assert place.database == (
        "postgresql://ada:secret@db.example/amd?password=secret&sslmode=require"
    )
    place.remember_database()
    written = (tmp_path / DATABASE_URL).read_text()
    assert written == "postgresql://ada@db.example/amd?sslmode=require\n"
    # Another account of the same database is not another database.
    again = f"postgresql://grace@db.example:5432/amd?library={tmp_path}"
    assert LibraryPlace.of(again).database == "postgresql://grace@db.example:5432/amd"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("postgresql://ada:secret@db.example/amd", r"library=DIRECTORY"),
        ("postgresql://db.example/amd?library=", r"library=DIRECTORY"),
        ("mysql://db.example/amd", "neither a directory"),
    ],
)
def test_what_names_no_library_is_explained(target: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message) as refused:
        ape_jupyter.connect(target)
    assert "secret" not in str(refused.value)
