from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.services.monitor.threshold import Threshold

shares = st.lists(st.floats(0, 2), max_size=100)


def reached_at(threshold, levels):
    """Return the positions at which the threshold is newly reached."""
    before, found = False, []
    for position, share in enumerate(levels):
        now = threshold.is_reached(share, before=before)
        if now and not before:
            found.append(position)
        before = now
    return found


@given(shares, st.floats(0.05, 1))
def test_is_told_once_for_each_crossing(levels, reached):
    threshold = Threshold(reached)
    told = reached_at(threshold, levels)
    for position in told:
        assert levels[position] >= threshold.reached_at
    for one, next_one in itertools.pairwise(told):
        # In between, the level was clearly below.
        assert min(levels[one:next_one]) < threshold.rearmed_below
    # And no crossing is missed.
    armed = True
    expected = []
    for position, share in enumerate(levels):
        if armed and share >= threshold.reached_at:
            expected.append(position)
            armed = False
        elif share < threshold.rearmed_below:
            armed = True
    assert told == expected


@given(st.floats(0.01, 1))
def test_is_rearmed_below(reached):
    assert 0 < Threshold(reached).rearmed_below < reached


def test_trembling_about_the_threshold_is_one_crossing():
    threshold = Threshold(0.8)
    assert threshold.rearmed_below == pytest.approx(0.7)
    assert reached_at(threshold, [0.5, 0.81, 0.79, 0.82, 0.71, 0.85, 0.69, 0.79, 0.8]) == [1, 8]


@pytest.mark.parametrize("share", [0, -1, 1.1, float("nan")])
def test_refuses_what_is_no_share(share):
    with pytest.raises(InvalidArgumentError, match="share"):
        Threshold(share)
