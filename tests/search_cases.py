"""Runs, trees and texts of searches, for tests by property."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from ape_jupyter.model.parameters import flattened
from ape_jupyter.model.query import (
    Age,
    Flagged,
    QueryNode,
    Range,
    SameText,
    Tagged,
    Within,
    Words,
    all_of,
    any_of,
    negation,
)
from ape_jupyter.model.search_words import tokens
from ape_jupyter.model.simulation import Headline, SimulationMetadata, Source, Status
from ape_jupyter.model.tags import tag_key
from ape_jupyter.services.search.evaluation import SearchableRun
from ape_jupyter.services.search.fields import FIELDS, FLAGS, FieldKind

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
PROTOCOL = {
    "min_interval_days": 56,
    "enabled": True,
    "author": "Clinical Team",
    "version": "1.0",
    "baseline_vision": {"mean": 64.2},
    "types": ["planned", "adverse", 3],
}


def simulation(number: int = 0, **changes: object) -> SimulationMetadata:
    values: dict[str, object] = {
        "sim_id": f"sim_20260101_{number:06d}_02-00_flat-pond",
        "name": "flat-pond",
        "created_at": START + timedelta(days=number),
        "registered_at": START + timedelta(days=number, seconds=1),
        "last_accessed": None,
        "access_count": 0,
        "n_patients": 300,
        "n_patients_requested": 310,
        "n_patients_without_visits": 3,
        "n_visits": 900,
        "duration_years": 2.0,
        "start_date": START,
        "protocol_name": "Treat and Extend",
        "protocol_version": "1.0",
        "protocol_digest": "",
        "engine_type": "abs",
        "model_type": None,
        "seed": None,
        "runtime_seconds": None,
        "file_size_mb": 1.5,
        "checksum": "c0ffee",
        "tags": (),
        "notes": "",
        "owner": "ada",
        "visibility": "private",
        "source": Source.IMPORTED,
        "status": Status.AVAILABLE,
        "is_pinned": False,
        "revision": 1,
        "schema_version": "2.0.0",
        "parent": None,
        "has_costs": False,
        "has_resources": False,
        "headline": Headline(
            mean_final_vision=64.5, total_injections=1200, discontinuation_rate=0.25
        ),
    }
    return SimulationMetadata(**{**values, **changes})  # type: ignore[arg-type]


def searchable(**changes: object) -> SearchableRun:
    return SearchableRun.of(simulation(**changes), flattened("protocol", PROTOCOL))


# Few and short words, so that searches find something; with what makes texts differ.
VOCABULARY = (
    *("treat", "Treat", "extend", "ext", "pond", "flat", "8-week", "100%", "a", "ab", "abs"),
    *("Ångström", "angstrom", "STRASSE", "straße", "ﬁxed", "Пруд", "пруд", "眼科", "眼", "don't"),
    *("nai\u0308ve", "naïve", "&", "_", "x_1", "10:30", "nhs/site", "ποδός", "soft\u00adhyphen"),
)
PATHS = (
    *("protocol.min_interval_days", "protocol.enabled", "protocol.author", "protocol.version"),
    *("protocol.baseline_vision.mean", "protocol.types", "parameters.seed", "protocol.missing"),
)

phrases = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(" ".join)
instants = st.builds(
    lambda days, microseconds: START + timedelta(days=days, microseconds=microseconds),
    st.integers(-200, 400),
    st.sampled_from([0, 0, 1, 500_000, 3_600_000_000, 61_000_000]),
)
numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([56, 300, 310, 900, 1200, 64.2, 64.5, 0.25, 2.0, 1.5, 1e300, 2**53 + 1]).map(
        lambda n: int(n) if n == 2.0 else n
    ),
)
TAGS = ("nhs", "NHS", "nhs/site", "nhs/site/2", "nh", "Été", "e\u0301te\u0301")
tag_texts = st.sampled_from(TAGS)


def _fields(kind: FieldKind) -> st.SearchStrategy[str]:
    return st.sampled_from([field.name for field in FIELDS if field.kind is kind])


_number_fields = _fields(FieldKind.NUMBER) | st.sampled_from(PATHS)
_text_fields = _fields(FieldKind.TEXT) | st.sampled_from(PATHS)


@st.composite
def _words(draw: st.DrawFn) -> Words:
    found = draw(phrases.map(tokens).filter(bool))
    return Words(draw(st.none() | _text_fields), found, draw(st.booleans()))


@st.composite
def _ranges(draw: st.DrawFn) -> Range:
    ends = sorted([draw(numbers), draw(numbers)])
    low, high = draw(st.sampled_from([(ends[0], None), (None, ends[1]), tuple(ends)]))
    has_low, has_high = draw(st.booleans()), draw(st.booleans())
    return Range(draw(_number_fields), low, high, has_low or low is None, has_high or high is None)


@st.composite
def _times(draw: st.DrawFn) -> Within:
    if draw(st.booleans()):
        amounts = st.integers(0, 10**6).map(lambda minutes: timedelta(minutes=minutes))
        older, newer = sorted([draw(amounts), draw(amounts)], reverse=True)
        since, until = Age(older), Age(newer)
    else:
        since, until = sorted([draw(instants), draw(instants)])
        until += timedelta(microseconds=1)
    ends = draw(st.sampled_from([(since, None), (None, until), (since, until)]))
    return Within(draw(_fields(FieldKind.TIME)), *ends)


conditions: st.SearchStrategy[QueryNode] = st.one_of(
    _words(),
    st.builds(SameText, _text_fields, phrases | st.sampled_from(["abs", "ada", 'a"b\\', "true"])),
    st.builds(Tagged, tag_texts.map(tag_key), st.sampled_from(["tag", "branch", "prefix"])),
    st.sampled_from([Flagged(flag.name) for flag in FLAGS]),
    _ranges(),
    _times(),
)

trees: st.SearchStrategy[QueryNode] = st.recursive(
    conditions,
    lambda below: st.one_of(
        st.lists(below, min_size=1, max_size=3).map(all_of),
        st.lists(below, min_size=1, max_size=3).map(any_of),
        below.map(negation),
    ),
    max_leaves=6,
)

runs: st.SearchStrategy[SearchableRun] = st.builds(
    lambda changes, parameters: SearchableRun.of(
        simulation(**changes),
        (*flattened("protocol", parameters), *flattened("parameters", {"seed": 2})),
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "name": phrases,
            "notes": phrases,
            "protocol_name": phrases,
            "owner": st.sampled_from(["ada", "Björk", "a"]),
            "tags": st.lists(tag_texts, max_size=2, unique_by=tag_key).map(tuple),
            "created_at": instants,
            "last_accessed": instants,
            "seed": st.integers(-3, 3),
            "n_patients": st.integers(0, 3),
            "duration_years": st.sampled_from([1.5, 2.0, 64.2]),
            "is_pinned": st.booleans(),
            "has_costs": st.booleans(),
            "source": st.sampled_from(Source),
            "model_type": st.sampled_from(["visit_based", "time_based"]),
            "parent": st.just("sim_x"),
            "headline": st.just(
                Headline(mean_final_vision=None, total_injections=0, discontinuation_rate=None)
            ),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "min_interval_days": st.sampled_from([28, 56, 56.5, "56", "8 weeks"]),
            "enabled": st.booleans(),
            "author": phrases,
            "version": st.sampled_from(["1.0", "1.1", 2, "two"]),
            "baseline_vision": st.fixed_dictionaries({"mean": numbers}),
            "types": st.lists(phrases | numbers, max_size=3),
        },
    ),
)

# Texts made of what the grammar gives a meaning to, which plain random text hardly hits.
_fragments = st.sampled_from(
    [
        *(
            '"',
            '"',
            "“",
            "”",
            "(",
            ")",
            "-",
            " ",
            " ",
            ",",
            ":",
            "<",
            ">",
            "=",
            "!=",
            ">=",
            "..",
            "*",
        ),
        *("AND", "OR", "NOT", "and", "name", "tag", "is", "has", "created", "n_patients", "size"),
        *("protocol.x", "protocol.", "parameters.a.b", "pinned", "costs", "10k", "1.5M", "2026-01"),
        *(
            "30d",
            "1y",
            "5%",
            "1e9",
            "treat",
            "sim_1-2",
            "\\",
            '\\"',
            "'",
            "\u00ad",
            "é",
            "眼",
            "\t",
        ),
        *(
            "9" * 40,
            "2026-13",
            "0001-01-01",
            "9999",
            "tag:nhs,b",
            "n_patients:1..2",
            "\x00",
            "\ud800",
        ),
    ]
)
query_texts = st.lists(_fragments | st.text(max_size=3), max_size=25).map("".join)


def random_run(source: random.Random, number: int) -> tuple[SimulationMetadata, dict[str, object]]:
    """Return a run and its documents, made of what the searches of this module ask for."""

    def phrase() -> str:
        return " ".join(source.choices(VOCABULARY, k=source.randint(1, 4)))

    tags = {tag_key(tag): tag for tag in source.choices(TAGS, k=source.randint(0, 2))}
    at = START + timedelta(days=source.randint(-200, 400), microseconds=source.choice([0, 1]))
    run = simulation(
        number,
        name=phrase(),
        notes=source.choice(["", phrase()]),
        protocol_name=phrase(),
        owner=source.choice(["ada", "Björk", "a"]),
        tags=tuple(sorted(tags.values(), key=str.casefold)),
        created_at=source.choice([START, at]),
        last_accessed=source.choice([None, at]),
        seed=source.choice([None, -3, 0, 1, 3, 2**53 + 1]),
        n_patients=source.choice([0, 1, 2, 3, 300]),
        duration_years=source.choice([1.5, 2.0, 64.2]),
        is_pinned=source.random() < 0.5,
        has_costs=source.random() < 0.5,
        source=source.choice(list(Source)),
        status=source.choice(list(Status)),
        model_type=source.choice([None, "visit_based", "time_based"]),
        parent=source.choice([None, "sim_x"]),
        protocol_digest=source.choice(["", "ab" * 32]),
        headline=Headline(
            mean_final_vision=source.choice([None, 64.5]),
            total_injections=source.choice([0, 1200]),
            discontinuation_rate=source.choice([None, 0.25]),
        ),
    )
    choices: dict[str, object] = {
        "min_interval_days": source.choice([28, 56, 56.5, "56", "8 weeks", 2**53 + 1]),
        "enabled": source.random() < 0.5,
        "author": phrase(),
        "version": source.choice(["1.0", "1.1", 2, "two"]),
        "baseline_vision": {"mean": source.choice([-1, 64.2, 1e300])},
        "types": [source.choice([phrase(), 1, 2.5]) for _ in range(source.randint(0, 3))],
    }
    protocol = {key: value for key, value in choices.items() if source.random() < 0.7}
    return run, {"protocol": protocol, "parameters": {"seed": source.randint(0, 3)}}
