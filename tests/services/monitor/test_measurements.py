from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor.measurements import HALF_LIFE_SECONDS, MAX_RUNS, Measurements

opens = st.tuples(st.sampled_from("abcdef"), st.floats(0, 100), st.booleans())
observations = st.lists(opens, max_size=30)
moments = st.floats(1.7e9, 1.9e9)


def measured(observed, at=1.8e9):
    found = Measurements(since=at, at=at)
    for sim_id, seconds, warm in observed:
        found.opened(sim_id, seconds, warm=warm)
    found.evicted(1000, made_room=True)
    return found


def rounded(measurements):
    text = json.dumps(measurements.to_json(), sort_keys=True)
    return json.loads(text, parse_float=lambda value: float(f"{float(value):.6g}"))


@given(st.lists(st.tuples(observations, moments), max_size=4), st.randoms())
def test_parts_add_up_in_any_order(parts, random):
    def added(order):
        total = Measurements(since=1.9e9, at=1.6e9)
        for part, at in order:
            total.add(measured(part, at))
        return rounded(total)

    shuffled = list(parts)
    random.shuffle(shuffled)
    one, other = added(parts), added(shuffled)
    assert one["latencies"] == other["latencies"]
    assert one["evictions"] == other["evictions"] == len(parts)
    assert one["opens"].keys() == other["opens"].keys()
    for sim_id, values in one["opens"].items():
        assert values == pytest.approx(other["opens"][sim_id], rel=1e-4, abs=1e-9)


@given(observations)
def test_json_and_back(observed):
    before = measured(observed)
    before.reached.add("memory")
    before.moments["verified"] = 1.8e9
    text = json.dumps(before.to_json())
    assert Measurements.from_json(json.loads(text)).to_json() == before.to_json()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=10,
    )
)
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError, match=r"no measurements|no number|bucket|measured|not a valid"):
        Measurements.from_json(data)


@pytest.mark.parametrize(
    "damage",
    [
        {"since": "yesterday"},
        {"evictions": -1},
        {"recent": {"hits": 1e400}},
        {"latencies": {"search": {"counts": {"200": 1}, "total_seconds": 1}}},
        {"latencies": {"sing": {"counts": {}, "total_seconds": 1}}},
        {"opens": {"a": {"opens": True, "cold_opens": 0, "cold_seconds": 0}}},
    ],
)
def test_wrong_values_are_refused(damage):
    with pytest.raises(ValueError, match=r"no measurements|no number|bucket|measured|not a valid"):
        Measurements.from_json({**measured([("a", 1.0, True)]).to_json(), **damage})


def test_what_is_recent_fades_and_what_is_counted_does_not():
    found = measured([("a", 2.0, False), ("a", 1.0, True)])
    found.fade(found.at + HALF_LIFE_SECONDS)
    assert found.opens["a"].opens == pytest.approx(1)
    assert found.recent.miss_seconds == pytest.approx(1)
    assert found.count_of(Operation.OPEN_COLD) == 1
    found.fade(0)  # a clock that was set back
    assert found.opens["a"].opens == pytest.approx(1)


def test_the_rarest_runs_are_forgotten():
    total = Measurements()
    total.add(measured([("often", 1.0, True)] * 5))
    for number in range(3 * MAX_RUNS):
        total.add(measured([(f"run {number}", 1.0, True)]))
    assert len(total.opens) == MAX_RUNS
    assert total.opens["often"].opens == pytest.approx(5)
    # The latest has not had the time to become frequent.
    assert f"run {3 * MAX_RUNS - 1}" in total.opens
    assert total.count_of(Operation.OPEN_WARM) == 3 * MAX_RUNS + 5
