"""The part of the suite on runs whose metadata is of another schema version."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ape_jupyter.errors import InvalidResultsError
from ape_jupyter.library.interface import Library
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["MigrationTests"]


class MigrationTests:
    """Older metadata comes in as the library's own, and stays readable as it was."""

    def test_older_metadata_is_kept_beside_the_new(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        for run in example_runs:
            data = filled.load_simulation(run.name)
            assert data.metadata.schema_version == "2.0.0"
            assert data.original_metadata == json.loads((run / "metadata.json").read_text("utf-8"))

    def test_the_name_is_in_the_id_of_the_oldest(self, filled: Library) -> None:
        data = filled.load_simulation(EXAMPLE_NAMES[2])
        assert "memorable_name" not in (data.original_metadata or {})
        assert data.metadata.name == EXAMPLE_NAMES[2]

    def test_metadata_of_the_librarys_own_version_brings_its_tags(
        self, library: Library, example_runs: list[Path], tmp_path: Path
    ) -> None:
        run = _copied(
            example_runs[0], tmp_path, schema_version="2.0.0", tags=["NHS", "trial"], later="kept"
        )
        (imported,) = library.import_results(run, tags=["nhs", "batch"])
        assert imported.tags == ("batch", "nhs", "trial")
        assert library.load_simulation(imported.sim_id).original_metadata is None

    def test_tags_that_can_not_be_are_refused(
        self, library: Library, example_runs: list[Path], tmp_path: Path
    ) -> None:
        for number, tags in enumerate(("NHS", [1], ["a,b"], [""], ["\ud800"])):
            folder = tmp_path / str(number)
            run = _copied(example_runs[0], folder, schema_version="2.0.0", tags=tags)
            with pytest.raises(InvalidResultsError, match="tags"):
                library.import_results(run)

    def test_metadata_of_an_unknown_version_is_refused(
        self, library: Library, example_runs: list[Path], tmp_path: Path
    ) -> None:
        run = _copied(example_runs[0], tmp_path, schema_version="9.0.0")
        with pytest.raises(InvalidResultsError, match=r"1\.0\.0, 1\.5\.0, 2\.0\.0"):
            library.import_results(run)
        assert not library.get_all_metadata()


def _copied(run: Path, folder: Path, **fields: Any) -> Path:
    """Copy a run, with other metadata."""
    copy = folder / "imports" / run.name
    shutil.copytree(run, copy)
    metadata = json.loads((copy / "metadata.json").read_text("utf-8"))
    (copy / "metadata.json").write_text(json.dumps(metadata | fields), "utf-8")
    return copy
