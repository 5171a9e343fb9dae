"""Comparisons as files that other programs, and readers without a network, can open."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ape_jupyter.errors import ApeError, InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary

NAMES = ["calm-river", "bold-heron"]
HOSTILE = "</script><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("kind", "alignment", "leading"),
    [
        ("overlay", "absolute", "series"),
        ("difference", "normalized", "differences"),
        ("statistical", "relative", "tests"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_are_whole(
    filled_library: LocalLibrary,
    tmp_path: Path,
    kind: str,
    alignment: str,
    leading: str,
    suffix: str,
) -> None:
    result = filled_library.compare_simulations(
        NAMES, kind, ["vision", "injections"], alignment, distributions=True
    )
    files = result.save(tmp_path / "new" / f"result{suffix}")
    assert files[-1] == tmp_path / "new" / "result.json"
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    by_name = {file.name: file for file in files}
    for name, table in result.tables().items():
        file = f"result{suffix}" if name == leading else f"result.{name}{suffix}"
        assert (file in by_name) == bool(table.num_rows or name == leading)
        if file not in by_name:
            continue
        frame = read(by_name[file])
        assert list(frame.columns) == table.column_names
        assert len(frame) == table.num_rows
        for column in ("mean", "difference", "p_value", "value"):
            if column in frame:
                expected = table[column].to_pandas()
                pd.testing.assert_series_equal(
                    frame[column], expected, check_names=False, check_dtype=False, rtol=1e-12
                )
    main = read(by_name[f"result{suffix}"])
    if alignment == "absolute":
        assert str(main["x"].iloc[0])[:10] == str(result.to_pandas()["x"].iloc[0])[:10]
    facts = json.loads(files[-1].read_text())
    again = filled_library.compare_simulations(**facts["provenance"]["parameters"])
    assert again.provenance == result.provenance
    assert facts["summaries"]["vision"] == result.summary("vision")
    if suffix == ".parquet":
        kept = pq.read_schema(files[0]).metadata[b"ape_jupyter.comparison"]
        assert json.loads(kept) == facts


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("kind", ["overlay", "side_by_side", "difference", "statistical"])
def test_page_needs_nothing_else_and_escapes_everything(
    filled_library: LocalLibrary, tmp_path: Path, kind: str
) -> None:
    filled_library.update_metadata("bold-heron", name=HOSTILE)
    metrics = ["vision", "cost", "disease_state"]
    result = filled_library.compare_simulations(["calm-river", HOSTILE], kind, metrics, "relative")
    (file,) = result.save(tmp_path / "page.html")
    text = file.read_text()
    page = Page(text)
    for tag, attributes in page.tags:
        # Nothing is loaded, from wherever.
        assert "src" not in attributes or tag == "img"
        assert tag != "link"
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "connect-src" not in policy
    assert HOSTILE not in text
    assert any(HOSTILE in piece for piece in page.text)
    assert any(result.summary("vision") == piece for piece in page.text)
    assert any(piece.startswith("calm-river, cost: the run has no costs") for piece in page.text)
    n_rows = sum(tag == "tr" for tag, _ in page.tags)
    n_tables = sum(bool(table.num_rows) for table in result.tables().values())
    expected = sum(min(table.num_rows, 2000) for table in result.tables().values())
    assert n_rows == n_tables + expected
    assert sum("data-root-id" in attributes for _, attributes in page.tags) >= 2


def test_a_subgroup_is_no_formula(
    library: LocalLibrary, results_folder: Path, tmp_path: Path
) -> None:
    for place, run in enumerate(sorted(results_folder.iterdir())[:2]):
        patients = pq.read_table(run / "patients.parquet")
        sites = pa.array(["=cmd()"] * patients.num_rows)
        patients = patients.append_column("site", sites)
        library.register(patients, pq.read_table(run / "visits.parquet"), name=f"run {place}")
    result = library.compare_simulations(["run 0", "run 1"], subgroups="site")
    assert "=cmd()" in result.series["subgroup"].to_pylist()
    result.save(tmp_path / "result.csv")
    with (tmp_path / "result.csv").open() as file:
        assert {row["subgroup"] for row in csv.DictReader(file)} == {"", "'=cmd()"}


@pytest.mark.parametrize("name", ["result", "result.xlsx", "result.csv.exe"])
def test_other_formats_are_refused(filled_library: LocalLibrary, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"\.parquet, \.csv, \.html"):
        filled_library.compare_simulations(NAMES).save(tmp_path / name)


def test_a_place_that_can_not_be_written_is_named(
    filled_library: LocalLibrary, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ApeError, match="file"):
        filled_library.compare_simulations(NAMES).save(tmp_path / "file" / "result.csv")
    assert (tmp_path / "file").read_text() == ""


def test_saving_again_replaces(filled_library: LocalLibrary, tmp_path: Path) -> None:
    for metric in ("vision", "visits"):
        result = filled_library.compare_simulations(NAMES, metrics=[metric])
        result.save(tmp_path / "result.csv")
        with (tmp_path / "result.csv").open() as file:
            assert {row["metric"] for row in csv.DictReader(file)} == {metric}
    assert not list(tmp_path.glob("*.partial"))
