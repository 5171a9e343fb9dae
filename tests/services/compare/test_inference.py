"""Tests, effect sizes and intervals against scipy and statsmodels on raw values."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)
from statsmodels.stats.rates import test_poisson_2indep as compare_poisson_rates

from ape_jupyter.results.summary import CountTable, Distribution, life_table
from ape_jupyter.results.summary.survival import LifeTable
from ape_jupyter.services.compare.inference.intervals import (
    garwood_interval,
    log_log_interval,
    wilson_interval,
)
from ape_jupyter.services.compare.inference.means import Moments, hedges_g, welch_outcome
from ape_jupyter.services.compare.inference.multiplicity import benjamini_hochberg, holm
from ape_jupyter.services.compare.inference.ranks import (
    CountedPair,
    kolmogorov_smirnov,
    mann_whitney,
)
from ape_jupyter.services.compare.inference.shares import (
    chi_square,
    poisson_rates,
    two_proportion,
)
from ape_jupyter.services.compare.inference.survival import log_rank

CLOSE = {"rel": 1e-9, "abs": 1e-9}
# Few different values, so that ties, and samples without spread, are common.
values_ = st.lists(st.integers(0, 12) | st.integers(0, 100), min_size=1, max_size=40)
quick = settings(max_examples=60, deadline=None)
few = settings(max_examples=25, deadline=None)


def counted(values: list[int]) -> Distribution:
    ones = np.ones(len(values), np.int64)
    return Distribution.observed(CountTable.of_cells(ones * 0, np.array(values), ones))


def moments(values: list[int]) -> Moments:
    own = counted(values)
    return Moments(own.n, own.mean, own.variance).row(0)


def pair(reference: list[int], comparator: list[int]) -> CountedPair:
    a, b = counted(reference), counted(comparator)
    return CountedPair.of(a.values, a.counts[0], b.values, b.counts[0])


def same(own: float, other: float) -> bool:
    return own == pytest.approx(other, nan_ok=True, **CLOSE)


@quick
@given(values_, values_)
def test_welch(a: list[int], b: list[int]) -> None:
    own = welch_outcome(moments(a), moments(b), 0.9)
    if min(len(a), len(b)) < 2:
        assert math.isnan(own.p_value)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of samples without spread
        other = stats.ttest_ind(b, a, equal_var=False)
    assert same(own.p_value, other.pvalue)
    assert same(own.difference.size, np.mean(b) - np.mean(a))
    if np.std(a) + np.std(b) > 0:
        assert same(own.statistic, other.statistic)
        interval = other.confidence_interval(0.9)
        assert same(own.difference.low, interval.low)
        assert same(own.difference.high, interval.high)


@quick
@given(values_, values_)
def test_hedges_g(a: list[int], b: list[int]) -> None:
    own = hedges_g(moments(a), moments(b), 0.95)
    n1, n2 = len(a), len(b)
    if min(n1, n2) < 2 or np.std(a) + np.std(b) == 0:
        assert math.isnan(own.size)
        return
    squares = np.var(a, ddof=1) * (n1 - 1) + np.var(b, ddof=1) * (n2 - 1)
    d = (np.mean(b) - np.mean(a)) / math.sqrt(squares / (n1 + n2 - 2))
    m = n1 + n2 - 2
    bias = math.gamma(m / 2) / (math.sqrt(m / 2) * math.gamma((m - 1) / 2))
    error = math.sqrt((n1 + n2) / (n1 * n2) + (bias * d) ** 2 / (2 * (n1 + n2)))
    assert same(own.size, bias * d)
    assert same(own.high - own.low, 2 * stats.norm.ppf(0.975) * error)


@quick
@given(values_, values_)
def test_mann_whitney_and_cliffs_delta(a: list[int], b: list[int]) -> None:
    own = mann_whitney(pair(a, b), 0.95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = stats.mannwhitneyu(b, a, method="asymptotic")
    assert same(own.statistic, other.statistic)
    assert same(own.p_value, other.pvalue)
    dominance = np.sign(np.subtract.outer(b, a))
    delta = dominance.mean()
    assert same(own.effect.size, delta)
    n1, n2 = len(a), len(b)
    if min(n1, n2) < 2 or abs(delta) == 1:
        return
    # Cliff's unbiased variance, with the sums over all pairs written out.
    rows = ((dominance.mean(axis=1) - delta) ** 2).sum()
    columns = ((dominance.mean(axis=0) - delta) ** 2).sum()
    cells = ((dominance - delta) ** 2).sum()
    variance = (n1**2 * rows + n2**2 * columns - cells) / (n1 * n2 * (n1 - 1) * (n2 - 1))
    variance = max(variance, (1 - delta**2) / (n1 * n2 - 1))
    z2 = stats.norm.ppf(0.975) ** 2
    spread = math.sqrt(z2 * variance * ((1 - delta**2) ** 2 + z2 * variance))
    scale = 1 - delta**2 + z2 * variance
    assert same(own.effect.low, max((delta - delta**3 - spread) / scale, -1))
    assert same(own.effect.high, min((delta - delta**3 + spread) / scale, 1))


@pytest.mark.parametrize(("a", "b", "delta"), [([1, 2, 3], [4, 5, 6], 1), ([4, 5], [1, 2], -1)])
def test_cliffs_delta_of_separate_samples_has_an_interval(a, b, delta) -> None:
    effect = mann_whitney(pair(a, b), 0.95).effect
    assert effect.size == delta
    assert -1 <= effect.low < effect.high <= 1


@quick
@given(values_, values_)
def test_kolmogorov_smirnov(a: list[int], b: list[int]) -> None:
    own = kolmogorov_smirnov(pair(a, b))
    other = stats.ks_2samp(b, a, method="asymp")
    assert same(own.statistic, other.statistic)
    if len(a) * len(b) > len(a) + len(b):  # else scipy rounds the effective size to none
        assert same(own.p_value, other.pvalue)
    if own.statistic:
        assert abs(own.effect.size) == own.statistic


cells_ = st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda c: (min(c), max(c)))


@quick
@given(cells_, cells_)
def test_two_proportions(a: tuple[int, int], b: tuple[int, int]) -> None:
    own = two_proportion(a, b, 0.95)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        z, p_value = proportions_ztest([b[0], a[0]], [b[1], a[1]])
    if 0 < a[0] + b[0] < a[1] + b[1]:
        assert same(own.statistic, z)
        assert same(own.p_value, p_value)
    else:
        assert math.isnan(own.p_value)
    low, high = confint_proportions_2indep(*b, *a, method="newcomb", compare="diff")
    assert same(own.effect.size, b[0] / b[1] - a[0] / a[1])
    assert same(own.effect.low, low)
    assert same(own.effect.high, high)


@quick
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8))
def test_chi_square(columns: list[tuple[int, int]]) -> None:
    table = np.array(columns, float).T
    assume((table.sum(axis=1) > 0).all())
    own = chi_square(table[0], table[1], 0.95)
    filled = table[:, table.sum(axis=0) > 0]
    if filled.shape[1] < 2:
        assert math.isnan(own.p_value)
        return
    other = stats.chi2_contingency(filled)
    assert same(own.statistic, other.statistic)
    assert same(own.p_value, other.pvalue)
    v = math.sqrt(stats.chi2_contingency(filled, correction=False).statistic / table.sum())
    assert same(own.effect.size, v)
    assert 0 <= own.effect.low <= v + 1e-9
    # At the lower end, a statistic this large would be met with probability 0.025.
    if own.effect.low > 0:
        nc = own.effect.low**2 * table.sum()
        tail = stats.ncx2.sf(v**2 * table.sum(), filled.shape[1] - 1, nc)
        assert tail == pytest.approx(0.025, abs=1e-6)


@quick
@given(
    st.tuples(st.integers(0, 200), st.floats(0.5, 500)),
    st.tuples(st.integers(0, 200), st.floats(0.5, 500)),
)
def test_rates(a: tuple[int, float], b: tuple[int, float]) -> None:
    own = poisson_rates(a, b, 0.95)
    assert same(own.difference.size, b[0] / b[1] - a[0] / a[1])
    if a[0] + b[0] == 0:
        assert math.isnan(own.p_value)
        return
    other = compare_poisson_rates(b[0], b[1], a[0], a[1], method="score", compare="ratio")
    assert same(own.p_value, other.pvalue)
    if a[0] and b[0]:
        error = math.sqrt(1 / a[0] + 1 / b[0])
        assert same(math.log(own.effect.high / own.effect.size), stats.norm.ppf(0.975) * error)


@quick
@given(cells_, st.sampled_from([0.8, 0.95, 0.999]))
def test_wilson(cell: tuple[int, int], confidence: float) -> None:
    low, high = wilson_interval(*map(np.array, cell), confidence)
    expected = proportion_confint(*cell, alpha=1 - confidence, method="wilson")
    assert same(float(low), expected[0])
    assert same(float(high), expected[1])


@quick
@given(st.integers(0, 500), st.floats(0.1, 100))
def test_garwood(events: int, exposure: float) -> None:
    low, high = garwood_interval(np.array(events), np.array(exposure), 0.95)
    expected = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    assert same(float(low), expected / exposure)
    assert same(float(high), stats.chi2.ppf(0.975, 2 * events + 2) / 2 / exposure)


@quick
@given(st.lists(st.floats(0, 1) | st.just(math.nan), max_size=30))
def test_adjusted_p_values(p_values: list[float]) -> None:
    own = np.array(p_values, float)
    known = ~np.isnan(own)
    for adjust, method in ((holm, "holm"), (benjamini_hochberg, "fdr_bh")):
        found = adjust(own)
        assert (np.isnan(found) == ~known).all()
        if known.any():
            expected = multipletests(own[known], method=method)[1]
            assert found[known] == pytest.approx(expected, **CLOSE)


times_ = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=40)


def table_of(times: list[tuple[int, bool]]) -> LifeTable:
    days, events = (np.array(column).astype(np.int64) for column in zip(*times, strict=True))
    return life_table(CountTable.of_cells(days, events, np.ones_like(days)))


@few
@given(times_, times_)
def test_log_rank_and_hazard_ratio(a: list[tuple[int, bool]], b: list[tuple[int, bool]]) -> None:
    own = log_rank(table_of(a), table_of(b), 0.95)
    (days_a, events_a), (days_b, events_b) = zip(*a, strict=True), zip(*b, strict=True)
    side = np.repeat([0, 1], [len(a), len(b)])
    if math.isnan(own.p_value):
        # There was no day with an event on which it was open whose it would be.
        for day in {d for d, event in a + b if event}:
            n_events = sum(d == day and event for d, event in a + b)
            at_risk = [sum(d >= day for d, _ in group) for group in (a, b)]
            assert 0 in at_risk or n_events == sum(at_risk)
    else:
        statistic, p_value = survdiff(
            np.array(days_a + days_b), np.array(events_a + events_b, int), side
        )
        assert same(own.statistic, statistic)
        assert same(own.p_value, p_value)
    r = s = spread = 0.0
    for day in {d for d, event in a + b if event}:
        d1, d2 = (sum(d == day and event for d, event in side) for side in (a, b))
        n1, n2 = (sum(d >= day for d, _ in side) for side in (a, b))
        if n1 and n2:
            r += d2 * n1 / (n1 + n2)
            s += d1 * n2 / (n1 + n2)
            spread += (d1 + d2) * n1 * n2 / (n1 + n2) ** 2
    if r and s:
        assert same(own.effect.size, r / s)
        width = stats.norm.ppf(0.975) * math.sqrt(spread / (r * s))
        assert same(math.log(own.effect.high / own.effect.size), width)
    else:
        assert math.isnan(own.effect.size)


def test_hazard_ratio_of_a_large_sample_is_that_of_the_exponentials() -> None:
    rng = np.random.default_rng(7)
    a, b = (np.ceil(rng.exponential(scale, 20_000)).astype(int) for scale in (400, 200))
    tables = [table_of([(min(d, 300), d <= 300) for d in days.tolist()]) for days in (a, b)]
    effect = log_rank(*tables, 0.95).effect
    assert effect.low < 2.0 < effect.high
    assert effect.size == pytest.approx(2.0, rel=0.05)


@few
@given(times_)
def test_kaplan_meier_band(times: list[tuple[int, bool]]) -> None:
    table = table_of(times)
    days, events = zip(*times, strict=True)
    censored = stats.CensoredData.right_censored(days, [not event for event in events])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        curve = stats.ecdf(censored).sf
        interval = curve.confidence_interval(0.9, method="log-log")
    low, high = log_log_interval(table.survival, table.variance, 0.9)
    for i, day in enumerate(table.days.tolist()):
        assert same(table.survival[i], float(curve.evaluate(day)))
        if 0 < table.survival[i] < 1:
            assert same(low[i], float(interval.low.evaluate(day)))
            assert same(high[i], float(interval.high.evaluate(day)))


def test_two_by_two_agrees_with_statsmodels() -> None:
    own = chi_square(np.array([10.0, 40.0]), np.array([25.0, 25.0]), 0.95)
    other = Table2x2([[10, 40], [25, 25]]).test_nominal_association()
    assert own.effect.size == pytest.approx(math.sqrt(other.statistic / 100), **CLOSE)
