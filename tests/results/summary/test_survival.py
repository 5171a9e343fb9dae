"""Life tables against Kaplan–Meier by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summary_cases import START, Patient, SlowSummary, Visit, runs_, tables_of, years_

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.summary import CountTable, Method, life_table, summarise


def persistence(patients: list[Patient], years: float) -> CountTable:
    summary = summarise(tables_of(patients), START, years)
    both = (Method.OBSERVED, Method.WITHOUT_VISITS)
    return CountTable.total(
        summary.counts("persistence", method, TimeAlignment.RELATIVE) for method in both
    )


@settings(max_examples=60, deadline=None)
@given(runs_, years_, st.sets(st.sampled_from(["death", "attrition", "other"])))
def test_curve_is_that_of_kaplan_and_meier(
    patients: list[Patient], years: float, censor: set[str]
) -> None:
    ends = SlowSummary(tables_of(patients), START, years).treatment_ends()
    own = life_table(persistence(patients, years), censor)
    assert own.days.tolist() == sorted({day for day, _, _ in ends})
    survival, greenwood = 1.0, 0.0
    for i, day in enumerate(own.days.tolist()):
        at_risk = sum(d >= day for d, _, _ in ends)
        events = sum(d == day and o not in {"censored", *censor} for d, o, _ in ends)
        survival *= 1 - events / at_risk
        greenwood += events / (at_risk * (at_risk - events)) if at_risk > events else math.nan
        assert own.at_risk[i] == at_risk
        assert own.events[i] == events
        assert own.survival[i] == pytest.approx(survival, abs=1e-12)
        if events < at_risk:
            assert own.variance[i] == pytest.approx(survival**2 * greenwood, abs=1e-12)


def test_worked_example() -> None:
    """Five patients: events on days 10, 10 and 30, one censored on day 30, one at day 365."""
    visit = (Visit(0, 70, injected=True, state=1),)

    def stops(day: float, kind: str = "planned") -> Patient:
        return Patient(0, 70, visit, discontinued=True, stopped=day, stop_type=kind)

    patients = [stops(10), stops(10.9), stops(30), stops(30, "death"), Patient(0, 70, visit)]
    table = life_table(persistence(patients, 1.0), ["death"])
    assert table.days.tolist() == [10, 30, 365]
    assert table.at_risk.tolist() == [5, 3, 1]
    assert table.events.tolist() == [2, 1, 0]
    assert table.survival == pytest.approx([0.6, 0.4, 0.4])


def test_a_stop_without_date_is_censored_when_last_seen_and_one_after_the_end_at_the_end() -> None:
    visits = (Visit(0, 70, injected=True, state=1), Visit(56, 70, injected=True, state=1))
    undated = Patient(0, 70, visits, discontinued=True, stopped=None, stop_type="planned")
    late = Patient(0, 70, visits, discontinued=True, stopped=400.0, stop_type="planned")
    table = life_table(persistence([undated, late], 1.0))
    assert table.days.tolist() == [56, 365]
    assert table.events.tolist() == [0, 0]


def test_nobody() -> None:
    table = life_table(CountTable.empty())
    assert len(table.days) == 0
    assert len(table.survival) == 0


def test_all_have_stopped() -> None:
    visit = (Visit(0, 70, injected=True, state=1),)
    gone = Patient(0, 70, visit, discontinued=True, stopped=20.0, stop_type="attrition")
    table = life_table(persistence([gone] * 4, 1.0))
    assert table.survival.tolist() == [0.0]
    assert np.isnan(table.variance).all()
