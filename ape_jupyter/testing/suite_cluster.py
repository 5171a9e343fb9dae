"""The part of the suite that is about Dask, and about tables in many files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ape_jupyter.errors import InvalidArgumentError, InvalidResultsError
from ape_jupyter.library.interface import Library

__all__ = ["ClusterTests", "DatasetTests"]


def _write_parts(directory: Path, table: pa.Table, n_parts: int) -> Path:
    directory.mkdir()
    size = -(-table.num_rows // n_parts)
    for number in range(n_parts):
        pq.write_table(table.slice(number * size, size), directory / f"part.{number}.parquet")
    return directory


class DatasetTests:
    """Registering directories of part files."""

    def test_registers_part_files(
        self, library: Library, example_runs: list[Path], tmp_path: Path
    ) -> None:
        given = [example_runs[1] / "patients.parquet", example_runs[1] / "visits.parquet"]
        costs = example_runs[1] / "visits_with_costs.parquet"
        whole = library.register(*given, costs=costs, name="whole")
        # More than ten: part 10 comes after part 9.
        parts = [_write_parts(tmp_path / path.stem, pq.read_table(path), 12) for path in given]
        (parts[1] / "_metadata").write_bytes(b"what Dask and Spark note beside the parts")
        cost_parts = _write_parts(tmp_path / "costs", pq.read_table(costs), 3)
        in_parts = library.register(*parts, costs=str(cost_parts), name="in parts")
        assert in_parts.checksum == whole.checksum
        assert in_parts.duration_years == whole.duration_years

    def test_refuses_what_is_no_dataset(
        self, library: Library, example_runs: list[Path], tmp_path: Path
    ) -> None:
        patients = example_runs[0] / "patients.parquet"
        visits = pq.read_table(example_runs[0] / "visits.parquet")

        def refused(directory: Path) -> str:
            with pytest.raises(InvalidResultsError) as caught:
                library.register(patients, directory)
            assert len(library.get_all_metadata()) == 0
            return str(caught.value)

        empty = tmp_path / "empty"
        empty.mkdir()
        assert "empty: holds no Parquet files" in refused(empty)
        strange = _write_parts(tmp_path / "strange", visits, 2)
        (strange / "more.csv").touch()
        assert "holds 'more.csv', which is no Parquet file" in refused(strange)
        partitioned = _write_parts(tmp_path / "partitioned", visits, 2)
        (partitioned / "year=2026").mkdir()
        assert "holds the directory 'year=2026'" in refused(partitioned)
        mixed = _write_parts(tmp_path / "mixed", visits, 2)
        pq.write_table(visits.drop_columns("vision"), mixed / "part.2.parquet")
        assert "columns are others than those of part.0.parquet" in refused(mixed)
        cut = _write_parts(tmp_path / "cut", visits, 2)
        (cut / "part.1.parquet").write_bytes(b"PAR1 and no more")
        assert "read" in refused(cut)


class ClusterTests:
    """Registering what Dask holds."""

    @pytest.fixture
    def client(self) -> Iterator[Any]:
        """Give a client of a cluster in this process."""
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            yield client

    def test_registers_dask_dataframes(
        self, library: Library, example_runs: list[Path], client: Any
    ) -> None:
        import dask.dataframe as dd

        names = ("patients", "visits", "visits_with_costs")
        frames = [pd.read_parquet(example_runs[1] / f"{name}.parquet") for name in names]
        patients, visits, costs = frames
        expected = library.register(patients, visits, costs=costs, name="pandas")
        patients, visits, costs = (
            dd.from_pandas(frame, npartitions=4, sort=False) for frame in frames
        )
        found = library.register(patients, visits, costs=costs, name="dask")
        assert found.checksum == expected.checksum
        before = client.cluster.scheduler.transition_counter
        with library.use_cluster(client):
            found = library.register(patients, visits, costs=costs, name="cluster")
        assert found.checksum == expected.checksum
        after = client.cluster.scheduler.transition_counter
        assert after > before
        library.register(patients, visits, name="dask again")
        assert client.cluster.scheduler.transition_counter == after

    def test_keeps_what_is_the_index(self, library: Library, example_runs: list[Path]) -> None:
        import dask.dataframe as dd

        patients = pd.read_parquet(example_runs[0] / "patients.parquet")
        visits = example_runs[0] / "visits.parquet"
        expected = library.register(patients, visits, name="columns")
        indexed = dd.from_pandas(patients.set_index("patient_id"), npartitions=3)
        assert library.register(indexed, visits, name="index").checksum == expected.checksum

    def test_refuses_what_is_no_cluster(self, library: Library) -> None:
        with pytest.raises(InvalidArgumentError, match=r"distributed\.Client, and not str"):
            library.use_cluster("tcp://scheduler:8786")
        library.use_cluster(None)
