"""The registry on both databases, and what only a file can suffer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ape_jupyter.errors import CorruptedDataError, InvalidArgumentError
from ape_jupyter.registry.registry import Registry
from ape_jupyter.testing.postgresql import PostgresqlServer
from ape_jupyter.testing.suite_events import EventTests
from ape_jupyter.testing.suite_registry import LookupTests, RegistryTests


class TestSqlite(RegistryTests, EventTests):
    @pytest.fixture
    def location(self, tmp_path: Path) -> Path:
        return tmp_path / "registry.db"


class TestSqliteLookup(LookupTests):
    @pytest.fixture(scope="class")
    @classmethod
    def location(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("lookup") / "registry.db"


class TestPostgresql(RegistryTests, EventTests):
    @pytest.fixture
    def location(self, postgresql: PostgresqlServer) -> Iterator[str]:
        with postgresql.database() as url:
            yield url


def test_a_damaged_database_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "registry.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(CorruptedDataError, match=r"registry\.db"):
        Registry(tmp_path / "registry.db")


class TestPostgresqlLookup(LookupTests):
    @pytest.fixture(scope="class")
    @classmethod
    def location(cls, postgresql: PostgresqlServer) -> Iterator[str]:
        with postgresql.database() as url:
            yield url


@pytest.mark.parametrize("url", ["mysql://host/x", "postgresql://host:port/x"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"(?i)postgresql"):
        Registry(url)
