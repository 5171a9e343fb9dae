from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ape_jupyter.services.monitor.histogram import EDGES_SECONDS, RELATIVE_ERROR, Histogram

durations = st.floats(1e-6, 1e4)
anything = st.floats(0, 1e9)


def histogram_of(seconds):
    histogram = Histogram()
    for each in seconds:
        histogram.observe(each)
    return histogram


@given(st.lists(st.lists(anything, max_size=30), max_size=5))
def test_merged_is_the_histogram_of_all(parts):
    merged = Histogram()
    for part in parts:
        merged.add(histogram_of(part))
    union = histogram_of([each for part in parts for each in part])
    assert merged.counts == union.counts
    assert merged.count == sum(map(len, parts))
    assert merged.total_seconds == pytest.approx(union.total_seconds)


@given(st.lists(durations, min_size=1, max_size=200), st.floats(0, 1))
def test_quantiles_are_within_a_bucket_of_an_observation(seconds, share):
    exact = sorted(seconds)[max(math.ceil(share * len(seconds)), 1) - 1]
    found = histogram_of(seconds).quantile(share)
    assert exact / (1 + RELATIVE_ERROR) * (1 - 1e-9) <= found
    assert found <= exact * (1 + RELATIVE_ERROR) * (1 + 1e-9)


@given(st.lists(anything, max_size=500))
def test_is_bounded(seconds):
    histogram = histogram_of(seconds)
    assert set(histogram.counts) <= set(range(len(EDGES_SECONDS)))


def test_the_error_is_what_the_report_promises():
    assert RELATIVE_ERROR < 0.06
    assert math.isnan(Histogram().quantile(0.5))
