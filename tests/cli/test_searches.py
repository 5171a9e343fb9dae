"""``ape-jupyter searches``, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ape_jupyter.cli import main
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.testing.runs import EXAMPLE_NAMES, write_example_runs

Cli = Callable[..., Result]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    library = tmp_path / "library"
    with LocalLibrary.open(library) as opened:
        opened.import_results(write_example_runs(tmp_path / "runs")[0].parent)

    def run(*arguments: str) -> Result:
        environment = {"APE_JUPYTER_LIBRARY": str(library)}
        return CliRunner().invoke(main, list(arguments), env=environment)

    return run


def listed(cli: Cli) -> list[tuple[str, str, bool]]:
    found = json.loads(cli("searches", "--json").stdout)
    return [(one["name"], one["terms"]["query"], one["is_shared"]) for one in found]


def test_searches_are_kept(cli: Cli) -> None:
    assert cli("searches", "save", "First", "seed=1").exit_code == 0
    refused = cli("searches", "save", "first", "seed=2")
    assert (refused.exit_code, "already" in refused.stderr) == (2, True)
    assert cli("searches", "save", "first", "seed=2", "--replace", "--share").exit_code == 0
    assert listed(cli) == [("first", "seed=2", True)]
    assert cli("searches", "rename", "first", "second").exit_code == 0
    assert "its owner only" in cli("searches", "share", "second", "--no-longer").stdout
    assert "second" in cli("searches").stdout
    found = json.loads(cli("list", "--saved", "SECOND", "--json").stdout)
    assert [run["name"] for run in found] == [EXAMPLE_NAMES[1]]
    assert "seed=2" in cli("searches", "recent").stdout
    assert "seed=2" not in cli("searches", "recent", "--clear").stdout
    assert "seed=2" not in cli("searches", "recent").stdout
    assert cli("searches", "delete", "second").exit_code == 0
    assert listed(cli) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["searches", "save", "x", "seed>"], "value is missing"),
        (["searches", "delete", "x"], "no search"),
        (["list", "--saved", "x"], "no saved search"),
        (["list", "quiet", "--saved", "x"], "stands alone"),
    ],
)
def test_what_can_not_be_is_told(cli: Cli, words: list[str], told: str) -> None:
    result = cli(*words)
    assert result.exit_code == 2
    assert told in result.stderr
