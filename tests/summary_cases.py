"""Small made-up runs of every shape, and their summaries computed slowly with pandas."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.schema import DISEASE_STATES, PATIENTS, VISITS
from ape_jupyter.results.summary.followup import TREATMENT_OUTCOMES
from ape_jupyter.results.summary.treatment import TREATMENT_STATES

START = datetime(2024, 2, 20)


@dataclass(frozen=True)
class Visit:
    day: int
    vision: int
    injected: bool
    state: int
    next_interval: int | None = None
    date_offset: int = 0


@dataclass(frozen=True)
class Patient:
    enrolled: int
    baseline: int
    visits: tuple[Visit, ...] = ()
    discontinued: bool | None = False
    stopped: float | None = None  # since the run's start, as APE has it
    stop_type: str | None = None


visits_ = st.builds(
    Visit,
    day=st.integers(0, 900),
    vision=st.integers(0, 100),
    injected=st.booleans(),
    state=st.integers(0, 3),
    next_interval=st.none() | st.integers(0, 200),
    date_offset=st.sampled_from([0, 0, 0, 1, 2]),
)
patients_ = st.builds(
    Patient,
    enrolled=st.integers(0, 400),
    baseline=st.integers(0, 100),
    visits=st.lists(visits_, max_size=6).map(lambda v: tuple(sorted(v, key=lambda x: x.day))),
    discontinued=st.sampled_from([True, True, False, None]),
    stopped=st.none() | st.floats(0, 1300) | st.integers(0, 1300).map(float),
    stop_type=st.none() | st.sampled_from([*TREATMENT_OUTCOMES[1:-1], "moved to Mars"]),
)
runs_ = st.lists(patients_, min_size=1, max_size=8)
years_ = st.sampled_from([0.0, 0.5, 1.0, 2.0, 2.5])


def tables_of(patients: Sequence[Patient], first: int = 0) -> ResultTables:
    """Canonical tables; patients are named by position, from ``first``."""
    ids = [f"P{first + i:04}" for i in range(len(patients))]
    columns = {
        "patient_id": ids,
        "enrollment_date": [START + timedelta(days=p.enrolled) for p in patients],
        "enrollment_time_days": [p.enrolled for p in patients],
        "baseline_vision": [p.baseline for p in patients],
        "final_vision": [p.visits[-1].vision if p.visits else p.baseline for p in patients],
        "final_disease_state": ["STABLE"] * len(patients),
        "total_injections": [sum(v.injected for v in p.visits) for p in patients],
        "total_visits": [len(p.visits) for p in patients],
        "discontinued": [p.discontinued for p in patients],
        "discontinuation_time": [p.stopped for p in patients],
        "discontinuation_type": [p.stop_type for p in patients],
    }
    rows = [(i, v) for i, p in enumerate(patients) for v in p.visits]
    dates = [
        START + timedelta(days=patients[i].enrolled + v.day + v.date_offset, hours=9)
        for i, v in rows
    ]
    visits = {
        "date": dates,
        "time_days": [v.day for _, v in rows],
        "vision": [v.vision for _, v in rows],
        "injected": [v.injected for _, v in rows],
        "next_interval_days": [v.next_interval for _, v in rows],
    }
    codes = pa.array([i for i, _ in rows], pa.int32())
    states = pa.array([v.state for _, v in rows], pa.int8())
    own = {
        "patient_id": pa.DictionaryArray.from_arrays(codes, pa.array(ids, pa.string())),
        **{name: pa.array(values, VISITS.column(name).type) for name, values in visits.items()},
        "disease_state": pa.DictionaryArray.from_arrays(states, pa.array(DISEASE_STATES)),
    }
    return ResultTables(
        patients=pa.table(
            {name: pa.array(v, PATIENTS.column(name).type) for name, v in columns.items()}
        ),
        visits=pa.table(own),
    )


class SlowSummary:
    """What a summary must hold, straight from its definition, with data frames.

    ``counts(metric, method, alignment)`` is a dict from (bin, value) to count.
    """

    def __init__(self, tables: ResultTables, start: datetime, years: float) -> None:
        self.start, self.days = pd.Timestamp(start).normalize(), max(years * 365.25, 1.0)
        self._first_day = self.start.date()
        self._carried: dict[tuple[str, str], list[list[tuple[int, int]]]] = {}
        self.patients = tables.patients.to_pandas().set_index("patient_id")
        visits = tables.visits.to_pandas()
        visits["patient_id"] = visits["patient_id"].astype(object)
        visits["since_start"] = (visits["date"].dt.normalize() - self.start).dt.days
        by_patient = visits.groupby("patient_id")
        visits["vision_change"] = visits["vision"] - visits["patient_id"].map(
            self.patients["baseline_vision"]
        )
        visits["treatment_interval"] = by_patient["time_days"].diff()
        visits["injections"] = by_patient["injected"].cumsum().astype(int)
        visits["visits"] = by_patient.cumcount() + 1
        visits["disease_state"] = visits["disease_state"].map(DISEASE_STATES.index).astype(int)
        self.visits = visits
        self.patients["enrolled"] = (
            self.patients["enrollment_date"].dt.normalize() - self.start
        ).dt.days
        self.patients["last"] = by_patient["time_days"].max().reindex(self.patients.index)
        self.patients["run_end"] = np.maximum(int(self.days) - self.patients["enrolled"], 0)
        self.patients["end"] = [self._end(row) for row in self.patients.itertuples()]
        visits["next_time_days"] = by_patient["time_days"].shift(-1)
        visits["treatment_state"] = [self._treatment_state(row) for row in visits.itertuples()]

    @staticmethod
    def _stopped(row: object) -> float | None:
        """Day of discontinuation since enrolment."""
        if not (row.discontinued is True or row.discontinued is np.True_):
            return None
        if row.discontinuation_time is None or np.isnan(row.discontinuation_time):
            return None
        return max(0, int(np.floor(row.discontinuation_time - row.enrollment_time_days)))

    def _end(self, row: object) -> int:
        end, stopped = row.run_end, self._stopped(row)
        is_over = row.discontinued is True or row.discontinued is np.True_
        if is_over and row.discontinuation_type in {"death", "attrition", "administrative"}:
            end = min(end, stopped or 0)
        return int(end if np.isnan(row.last) else max(end, row.last))

    def _treatment_state(self, visit: object) -> int:
        patient = self.patients.loc[visit.patient_id]
        if pd.isna(visit.next_time_days):
            planned = visit.next_interval_days
            stopped = patient["discontinued"] is True or patient["discontinued"] is np.True_
            if stopped or pd.isna(planned) or planned <= 0:
                return TREATMENT_STATES.index("no_further_visits")
            if visit.time_days + planned <= patient["end"]:
                return TREATMENT_STATES.index("no_further_visits")
            days = planned
        else:
            days = visit.next_time_days - visit.time_days
        limits = [35, 63, 111, 119, 180, 365]
        return next((i for i, limit in enumerate(limits) if days <= limit), len(limits))

    def bin_of(self, alignment: str, since_enrolment: int, since_start: int) -> int:
        if alignment == "relative":
            return int(since_enrolment) // 7
        if alignment == "absolute":
            day = self._first_day + timedelta(days=int(since_start))
            return day.year * 12 + day.month - 1
        return int(min(max(math.floor(since_start / self.days * 50), 0), 49))

    def _binned(self, alignment: str) -> pd.Series:
        days = zip(self.visits["time_days"], self.visits["since_start"], strict=True)
        return pd.Series([self.bin_of(alignment, *both) for both in days], dtype="int64")

    def values(self, metric: str, method: str, alignment: str) -> dict[int, list[int]]:
        """Values by bin."""
        bins = self._binned(alignment)
        if method == "observed":
            grouped = self.visits.set_index(bins)[metric].dropna()
            result: dict[int, list[int]] = {}
            for bin_, value in grouped.items():
                result.setdefault(int(bin_), []).append(int(value))
            return result
        carried: dict[int, list[int]] = {}
        for filled in self._carried_by_patient(metric, alignment):
            for bin_, value in filled[-1:] if method == "ended" else filled:
                carried.setdefault(bin_, []).append(value)
        return carried

    def _carried_by_patient(self, metric: str, alignment: str) -> list[list[tuple[int, int]]]:
        """Last observation by bin until the end of follow-up, of patients who have one."""
        if (metric, alignment) in self._carried:
            return self._carried[metric, alignment]
        carried = self._carried[metric, alignment] = []
        bins = self._binned(alignment).groupby(self.visits["patient_id"]).cummax()
        seen: dict[str, list[tuple[int, float]]] = {}
        for name, bin_, value in zip(
            self.visits["patient_id"], bins, self.visits[metric].astype(float), strict=True
        ):
            seen.setdefault(name, []).append((bin_, value))
        for patient in self.patients.itertuples():
            own = seen.get(patient.Index, [])
            last = self.bin_of(alignment, patient.end, patient.enrolled + patient.end)
            last = max([last, *(bin_ for bin_, _ in own)])
            if metric in {"injections", "visits"}:
                own = [(self.bin_of(alignment, 0, patient.enrolled), 0.0), *own]
            steps = {bin_: int(value) for bin_, value in own if not math.isnan(value)}
            if steps:
                value = 0
                filled = []
                for bin_ in range(min(steps), last + 1):
                    value = steps.get(bin_, value)
                    filled.append((bin_, value))
                carried.append(filled)
        return carried

    def counts(self, metric: str, method: str, alignment: str) -> dict[tuple[int, int], int]:
        values = self.values(metric, method, alignment)
        return dict(Counter((bin_, value) for bin_, own in values.items() for value in own))

    def patient_days(self, alignment: str) -> dict[tuple[int, int], int]:
        days: Counter[tuple[int, int]] = Counter()
        for patient in self.patients.itertuples():
            for day in range(patient.end):
                days[(self.bin_of(alignment, day, patient.enrolled + day), 0)] += 1
        return dict(days)

    def treatment_ends(self) -> list[tuple[int, str, bool]]:
        """Day, outcome and whether there were visits, of patients of whom it is known."""
        result = []
        for row in self.patients.itertuples():
            if row.discontinued is None or pd.isna(row.discontinued):
                continue
            has_visits = not np.isnan(row.last)
            horizon = max(row.run_end, row.last) if has_visits else row.run_end
            day, outcome = int(horizon), "censored"
            stopped = self._stopped(row)
            if row.discontinued and stopped is None:
                day = int(row.last) if has_visits else 0
            elif stopped is not None and stopped <= horizon:
                kind = row.discontinuation_type
                day, outcome = stopped, kind if kind in TREATMENT_OUTCOMES else "other"
            result.append((day, outcome, has_visits))
        return result
