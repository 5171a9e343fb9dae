"""The commands, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import ape_jupyter.cli.library_option
from ape_jupyter.cli import main
from ape_jupyter.cli.commands import ApeCommand, ApeGroup
from ape_jupyter.demo.generator import RunSpec, write_package, write_results
from ape_jupyter.demo.protocols import FIXED_Q8W
from ape_jupyter.errors import LibraryBusyError
from ape_jupyter.library.local import LocalLibrary

Cli = Callable[..., Result]

SPECS = (
    RunSpec(n_patients=60, memorable_name="quiet-harbour"),
    RunSpec(n_patients=70, memorable_name="quick-otter", seed=2, protocol=FIXED_Q8W),
)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def cli(library: Path) -> Cli:
    def run(*arguments: str | Path) -> Result:
        environment = {"APE_JUPYTER_LIBRARY": str(library)}
        result = CliRunner().invoke(main, list(map(str, arguments)), env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return run


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for spec in SPECS:
        write_results(tmp_path / "results", spec)
    return tmp_path / "results"


@pytest.fixture
def filled(cli: Cli, results: Path) -> Cli:
    assert cli("import", results, "--tag", "draft").exit_code == 0
    return cli


class TestImport:
    def test_twice(self, cli: Cli, results: Path) -> None:
        first = cli("import", results)
        assert first.exit_code == 0
        assert "2 runs: 2 imported, 0 already there, 0 refused." in first.stdout
        assert SPECS[0].sim_id in first.stdout
        assert "[1/2]" in first.stderr
        before = cli("list", "--json").stdout
        second = cli("import", results)
        assert second.exit_code == 0
        assert "2 runs: 0 imported, 2 already there, 0 refused." in second.stdout
        assert cli("list", "--json").stdout == before

    def test_several_paths_and_packages(self, cli: Cli, results: Path, tmp_path: Path) -> None:
        run = write_results(tmp_path, RunSpec(memorable_name="boxed-finch", n_patients=40))
        package = write_package(tmp_path / "boxed.zip", run)
        result = cli("import", package, results)
        assert "3 runs: 3 imported" in result.stdout

    def test_refused_with_every_fault(self, cli: Cli, results: Path) -> None:
        broken = write_results(results, RunSpec(memorable_name="broken-pier", n_patients=40))
        (broken / "visits.parquet").write_bytes(b"PAR1")
        (broken / "metadata.json").write_text("{}")
        result = cli("import", results)
        assert result.exit_code == 1
        assert "3 runs: 2 imported, 0 already there, 1 refused." in result.stdout
        assert f"{broken} was refused:" in result.stdout
        for fault in (
            "visits.parquet: is not a readable Parquet file",
            "metadata.json: column 'sim_id': is missing",
            "metadata.json: column 'engine_type': is missing",
        ):
            assert f"  - {fault}" in result.stdout

    def test_a_broken_path_does_not_keep_out_the_next(
        self, cli: Cli, results: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "nothing").mkdir()
        result = cli("import", tmp_path / "nothing", results)
        assert result.exit_code == 1
        assert "There are no APE results" in result.stdout
        assert "2 imported" in result.stdout

    def test_a_path_that_is_not_there(self, cli: Cli, tmp_path: Path) -> None:
        result = cli("import", tmp_path / "nothing")
        assert result.exit_code == 2
        assert "does not exist" in result.stderr

    def test_an_impossible_tag(self, cli: Cli, results: Path) -> None:
        result = cli("import", results, "--tag", "a,b")
        assert result.exit_code == 2
        assert "comma" in result.stderr
        assert cli("list").stdout.startswith("No runs yet.")

    def test_names_can_not_play_with_the_terminal(self, cli: Cli, tmp_path: Path) -> None:
        run = write_results(tmp_path, RunSpec(n_patients=40))
        metadata = json.loads((run / "metadata.json").read_text())
        metadata["protocol_name"] = "red \x1b[31m alert [bold]"
        (run / "metadata.json").write_text(json.dumps(metadata))
        assert cli("import", run).exit_code == 0
        shown = cli("show", "quiet").stdout
        assert "\x1b" not in shown
        assert "[bold]" in shown


class TestList:
    def test_empty(self, cli: Cli) -> None:
        assert cli("list").stdout == "No runs yet. Add some with: ape-jupyter import PATH\n"

    def test_table(self, filled: Cli) -> None:
        lines = filled("list").stdout.splitlines()
        assert lines[0].split() == [
            "name",
            "protocol",
            "patients",
            "years",
            "created",
            "tags",
            "id",
        ]
        assert len(lines) == 3

    def test_words(self, filled: Cli) -> None:
        assert "quick-otter" in filled("list", "eight weeks").stdout
        assert "quiet-harbour" not in filled("list", "eight weeks").stdout
        assert filled("list", "nonesuch").stdout == "No runs match.\n"

    def test_json(self, filled: Cli) -> None:
        runs = json.loads(filled("list", "--json", "--sort", "name").stdout)
        assert [run["name"] for run in runs] == ["quick-otter", "quiet-harbour"]
        assert runs[0]["tags"] == ["draft"]

    def test_order_and_limit(self, filled: Cli) -> None:
        backwards = json.loads(filled("list", "--json", "--sort", "name", "--reverse").stdout)
        assert [run["name"] for run in backwards] == ["quiet-harbour", "quick-otter"]
        assert "1 of 2 runs" in filled("list", "--limit", "1").stdout

    def test_by_tag(self, filled: Cli) -> None:
        filled("tag", "quick", "--add", "final")
        assert [
            r["name"] for r in json.loads(filled("list", "--tag", "final", "--json").stdout)
        ] == ["quick-otter"]


class TestRuns:
    def test_show(self, filled: Cli) -> None:
        shown = filled("show", "quiet-harbour").stdout
        assert SPECS[0].sim_id in shown
        assert "ETDRS letters" in shown
        assert json.loads(filled("show", "quiet", "--json").stdout)["name"] == "quiet-harbour"

    def test_tag(self, filled: Cli) -> None:
        added = filled("tag", "quiet", "--add", "thesis", "--remove", "DRAFT")
        assert added.stdout == "quiet-harbour: tags are now thesis.\n"
        assert filled("tag", "quiet", "--remove", "thesis").stdout.endswith("tags are now none.\n")

    def test_tag_without_a_tag(self, filled: Cli) -> None:
        result = filled("tag", "quiet")
        assert result.exit_code == 2
        assert "--add TAG" in result.stderr

    def test_delete_and_restore(self, filled: Cli) -> None:
        deleted = filled("delete", "quick")
        hint = f"ape-jupyter restore {SPECS[1].sim_id}"
        assert hint in deleted.stdout
        assert "quick-otter" not in filled("list").stdout
        assert filled(*hint.split()[1:]).stdout == "quick-otter is back.\n"
        assert "quick-otter" in filled("list").stdout

    def test_compare(self, filled: Cli) -> None:
        result = filled("compare", "quiet", "quick")
        assert result.exit_code == 0
        assert result.stdout.splitlines()[0].split()[:4] == ["run", "protocol", "year", "0"]
        assert filled("compare", "quiet").exit_code == 2


class TestMemory:
    def test_pin_and_evict(self, filled: Cli, library: Path) -> None:
        assert "quiet-harbour is pinned." in filled("pin", "quiet-harbour").stdout
        assert json.loads(filled("show", "quiet-harbour", "--json").stdout)["is_pinned"]
        refused = filled("evict", "quiet-harbour")
        assert refused.exit_code == 2
        assert "unpin it first" in refused.stderr
        assert "no longer pinned" in filled("unpin", "quiet").stdout
        assert filled("evict", "quiet-harbour").stdout.startswith("0.0 MB")

    def test_report_and_optimization(self, filled: Cli, library: Path) -> None:
        assert "No run is in the cache." in filled("memory").stdout
        with LocalLibrary.open(library) as opened:
            opened.load_simulation("quiet-harbour", load_data=True).unload_results()
        shown = filled("memory").stdout
        assert "quiet-harbour" in shown
        assert "as pandas" in shown
        report = json.loads(filled("memory", "--json").stdout)
        assert [run["name"] for run in report["runs"]] == ["quiet-harbour"]
        kept = filled("optimize").stdout
        assert "quiet-harbour: kept (it was used" in kept
        assert "quiet-harbour" in filled("optimize", "--idle-for", "0").stdout


class TestPerformance:
    def test_report_suggestions_and_doing_them(self, filled: Cli, library: Path) -> None:
        assert "no run was opened" in filled("performance").stdout
        with LocalLibrary.open(library) as opened:
            for _ in range(6):
                opened.load_simulation("quiet-harbour", load_data=True).unload_results()
                opened.evict("quiet-harbour")
        shown = filled("performance").stdout
        assert "hit rate 0%" in shown
        assert "Pin quiet-harbour" in shown
        figures = json.loads(filled("performance", "--json").stdout)
        assert figures["performance"]["misses"] == 6
        (advice,) = figures["suggestions"]
        done = filled("performance", "--apply", advice["suggestion_id"])
        assert done.stdout == "quiet-harbour is pinned.\n"
        refused = filled("performance", "--apply", advice["suggestion_id"])
        assert refused.exit_code == 2
        assert "no longer" in refused.stderr


class TestFailure:
    def test_one_sentence_and_no_traceback(self, filled: Cli) -> None:
        result = filled("show", "quiet-harbor")
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("Error: No run 'quiet-harbor' in this library.")
        assert "quiet-harbour" in result.stderr
        assert len(result.stderr.splitlines()) == 1

    def test_red_at_a_terminal(self, library: Path) -> None:
        runner = CliRunner(env={"APE_JUPYTER_LIBRARY": str(library)})
        result = runner.invoke(main, ["show", "nothing"], color=True)
        assert result.stderr.startswith("\x1b[31mError:")

    def test_an_ambiguous_name(self, filled: Cli) -> None:
        result = filled("show", "qui")
        assert result.exit_code == 2
        assert "more than one run" in result.stderr

    def test_expected_errors_of_the_library(
        self, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def busy(_target: object) -> None:
            raise LibraryBusyError

        monkeypatch.setattr("ape_jupyter.cli.runs.open_library", busy)
        result = cli("list")
        assert (result.exit_code, result.stderr) == (
            2,
            "Error: The library did not become free in time; try again.\n",
        )

    def test_interrupted(self, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(_target: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("ape_jupyter.cli.runs.open_library", interrupt)
        result = cli("list")
        assert result.exit_code == 130
        assert "Interrupted" in result.stderr


class TestCompletion:
    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_scripts(self, cli: Cli, shell: str) -> None:
        result = cli("completion", shell)
        assert result.exit_code == 0
        assert "_APE_JUPYTER_COMPLETE" in result.stdout

    def complete(self, words: str, library: Path) -> list[str]:
        environment = {
            "_APE_JUPYTER_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
            "APE_JUPYTER_LIBRARY": str(library),
        }
        result = CliRunner().invoke(main, [], prog_name="ape-jupyter", env=environment)
        return [line.partition(",")[2] for line in result.stdout.splitlines() if line]

    def test_commands(self, library: Path) -> None:
        assert self.complete("ape-jupyter del", library) == ["delete"]

    @pytest.mark.usefixtures("filled")
    def test_runs(self, library: Path) -> None:
        found = self.complete("ape-jupyter show qui", library)
        assert sorted(found) == ["quick-otter", "quiet-harbour"]
        assert self.complete("ape-jupyter compare quiet-harbour quick", library) == ["quick-otter"]
        assert self.complete("ape-jupyter tag sim_20260504_093012_02-00_quie", library) == [
            SPECS[0].sim_id
        ]

    def test_without_a_library(self, library: Path) -> None:
        assert self.complete("ape-jupyter show q", library) == []
        assert not library.exists()

    @pytest.mark.usefixtures("filled")
    def test_a_broken_library_is_silent(
        self, library: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_target: object) -> None:
            raise OSError

        monkeypatch.setattr(ape_jupyter.cli.library_option, "open_library", fail)
        assert self.complete("ape-jupyter show q", library) == []


def below(command: click.Command, *words: str) -> Iterator[tuple[str, ...]]:
    yield words
    for name in sorted(getattr(command, "commands", ())):
        yield from below(command.commands[name], *words, name)  # type: ignore[attr-defined]


def named(words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """Return the command that words begin with, and the words that follow."""
    command: click.Command = main
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    return command, rest


COMMANDS = list(below(main))


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words) or "main")
class TestHelp:
    def test_text_and_examples(self, cli: Cli, words: tuple[str, ...]) -> None:
        for option in ("--help", "-h"):
            result = cli(*words, option)
            assert result.exit_code == 0
            assert f"  {' '.join(('ape-jupyter', *words))}" in result.stdout.split("Examples:")[1]

    def test_examples_can_be_typed(self, words: tuple[str, ...]) -> None:
        command, _ = named(words)
        for example in command.examples:  # type: ignore[attr-defined]
            program, *typed = example.split(" >")[0].split()
            assert program == "ape-jupyter"
            called, rest = named(typed)
            assert isinstance(called, ApeCommand | ApeGroup)
            assert called is not main
            # Only the options are checked: the paths of examples are not there.
            options = {opt for param in called.params for opt in param.opts}
            assert {word for word in rest if word.startswith("--")} <= options

    def test_every_option_is_explained(self, words: tuple[str, ...]) -> None:
        command, _ = named(words)
        assert command.help
        for param in command.params:
            if param.param_type_name == "option":
                assert param.help, param  # type: ignore[attr-defined]


def test_version(cli: Cli) -> None:
    assert cli("--version").stdout.startswith("ape-jupyter ")


class TestVerify:
    def test_a_sound_library(self, filled: Cli) -> None:
        result = filled("verify", "--fast")
        assert result.exit_code == 0
        assert "2 runs checked without reading the bytes: nothing is wrong." in result.stdout

    def test_damage_is_told_and_healed(self, filled: Cli, library: Path, results: Path) -> None:
        for path in library.glob("objects/*/*/visits.parquet"):
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content[:-20])
        one = json.loads(filled("verify", "quiet-harbour", "--json").stdout)
        assert (one["ok"], one["n_runs"]) == (False, 1)
        result = filled("verify", "--repair")
        assert result.exit_code == 1
        assert "2 runs checked: 2 things wrong." in result.stdout
        assert "import the same results again" in result.stdout
        assert filled("import", results).exit_code == 0
        assert filled("verify").exit_code == 0

    def test_linked_runs(self, cli: Cli, library: Path, results: Path) -> None:
        assert cli("import", "--link", results).exit_code == 0
        assert not list(library.rglob("*.parquet"))
        assert cli("verify").exit_code == 0
        next(results.glob("*quiet-harbour/visits.parquet")).unlink()
        result = cli("verify")
        assert result.exit_code == 1
        assert "visits.parquet is no longer there" in result.stdout


class TestHistoryAndPurge:
    def test_history(self, filled: Cli) -> None:
        filled("tag", "quiet-harbour", "--add", "thesis")
        result = filled("history", "quiet-harbour")
        assert result.exit_code == 0
        assert "simulation registered" in result.output
        assert "tags: draft → draft, thesis" in result.output
        told = json.loads(filled("history", "quiet-harbour", "--json").output)
        types = [event["type"] for event in told]
        assert types == ["simulation_registered", "migration_applied", "tags_changed"]

    def test_purge_says_first_what_would_go(self, filled: Cli) -> None:
        filled("delete", "quiet-harbour")
        assert "0 runs" in filled("purge").output
        plan = filled("purge", "--older-than-days", "0").output
        assert "1 run and 1 result set would go" in plan
        assert "add --yes" in plan
        done = filled("purge", "--older-than-days", "0", "--yes").output
        assert "1 run and 1 result set gone" in done
        assert "0 runs" in filled("purge", "--older-than-days", "0").output

    def test_a_server_can_not_be_asked(self, filled: Cli) -> None:
        result = filled("history", "quiet-harbour", "--library", "http://host:8888/")
        assert result.exit_code == 2
        assert "directory" in result.stderr
