"""The notebooks are clean, and they run from the first cell to the last."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from ape_jupyter.demo.catalogue import CATALOGUE
from ape_jupyter.demo.launcher import build_library, copy_notebooks

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
N_RUNS = 9
"""The small runs at the beginning of the catalogue."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "library"
    build_library(path, CATALOGUE[:N_RUNS])
    return path


def test_both_are_there() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"quickstart", "comparing-protocols"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_is_clean(self, path: Path) -> None:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|tmp|work)/", text)
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)

    def test_runs(
        self, path: Path, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("APE_JUPYTER_LIBRARY", str(library))
        search_path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        monkeypatch.setenv("PYTHONPATH", search_path)
        folder = copy_notebooks(tmp_path / "notebooks")
        notebook = nbformat.read(folder / path.name, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute()
        problems = [
            output
            for cell in notebook.cells
            for output in cell.get("outputs", [])
            if output.output_type == "error" or output.get("name") == "stderr"
        ]
        assert problems == []
        if path.stem == "quickstart":
            assert "1 imported, 0 already there, 0 refused" in str(_outputs(notebook))
        assert "application/vnd.jupyter.widget-view+json" in str(_outputs(notebook))


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]
