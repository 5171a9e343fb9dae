"""Comparing runs by their summaries."""

from __future__ import annotations

from ape_jupyter.services.compare.findings import Findings, compare_runs
from ape_jupyter.services.compare.parts import (
    RunParts,
    missing_parts,
    parts_of_run,
    populations,
    values_of_column,
)
from ape_jupyter.services.compare.patients import PatientOutcomes
from ape_jupyter.services.compare.protocols import RunSettings, protocol_diff
from ape_jupyter.services.compare.request import TimePoint, comparison_request
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.selection import (
    criteria_mapping,
    patient_criteria,
)
from ape_jupyter.services.compare.subgroups import (
    grouping_mapping,
    levels_of_runs,
    patient_groupings,
)
from ape_jupyter.services.compare.tables import (
    COST_EFFECTIVENESS_SCHEMA,
    DIFFERENCES_SCHEMA,
    DISTRIBUTIONS_SCHEMA,
    PROTOCOL_DIFF_SCHEMA,
    SERIES_SCHEMA,
    TESTS_SCHEMA,
)

__all__ = [
    "COST_EFFECTIVENESS_SCHEMA",
    "DIFFERENCES_SCHEMA",
    "DISTRIBUTIONS_SCHEMA",
    "PROTOCOL_DIFF_SCHEMA",
    "SERIES_SCHEMA",
    "TESTS_SCHEMA",
    "ComparedRun",
    "Findings",
    "PatientOutcomes",
    "RunParts",
    "RunSettings",
    "TimePoint",
    "compare_runs",
    "comparison_request",
    "criteria_mapping",
    "grouping_mapping",
    "levels_of_runs",
    "missing_parts",
    "parts_of_run",
    "patient_criteria",
    "patient_groupings",
    "populations",
    "protocol_diff",
    "values_of_column",
]
