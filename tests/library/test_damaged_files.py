"""Whatever happens to the bytes of a run: it is refused, or it is sound; nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ape_jupyter.demo.generator import RunSpec, write_package, write_results
from ape_jupyter.errors import InvalidResultsError
from ape_jupyter.library.local import LocalLibrary

FILES = (
    "patients.parquet",
    "visits.parquet",
    "visits_with_costs.parquet",
    "daily_resource_usage.parquet",
    "metadata.json",
    "audit_log.json",
    "protocol.yaml",
)
SETTINGS = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

positions = st.floats(0, 1, exclude_max=True)
flips = st.lists(st.tuples(positions, st.integers(1, 255)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def sound_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = RunSpec(n_patients=25, with_costs=True, memorable_name="scratched-lens")
    return write_results(tmp_path_factory.mktemp("sound"), spec)


def flipped(content: bytes, changes: list[tuple[float, int]]) -> bytes:
    damaged = bytearray(content)
    for position, mask in changes:
        damaged[int(position * len(damaged))] ^= mask
    return bytes(damaged)


def assert_refused_or_sound(path: Path, directory: Path) -> None:
    with LocalLibrary.open(directory / "library") as library:
        refused = _import(library, path)
        objects = list((library.directory / "objects").glob("*/*"))
        assert list((library.directory / "staging").iterdir()) == []
        if refused is not None:
            assert refused.faults
            assert (len(library.get_all_metadata()), objects) == (0, [])
            return
        (run,) = library.get_all_metadata()
        results = library.load_simulation(run.sim_id).load_results()
        assert results.patients.num_rows == run.n_patients
        results.visits.validate(full=True)


def _import(library: LocalLibrary, path: Path) -> InvalidResultsError | None:
    try:
        library.import_results(path)
    except InvalidResultsError as error:
        return error
    return None


@pytest.mark.parametrize("file", FILES)
@SETTINGS
@given(changes=flips)
def test_flipped_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    sound_run: Path,
    file: str,
    changes: list[tuple[float, int]],
) -> None:
    directory = tmp_path_factory.mktemp("flipped")
    run = Path(shutil.copytree(sound_run, directory / sound_run.name))
    (run / file).write_bytes(flipped((run / file).read_bytes(), changes))
    assert_refused_or_sound(run, directory)
    shutil.rmtree(directory)


@pytest.mark.parametrize("file", FILES)
@settings(SETTINGS, max_examples=10)
@given(share=positions)
def test_truncated_files(
    tmp_path_factory: pytest.TempPathFactory, sound_run: Path, file: str, share: float
) -> None:
    directory = tmp_path_factory.mktemp("truncated")
    run = Path(shutil.copytree(sound_run, directory / sound_run.name))
    content = (run / file).read_bytes()
    (run / file).write_bytes(content[: int(share * len(content))])
    assert_refused_or_sound(run, directory)
    shutil.rmtree(directory)


@SETTINGS
@given(changes=flips, share=st.one_of(st.just(1.0), positions))
def test_damaged_packages(
    tmp_path_factory: pytest.TempPathFactory,
    sound_run: Path,
    changes: list[tuple[float, int]],
    share: float,
) -> None:
    directory = tmp_path_factory.mktemp("package")
    package = write_package(directory / "run.zip", sound_run)
    content = flipped(package.read_bytes(), changes)
    package.write_bytes(content[: int(share * len(content))])
    assert_refused_or_sound(package, directory)
    shutil.rmtree(directory)
