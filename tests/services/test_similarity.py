"""The distances of many runs at once are those of one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ape_jupyter.model.parameters import Parameter
from ape_jupyter.registry.search_index.profiles import packed
from ape_jupyter.services.similarity import (
    Nearest,
    Number,
    Profiles,
    Text,
    distances,
    numbers_in,
    scaled,
)

PATHS = {"a": 1, "b": 2, "c": 70, "ignored": 5}
value = st.one_of(
    st.integers(-3, 3).map(lambda n: (float(n), str(n))),
    st.sampled_from([(None, "x"), (None, "y"), (None, "true")]),
)
run = st.dictionaries(st.sampled_from(sorted(PATHS)), st.lists(value, min_size=1, max_size=2))
feature = st.one_of(st.none(), st.integers(0, 4).map(float))


def profile(values: dict) -> bytes:
    return packed([Parameter(p, *one) for p, several in values.items() for one in several], PATHS)


def number(several: list | None) -> float | None:
    return several[0][0] if several is not None and len(several) == 1 else None


def naive(one: dict, other: dict, low: float, high: float, features: list) -> float:
    parts = []
    for path in {*one, *other} - {"ignored"}:
        mine, theirs = number(one.get(path)), number(other.get(path))
        if mine is not None and theirs is not None:
            parts.append(scaled(mine - theirs, low, high))
        else:
            texts = [[text for _, text in run.get(path, [])] for run in (one, other)]
            kinds = mine is None, theirs is None
            parts.append(float(kinds != (True, True) or texts[0] != texts[1]))
    for mine, theirs in features:
        if mine is not None and theirs is not None:
            parts.append(scaled(mine - theirs, 0, 4) if isinstance(mine, float) else mine != theirs)
        elif (mine, theirs) != (None, None):
            parts.append(1.0)
    return sum(parts) / len(parts) if parts else 0.0


@settings(max_examples=150, deadline=None)
@given(
    reference=run,
    others=st.lists(run, max_size=5),
    ends=st.tuples(st.integers(-3, 0), st.integers(0, 3)),
    data=st.data(),
)
def test_gower(reference: dict, others: list, ends: tuple[int, int], data: st.DataObject) -> None:
    low, high = map(float, ends)
    sizes = [data.draw(feature) for _ in range(len(others) + 1)]
    names = [data.draw(st.sampled_from([None, "abs", "des"])) for _ in sizes]
    numbers = np.array([math.nan if size is None else size for size in sizes])
    mine = profile(reference)
    found = distances(
        Profiles(
            reference=mine,
            others=[profile(other) for other in others],
            ranges=dict.fromkeys(numbers_in(mine), (low, high)),
            ignored=[PATHS["ignored"]],
        ),
        [Number(numbers[0], numbers[1:], 0, 4), Text(names[0], names[1:])],
    )
    expected = [
        naive(reference, other, low, high, [(sizes[0], size), (names[0], name)])
        for other, size, name in zip(others, sizes[1:], names[1:], strict=True)
    ]
    assert found == pytest.approx(expected)
    assert all(0 <= distance <= 1 for distance in found)


@given(
    pages=st.lists(st.lists(st.integers(0, 9).map(float), max_size=20), max_size=5),
    limit=st.integers(1, 12),
)
def test_the_nearest_of_all_pages_are_kept(pages: list[list[float]], limit: int) -> None:
    nearest = Nearest(limit)
    known = []
    for page, apart in enumerate(pages):
        sim_ids = [f"{page}-{index:02d}" for index in range(len(apart))]
        nearest.add(sim_ids, np.array(apart, dtype=float))
        known += zip(apart, sim_ids, strict=True)
    assert nearest.best == sorted(known)[:limit]
