"""Runs that tests share. They are made by the project's own generator, or are real ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.testing.postgresql import PostgresqlServer, running_postgresql

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser last: Playwright keeps an event loop running that server tests trip over."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with result directories and packages that APE itself wrote."""
    if not REAL_DATA.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{REAL_DATA} is missing, and CI must test on real runs")
        pytest.skip(f"{REAL_DATA} is not on this machine; generated runs are tested elsewhere")
    return REAL_DATA


@pytest.fixture(scope="session")
def results_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small generated runs: two engines, one with costs, one in an older format."""
    folder = tmp_path_factory.mktemp("results")
    for spec in (
        RunSpec(memorable_name="calm-river", n_patients=120, seed=1),
        RunSpec(
            memorable_name="bold-heron",
            n_patients=90,
            seed=2,
            engine_type="des",
            model_type="visit_based",
            created_at=datetime(2026, 5, 5, tzinfo=UTC),
            with_costs=True,
        ),
        RunSpec(
            memorable_name="old-oak",
            n_patients=60,
            seed=3,
            schema_version="1.0.0",
            created_at=datetime(2026, 5, 3, tzinfo=UTC),
            timestamp_has_zone=False,
        ),
    ):
        write_results(folder, spec)
    return folder


@pytest.fixture(scope="session")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of more than a million visits: importing it takes a second."""
    spec = RunSpec(memorable_name="wide-sea", n_patients=110_000, duration_years=5.0, seed=4)
    return write_results(tmp_path_factory.mktemp("large"), spec)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LocalLibrary]:
    """An empty library."""
    with LocalLibrary.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def filled_library(library: LocalLibrary, results_folder: Path) -> LocalLibrary:
    """A library with the three generated runs."""
    library.import_results(results_folder)
    return library


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server with an empty schema for every test that asks; its tools are found."""
    with running_postgresql() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.fspath(server.tools), prepend=os.pathsep)
        yield server
