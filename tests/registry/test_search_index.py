"""The search index on both databases gives what the plain evaluation gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from search_cases import NOW, VOCABULARY, random_run, trees

from ape_jupyter.library.listing import SearchResult
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.operations import SetTags, UpdateMetadata
from ape_jupyter.model.parameters import flattened
from ape_jupyter.model.query import PARAMETER_ROOTS, QueryNode, leaves
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry.changes import NewRun, SetStatus
from ape_jupyter.registry.postgresql import PostgresqlConnector
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.schema import simulations
from ape_jupyter.registry.search import _is_about_status, condition_of, count_query
from ape_jupyter.registry.search_index.conditions import condition_on_runs
from ape_jupyter.registry.search_index.ranking import score_of
from ape_jupyter.registry.search_index.tables import parameter_paths, parameters, search_documents
from ape_jupyter.services.search.evaluation import SearchableRun, matches, relevance
from ape_jupyter.services.search.faceting import facet_of, facet_orders
from ape_jupyter.services.search.grammar import parse
from ape_jupyter.testing.postgresql import PostgresqlServer

N_RUNS = 120


def found(registry: Registry, tree: QueryNode) -> set[str]:
    with registry._database.read() as connection:
        condition = condition_on_runs(tree, connection.dialect.name, NOW)
        return set(connection.execute(sa.select(simulations.c.sim_id).where(condition)).scalars())


def searchable_runs(registry: Registry) -> list[SearchableRun]:
    runs = []
    for run in registry.all_runs():
        documents = registry.documents(run.sim_id)
        parameters = [
            p for root in PARAMETER_ROOTS for p in flattened(root, documents.get(root, {}))
        ]
        runs.append(SearchableRun.of(run, parameters))
    return runs


def expected(runs: list[SearchableRun], tree: QueryNode) -> set[str]:
    return {run.metadata.sim_id for run in runs if matches(tree, run, now=NOW)}


def fill_and_change(registry: Registry) -> None:
    """Add runs; then change, trash and purge some, so that an index that lags behind shows."""
    source = random.Random(5)
    made = [random_run(source, number) for number in range(N_RUNS)]
    registry.apply([NewRun(metadata=run, documents=documents) for run, documents in made])
    usable = [entry for entry in made if entry[0].status is not Status.TRASHED]
    for run, documents in usable[::4]:
        notes = " ".join(source.choices(VOCABULARY, k=3))
        registry.apply(
            [
                UpdateMetadata(sim_id=run.sim_id, changes={"notes": notes, "name": "renamed pond"}),
                SetTags(sim_id=run.sim_id, add=("nhs/new",), remove=run.tags[:1]),
            ]
        )
        results = replace(run, checksum="other results")
        registry.replace_results(results, {**documents, "protocol": {"min_interval_days": 3}})
    for run, _ in usable[::8]:
        registry.apply([SetStatus(sim_id=run.sim_id, status=Status.TRASHED)])
    registry.purge(before=NOW + timedelta(days=365 * 100))


FACETS = (
    *("protocol", "engine", "model", "tags", "owner", "size", "year", "is_pinned", "n_visits"),
    *("seed", "runtime_seconds", "vision", "status", "protocol.min_interval_days"),
)


def listed(runs: list[SearchableRun], tree: QueryNode) -> list[SearchableRun]:
    """Return what a search lists: not what is in the trash, unless it asks for a status."""
    hides_trash = not any(map(_is_about_status, leaves(tree)))
    now = datetime.now(UTC)
    return [
        run
        for run in runs
        if matches(tree, run, now=now)
        and not (hides_trash and run.metadata.status is Status.TRASHED)
    ]


class SearchIndexTests:
    @pytest.fixture(scope="class")
    @classmethod
    def registry(cls, location: Path | str) -> Iterator[Registry]:
        opened = Registry(location)
        fill_and_change(opened)
        yield opened
        opened.close()

    @pytest.fixture(scope="class")
    @classmethod
    def runs(cls, registry: Registry) -> list[SearchableRun]:
        return searchable_runs(registry)

    @given(tree=trees)
    @settings(
        max_examples=150, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    def test_every_search_equals_its_evaluation(
        self, registry: Registry, runs: list[SearchableRun], tree: QueryNode
    ) -> None:
        assert found(registry, tree) == expected(runs, tree)
        with registry._database.read() as connection:
            dialect = connection.dialect.name
            listed = sa.select(simulations.c.sim_id).where(condition_of(tree, dialect))
            total = connection.execute(count_query(tree, dialect)).scalar_one()
            assert total == len(connection.execute(listed).all())

    @given(tree=trees)
    @settings(
        max_examples=80, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    def test_every_ranking_equals_its_evaluation(
        self, registry: Registry, runs: list[SearchableRun], tree: QueryNode
    ) -> None:
        dialect = "postgresql" if isinstance(registry._database, PostgresqlConnector) else "sqlite"
        score = score_of(tree, dialect)
        if score is None:
            assert all(relevance(tree, run) == 0 for run in runs)
            return
        with registry._database.read() as connection:
            found = dict(map(tuple, connection.execute(sa.select(simulations.c.sim_id, score))))
        assert found == {run.metadata.sim_id: relevance(tree, run) for run in runs}

    @given(tree=trees, name=st.sampled_from(FACETS))
    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    def test_every_facet_counts_what_its_values_find(
        self, registry: Registry, runs: list[SearchableRun], tree: QueryNode, name: str
    ) -> None:
        (order,) = facet_orders(SearchRequest(facets=(name,)))
        page, counts = registry.search_and_count(
            tree, SearchRequest(limit=1), [replace(order, tree=tree)]
        )
        facet = facet_of(order, counts[0])
        expected_runs = listed(runs, tree)
        assert page.total == len(expected_runs)
        with_value: set[str] = set()
        for value in facet.values:
            condition = parse(value.query)
            having = [run for run in expected_runs if matches(condition, run, now=NOW)]
            assert value.count == len(having), value
            with_value.update(run.metadata.sim_id for run in having)
        if facet.n_values == len(facet.values):
            assert facet.n_without == len(expected_runs) - len(with_value)

    @pytest.mark.parametrize("word", [*VOCABULARY, "renamed", "p", "new", "stras"])
    def test_every_word(self, registry: Registry, runs: list[SearchableRun], word: str) -> None:
        for query in (f'"{word}"', f'"{word}"*', f'name:"{word}"*' if word not in "&_" else "x"):
            assert found(registry, parse(query)) == expected(runs, parse(query)), query

    def test_rows_make_the_same_table_as_objects(self, registry: Registry) -> None:
        rows = registry.usable_runs()
        objects = tuple(registry.get(run.sim_id) for run in rows)
        assert tuple(rows) == rows[:] == objects
        assert rows[-1] == objects[-1]
        pd.testing.assert_frame_equal(
            SearchResult(rows, len(rows)).to_pandas(),
            SearchResult(objects, len(objects)).to_pandas(),
        )

    def test_the_runs_are_many_and_not_all_alike(
        self, registry: Registry, runs: list[SearchableRun]
    ) -> None:
        assert 60 < len(runs) < N_RUNS
        for query in (
            "name:pond",
            "tag:nhs",
            "protocol.min_interval_days=3",
            "seed>0",
        ):
            assert 0 < len(found(registry, parse(query))) < len(runs)


def test_an_index_made_anew_is_the_same(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry.db")
    fill_and_change(registry)
    before = index_of(registry)
    registry.rebuild_search_index()
    assert index_of(registry) == before
    registry.close()


def index_of(registry: Registry) -> list[list[tuple[object, ...]]]:
    """Return the whole index, without the numbers that rows happen to have."""
    with registry._database.read() as connection:
        texts = sa.select(*(c for c in search_documents.c if c.name != "number"))
        values = (
            sa.select(search_documents.c.run_id, parameter_paths.c.path, parameters.c.position)
            .add_columns(parameters.c.value, parameters.c.text, parameters.c.words)
            .select_from(parameters)
            .join(search_documents)
            .join(parameter_paths)
        )
        words = sa.text("SELECT term, doc, cnt FROM search_vocabulary ORDER BY term")
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE temp.search_vocabulary USING fts5vocab(main, search_words, row)"
        )
        found = [sorted(map(tuple, connection.execute(query))) for query in (texts, values, words)]
        connection.exec_driver_sql("DROP TABLE temp.search_vocabulary")
    return found


class TestSqlite(SearchIndexTests):
    @pytest.fixture(scope="class")
    @classmethod
    def location(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("search") / "registry.db"

    def test_the_full_text_index_agrees_with_its_texts(self, registry: Registry) -> None:
        with registry._database.write() as connection:
            check = "INSERT INTO search_words (search_words, rank) VALUES ('integrity-check', 1)"
            connection.exec_driver_sql(check)


class TestPostgresql(SearchIndexTests):
    @pytest.fixture(scope="class")
    @classmethod
    def location(cls, postgresql: PostgresqlServer) -> Iterator[str]:
        with postgresql.database() as url:
            yield url


DAMAGES = {
    "documents": "DELETE FROM search_documents WHERE number IN "
    "(SELECT number FROM search_documents LIMIT 3)",
    "words": "DELETE FROM search_words_data WHERE id > 10",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_noticed_and_made_anew(
    damage: str, filled_library: LocalLibrary
) -> None:
    registry = filled_library._registry
    assert registry.search_index_problem() is None
    with registry._database.write() as connection:
        connection.exec_driver_sql(DAMAGES[damage])
    report = filled_library.verify(fast=True)
    assert any("search index" in finding.what for finding in report.findings)
    repaired = filled_library.verify(fast=True, repair=True)
    assert any("made anew" in finding.action for finding in repaired.findings)
    assert registry.search_index_problem() is None
    assert filled_library.search("calm").total == 1


def test_openings_are_counted_as_they_are_now(filled_library: LocalLibrary) -> None:
    registry = filled_library._registry

    def counts() -> list[int]:
        facet = filled_library.search(facets=["access_count"]).facets["access_count"]
        return [value.count for value in facet.values if value.count]

    assert counts() == [3]
    registry.record_access(registry.all_runs()[0].sim_id)
    registry.flush()
    assert counts() == [2, 1]
