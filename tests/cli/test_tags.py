"""``ape-jupyter tags``, as a user types it."""

from __future__ import annotations

import json
import re
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
        opened.import_results(write_example_runs(tmp_path / "runs")[0].parent, tags=["area/sub"])

    def run(*arguments: str) -> Result:
        environment = {"APE_JUPYTER_LIBRARY": str(library)}
        return CliRunner().invoke(main, list(arguments), env=environment)

    return run


def listed(cli: Cli) -> dict[str, tuple[int, int, str | None]]:
    found = json.loads(cli("tags", "--json").stdout)
    return {entry["tag"]: (entry["count"], entry["total"], entry["colour"]) for entry in found}


def test_tags_change_and_the_way_back_is_told(cli: Cli) -> None:
    assert "area/sub" in cli("tags").stdout
    assert cli("tags", "colour", "area", "Red").exit_code == 0
    assert listed(cli) == {"area": (0, 3, "red"), "area/sub": (3, 3, None)}
    renamed = cli("tags", "rename", "area", "region")
    assert "Changed the tags of 3 runs." in renamed.stdout
    assert listed(cli) == {"region": (0, 3, "red"), "region/sub": (3, 3, None)}
    (number,) = re.findall(r"ape-jupyter tags undo (\d+)", renamed.stdout)
    cli("tag", EXAMPLE_NAMES[0], "--remove", "region/sub")
    undone = cli("tags", "undo", number)
    assert "1 run was changed since" in undone.stdout
    assert listed(cli) == {"area": (0, 3, "red"), "area/sub": (3, 3, None)}
    assert cli("tags", "change", "--add", "x", "--query", "seed<=2").exit_code == 0
    assert cli("tags", "change", "--add", "y", EXAMPLE_NAMES[2]).exit_code == 0
    assert cli("tags", "merge", "x", "y", "--into", "z").exit_code == 0
    assert listed(cli)["z"] == (3, 3, None)
    assert "Nothing" in cli("tags", "change", "--remove", "x", "--query", "").stdout
    assert cli("tags", "colour", "area", "none").exit_code == 0
    assert listed(cli)["area"] == (0, 3, None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rename", "area/sup", "x"], "'area/sub'"),
        (["colour", "area", "reddish"], "#rrggbb"),
        (["change", "--add", "x"], "--query"),
        (["undo", "999"], "no change of tags"),
    ],
)
def test_what_can_not_be_is_told(cli: Cli, words: list[str], told: str) -> None:
    result = cli("tags", *words)
    assert result.exit_code == 2
    assert told in result.stderr
