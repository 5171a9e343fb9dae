"""Comparisons that were made before are found, by all processes, and never when they are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ape_jupyter.cache.answers import ANSWERS, AnswerCache
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.library.local import LocalLibrary

NAMES = ["calm-river", "bold-heron", "old-oak"]
OPTIONS = {"comparison_type": "statistical", "metrics": "all", "time_alignment": "relative"}


def shown(result: ComparisonResult) -> str:
    tables = (result.series, result.differences, result.tests, result.protocol_diff)
    parts = (result.request, result.metrics, result.missing, result.notes, result.provenance)
    return repr(([table.to_pylist() for table in tables], parts))


@pytest.fixture
def kept(filled_library: LocalLibrary) -> Path:
    return filled_library.directory / "cache" / ANSWERS


@pytest.mark.parametrize("options", [OPTIONS, {"pool_replicates": True}, {"times": None}])
def test_what_is_found_is_what_was_computed(
    filled_library: LocalLibrary, kept: Path, options: dict
) -> None:
    first = filled_library.compare_simulations(NAMES, **options)
    (file,) = kept.iterdir()
    before = file.stat().st_ino
    again = filled_library.compare_simulations(NAMES, **options)
    assert shown(again) == shown(first)
    assert again.series.schema == first.series.schema
    assert file.stat().st_ino == before  # not computed and kept again


def test_another_process_finds_it_without_any_summary(
    filled_library: LocalLibrary, kept: Path
) -> None:
    options = OPTIONS | {"metrics": ["vision", "persistence"]}
    filled_library.compare_simulations(NAMES, **options)
    for summary in (filled_library.directory / "cache").glob("*/summary*.arrow"):
        summary.unlink()
    code = (
        "import sys; from ape_jupyter.library.local import LocalLibrary\n"
        f"r = LocalLibrary.open(sys.argv[1]).compare_simulations({NAMES!r}, **{options!r})\n"
        "print(r.tests.num_rows)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(filled_library.directory)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert int(done.stdout) > 0
    assert not list((filled_library.directory / "cache").glob("*/summary*.arrow"))
    assert len(list(kept.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 10])
def test_a_damaged_answer_is_computed_again(
    filled_library: LocalLibrary, kept: Path, damage: bytes
) -> None:
    first = filled_library.compare_simulations(NAMES)
    (file,) = kept.iterdir()
    file.write_bytes(damage)
    assert shown(filled_library.compare_simulations(NAMES)) == shown(first)
    assert file.read_bytes() != damage


def test_each_parameter_makes_another_answer(filled_library: LocalLibrary, kept: Path) -> None:
    requests = [
        {},
        {"confidence": 0.9},
        {"bin_width": 3},
        {"observations": "locf"},
        {"reference": NAMES[1]},
        {"metrics": "visits"},
        {"time_alignment": "normalized"},
        {"comparison_type": "difference"},
    ]
    for options in requests:
        filled_library.compare_simulations(NAMES, **options)
    filled_library.compare_simulations(NAMES[:2])
    filled_library.compare_simulations([NAMES[1], NAMES[0], NAMES[2]])
    assert len(list(kept.iterdir())) == len(requests) + 2


def test_other_results_under_the_same_name_are_another_answer(
    library: LocalLibrary, results_folder: Path
) -> None:
    tables = {name: next(results_folder.glob(f"*{name}")) for name in ("calm-river", "bold-heron")}

    def add(results: str, name: str) -> str:
        run = tables[results]
        visits, patients = run / "visits.parquet", run / "patients.parquet"
        return library.register(
            patients, visits, parameters={"duration_years": 2.0}, name=name
        ).sim_id

    one, other = add("calm-river", "one"), add("bold-heron", "other")
    first = library.compare_simulations([one, other])
    library.delete(other)
    changed = add("calm-river", "other")
    second = library.compare_simulations([one, changed])
    assert second.series.num_rows != first.series.num_rows or shown(first) != shown(second)


def test_answers_stay_within_bounds_and_the_last_used_stay(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path / "answers", max_bytes=1000)
    for number in range(8):
        cache.put(f"k{number}", bytes(200))
        os.utime(cache.directory / f"k{number}", ns=(number, number))
        if number == 2:
            assert cache.get("k0") is not None  # used just now
    cache.put("last", bytes(200))
    names = {path.name for path in cache.directory.iterdir()}
    assert sum(path.stat().st_size for path in cache.directory.iterdir()) <= 1000
    assert "k0" in names
    assert "k1" not in names
    cache.put("huge", bytes(2000))
    assert cache.get("huge") is None
    assert cache.get("never") is None


def test_a_cache_that_can_not_be_written_is_no_failure(
    filled_library: LocalLibrary, kept: Path
) -> None:
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("a file where the directory would be")
    assert filled_library.compare_simulations(NAMES).series.num_rows > 0
