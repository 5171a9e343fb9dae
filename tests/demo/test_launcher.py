"""The demonstration library: made once, gone on with, and what JupyterLab is started with."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ape_jupyter.cli import main
from ape_jupyter.demo import launcher
from ape_jupyter.demo.catalogue import CATALOGUE
from ape_jupyter.errors import OperationCancelledError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.progress import Progress

FEW = CATALOGUE[3:6]


class TestCatalogue:
    def test_ids_and_names_are_unique(self) -> None:
        assert len({run.spec.sim_id for run in CATALOGUE}) == len(CATALOGUE)
        assert len({run.spec.memorable_name for run in CATALOGUE}) == len(CATALOGUE)

    def test_covers_what_runs_can_be(self) -> None:
        specs = [run.spec for run in CATALOGUE]
        assert {16 <= len(CATALOGUE) <= 20} == {True}
        assert min(spec.n_patients for spec in specs) == 200
        assert max(spec.n_patients for spec in specs) == 100_000
        assert len({spec.protocol.name for spec in specs}) >= 4
        assert {spec.engine_type for spec in specs} == {"abs", "des"}
        assert {spec.model_type for spec in specs} == {"visit_based", "time_based"}
        assert {spec.schema_version for spec in specs} == {"1.0.0", "1.5.0"}
        assert {spec.visit_order for spec in specs} == {"patient", "event"}
        assert sum(spec.with_costs for spec in specs) >= 3
        replicates = [run.spec for run in CATALOGUE if "replicates" in run.tags]
        assert len({spec.seed for spec in replicates}) == len(replicates) >= 3

    def test_starts_with_runs_on_the_same_patients(self) -> None:
        first, second = CATALOGUE[0].spec, CATALOGUE[1].spec
        assert first.protocol != second.protocol
        assert (first.seed, first.n_patients) == (second.seed, second.n_patients)


class TestBuild:
    def test_a_second_start_makes_nothing(self, tmp_path: Path) -> None:
        steps: list[Progress] = []
        report = launcher.build_library(tmp_path / "library", FEW, steps.append)
        assert report == launcher.BuildReport(n_made=3, n_there=0)
        assert [(step.done, step.current) for step in steps] == [
            (0, "silver-heron"),
            (1, "tidal-garden"),
            (2, "old-orchard"),
            (3, ""),
        ]
        with LocalLibrary.open(tmp_path / "library") as library:
            before = library.get_all_metadata()
        again = launcher.build_library(tmp_path / "library", FEW)
        assert again == launcher.BuildReport(n_made=0, n_there=3)
        with LocalLibrary.open(tmp_path / "library") as library:
            assert library.get_all_metadata() == before

    def test_goes_on_after_an_interruption(self, tmp_path: Path) -> None:
        def stop_at_the_second(progress: Progress) -> None:
            if progress.done == 1:
                raise OperationCancelledError

        with pytest.raises(OperationCancelledError):
            launcher.build_library(tmp_path / "library", FEW, stop_at_the_second)
        report = launcher.build_library(tmp_path / "library", FEW)
        assert report == launcher.BuildReport(n_made=2, n_there=1)

    def test_tags_and_costs(self, tmp_path: Path) -> None:
        launcher.build_library(tmp_path / "library", FEW)
        with LocalLibrary.open(tmp_path / "library") as library:
            run = library.get_metadata("tidal-garden")
            assert run.tags == ("costs", "demo")
            assert run.has_costs
            assert run.has_resources
            old = library.get_metadata("old-orchard")
            assert old.model_type == "time_based"  # said by its protocol only
            assert old.headline.discontinuation_rate is None


class TestNotebooks:
    def test_copies_can_be_written(self, tmp_path: Path) -> None:
        folder = launcher.copy_notebooks(tmp_path / "deep" / "notebooks")
        names = {path.name for path in folder.iterdir()}
        assert names >= {"quickstart.ipynb", "comparing-protocols.ipynb"}
        assert all(path.stat().st_mode & stat.S_IWUSR for path in folder.iterdir())

    def test_what_the_user_wrote_stays(self, tmp_path: Path) -> None:
        (tmp_path / "quickstart.ipynb").write_text("mine")
        launcher.copy_notebooks(tmp_path)
        assert (tmp_path / "quickstart.ipynb").read_text() == "mine"

    def test_lie_beside_the_library(self, tmp_path: Path) -> None:
        assert launcher.notebooks_folder(tmp_path / "demo") == tmp_path / "demo-notebooks"


class TestJupyterLab:
    def test_command(self, tmp_path: Path) -> None:
        command = launcher.jupyterlab_command(tmp_path, port=8899, open_browser=False)
        assert command[:3] == [sys.executable, "-m", "jupyterlab"]
        assert {f"--ServerApp.root_dir={tmp_path}", "--ServerApp.port=8899", "--no-browser"} <= set(
            command
        )
        plain = launcher.jupyterlab_command(tmp_path)
        assert not [word for word in plain if "browser" in word or "port=" in word]

    def test_jupyterlab_knows_every_option(self, tmp_path: Path) -> None:
        command = launcher.jupyterlab_command(tmp_path, port=8899, open_browser=False)
        shown = subprocess.run(
            [*command, "--show-config"], capture_output=True, text=True, check=True, timeout=120
        )
        assert "quickstart.ipynb" in shown.stdout
        assert "unrecognized" not in (shown.stdout + shown.stderr).lower()

    def test_the_server_takes_the_place_of_the_command(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[tuple[str, list[str], dict[str, str]]] = []
        monkeypatch.setattr(os, "execve", lambda *call: calls.append(call))
        monkeypatch.setattr(launcher, "CATALOGUE", FEW)
        monkeypatch.setattr("ape_jupyter.demo.catalogue.CATALOGUE", FEW)
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
        library = tmp_path / "library"
        arguments = ["demo", "--library", str(library), "--runs", "2", "--no-browser"]
        first = CliRunner().invoke(main, arguments)
        assert first.exit_code == 0, first.output
        assert "2 runs made." in first.stdout
        second = CliRunner().invoke(main, arguments)
        assert "0 runs made, 2 were there." in second.stdout
        program, command, environment = calls[0]
        assert program == sys.executable
        assert "--no-browser" in command
        assert environment["APE_JUPYTER_LIBRARY"] == str(library)
        assert (tmp_path / "library-notebooks" / "quickstart.ipynb").exists()

    def test_demonstration_runs_stay_out_of_the_user_s_library(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("APE_JUPYTER_LIBRARY", str(tmp_path / "own"))
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
        assert launcher.default_library() == tmp_path / "jupyter" / "ape-jupyter-demo"
