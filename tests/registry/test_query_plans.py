"""How SQLite answers searches: by which indexes, whatever is in the database.

No statistics are kept (``ANALYZE``), so plans depend on the schema and the query only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ape_jupyter.model.listing import INDEXED_ORDERS, SearchRequest
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.search import condition_of, count_query, page_query
from ape_jupyter.services.search.grammar import parse

MILLION = 1_000_000
# Answered without reading a row of a run, however many there are.
INDEXED = [
    "",
    "pond",
    "po",
    '"treat and extend"',
    "calm pond OR river",
    "protocol:fixed",
    "owner:ada -saturday",
    "tag:nhs",
    "tag:nhs/site",
    "tag:nhs -tag:draft",
    "has:tags",
    "n_patients>=10k",
    "n_patients:1k..5k duration>=5",
    "created:2025-01..2025-06",
    "size>1MB",
    "engine=abs",
    "is:pinned",
    "has:costs",
    "headline.mean_final_vision>65",
    "protocol.min_interval_days>=56",
    "protocol.rule:extend",
    "parameters.rule=extend",
    "(calm OR bold) tag:nhs n_patients>=10k protocol.min_interval_days=56 -draft",
]
_READS_ROWS = re.compile(r"(SCAN|SEARCH) (?!.*COVERING)(simulations|tags)\b(?! USING INTEGER)")
_SCANS = re.compile(r"SCAN (parameters|search_documents|tags|documents|parameter_paths)\b(?!.*COV)")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    opened = Registry(tmp_path_factory.mktemp("plans") / "registry.db")
    yield opened
    opened.close()


def plan(registry: Registry, query: sa.Select[Any]) -> list[str]:
    with registry._database.read() as connection:
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        values = tuple(compiled.params[name] for name in compiled.positiontup or ())
        statement = f"EXPLAIN QUERY PLAN {compiled}"
        return [row[3] for row in connection.exec_driver_sql(statement, values)]


@pytest.mark.parametrize("query", INDEXED)
def test_counting_reads_indexes_only(registry: Registry, query: str) -> None:
    steps = plan(registry, count_query(parse(query), "sqlite"))
    assert not [step for step in steps if _READS_ROWS.search(step) or _SCANS.search(step)], steps


@pytest.mark.parametrize("column", INDEXED_ORDERS)
@pytest.mark.parametrize("query", ["", "pond", "tag:nhs", "protocol.min_interval_days>=56"])
def test_many_matches_are_met_in_their_order(registry: Registry, column: str, query: str) -> None:
    condition = condition_of(parse(query), "sqlite")
    request = SearchRequest(sort_by=column)
    steps = plan(registry, page_query(condition, request, MILLION, "sqlite"))
    assert steps[0] == f"SCAN simulations USING COVERING INDEX simulations_by_{column}"
    assert not [step for step in steps if "TEMP B-TREE" in step or _SCANS.search(step)], steps


@pytest.mark.parametrize("query", [query for query in INDEXED if query])
def test_few_matches_are_looked_up_and_sorted(registry: Registry, query: str) -> None:
    condition = condition_of(parse(query), "sqlite")
    steps = plan(registry, page_query(condition, SearchRequest(sort_by="created_at"), 10, "sqlite"))
    assert any("TEMP B-TREE FOR ORDER BY" in step for step in steps)
    assert not [step for step in steps if _SCANS.search(step)], steps


def test_a_page_after_a_cursor_starts_there(registry: Registry) -> None:
    cursor = "WyJjcmVhdGVkX2F0IiwgdHJ1ZSwgIjIwMjYiLCAic2ltXzEiXQ=="
    request = SearchRequest(sort_by="created_at", cursor=cursor)
    steps = plan(
        registry, page_query(condition_of(parse(""), "sqlite"), request, MILLION, "sqlite")
    )
    assert steps[0].startswith(
        "SEARCH simulations USING COVERING INDEX simulations_by_created_at ("
    )
