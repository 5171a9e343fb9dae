"""Costs and resources for the made-up runs of ``summary_cases``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pyarrow as pa
from summary_cases import START, Patient

from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.schema import TIMESTAMP

PRICES = {"drug": 790.5, "consultation": 82.0}


def costs_of(patients: Sequence[Patient], tables: ResultTables) -> pa.Table:
    """Price visits: a drug for injections, a consultation for those with even vision."""
    rows = [(i, v) for i, p in enumerate(patients) for v in p.visits]
    drug = [PRICES["drug"] * (1 + v.vision / 7) if v.injected else None for _, v in rows]
    talk = [PRICES["consultation"] if v.vision % 2 == 0 else None for _, v in rows]
    total = [(d or 0) + (c or 0) for d, c in zip(drug, talk, strict=True)]
    # Costs are sorted by date, which offsets can turn around within a patient.
    days = [patients[i].enrolled + v.day + v.date_offset for i, v in rows]
    order = sorted(range(len(rows)), key=lambda k: (rows[k][0], days[k]))
    codes = pa.array([rows[k][0] for k in order], pa.int32())
    return pa.table(
        {
            "patient_id": pa.DictionaryArray.from_arrays(
                codes, tables.patients["patient_id"].combine_chunks()
            ),
            "date": pa.array([START + timedelta(days=days[k]) for k in order], TIMESTAMP),
            "injection_given": pa.array([rows[k][1].injected for k in order], pa.bool_()),
            "total_cost": pa.array([total[k] for k in order], pa.float64()),
            "drug": pa.array([drug[k] for k in order], pa.float64()),
            "consultation": pa.array([talk[k] for k in order], pa.float64()),
        }
    )


def resources_of(injectors: Sequence[int | None]) -> pa.Table:
    """Return one day after the other with so many patients for one role."""
    days = [START + timedelta(days=i) for i in range(len(injectors))]
    return pa.table(
        {"date": pa.array(days, TIMESTAMP), "injector": pa.array(injectors, pa.int32())}
    )
