"""Comparing runs by their summaries."""

from __future__ import annotations

from ape_jupyter.services.compare.findings import Findings, compare_runs
from ape_jupyter.services.compare.patients import PatientOutcomes, patient_outcomes
from ape_jupyter.services.compare.protocols import RunSettings, protocol_diff
from ape_jupyter.services.compare.request import TimePoint, comparison_request
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.selection import (
    criteria_mapping,
    patient_criteria,
    selected_summary,
)
from ape_jupyter.services.compare.tables import (
    DIFFERENCES_SCHEMA,
    PROTOCOL_DIFF_SCHEMA,
    SERIES_SCHEMA,
    TESTS_SCHEMA,
)

__all__ = [
    "DIFFERENCES_SCHEMA",
    "PROTOCOL_DIFF_SCHEMA",
    "SERIES_SCHEMA",
    "TESTS_SCHEMA",
    "ComparedRun",
    "Findings",
    "PatientOutcomes",
    "RunSettings",
    "TimePoint",
    "compare_runs",
    "comparison_request",
    "criteria_mapping",
    "patient_criteria",
    "patient_outcomes",
    "protocol_diff",
    "selected_summary",
]
