"""Treatment protocols of the demonstration runs, and the documents they are written as."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

__all__ = [
    "EIGHT_WEEK_MINIMUM",
    "FIXED_Q8W",
    "PRN",
    "PROTOCOLS",
    "TREAT_AND_EXTEND",
    "TreatmentProtocol",
    "protocol_document",
]

Strategy = Literal["fixed", "treat_and_extend", "prn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentProtocol:
    """How patients are treated, and what is assumed about them.

    Attributes
    ----------
    min_interval_days, max_interval_days, extension_days, shortening_days : int
        Multiples of 7, so that a patient keeps the weekday of the first visit.
    loading_injections : int
        Injections 28 days apart before the strategy sets in.
    planned_stop_share : float
        Probability, per visit, of a planned end of treatment once vision has been stable
        at the longest interval for a year.
    dropout_per_year : float
        Rate at which patients are lost for reasons that have nothing to do with the eye.
    """

    name: str
    strategy: Strategy
    version: str = "1.0"
    description: str = ""
    min_interval_days: int = 56
    max_interval_days: int = 112
    extension_days: int = 14
    shortening_days: int = 14
    loading_injections: int = 3
    baseline_vision_mean: float = 61.0
    baseline_vision_std: float = 14.0
    planned_stop_share: float = 0.06
    dropout_per_year: float = 0.07


TREAT_AND_EXTEND = TreatmentProtocol(
    name="Aflibercept treat-and-extend",
    strategy="treat_and_extend",
    version="1.2",
    description="Extend by two weeks while dry, shorten by two weeks when not.",
    min_interval_days=28,
    max_interval_days=112,
)
EIGHT_WEEK_MINIMUM = TreatmentProtocol(
    name="Aflibercept treat-and-extend, eight weeks at least",
    strategy="treat_and_extend",
    version="1.0",
    description="As treat-and-extend, but never closer than eight weeks after loading.",
    min_interval_days=56,
    max_interval_days=112,
)
FIXED_Q8W = TreatmentProtocol(
    name="Aflibercept fixed every eight weeks",
    strategy="fixed",
    version="2.0",
    description="Three monthly injections, then one every eight weeks whatever is found.",
    min_interval_days=56,
    max_interval_days=56,
    extension_days=0,
    shortening_days=0,
)
PRN = TreatmentProtocol(
    name="Ranibizumab as needed",
    strategy="prn",
    version="1.1",
    description="Monthly visits; an injection only when the disease is active.",
    min_interval_days=28,
    max_interval_days=28,
    extension_days=0,
    shortening_days=0,
    planned_stop_share=0.0,
    dropout_per_year=0.09,
)

PROTOCOLS: dict[str, TreatmentProtocol] = {
    "treat-and-extend": TREAT_AND_EXTEND,
    "eight-week-minimum": EIGHT_WEEK_MINIMUM,
    "fixed-q8w": FIXED_Q8W,
    "prn": PRN,
}


def protocol_document(protocol: TreatmentProtocol, model_type: str) -> dict[str, Any]:
    """Return the protocol as the content of a ``protocol.yaml``."""
    values = asdict(protocol)
    document: dict[str, Any] = {
        "name": protocol.name,
        "version": protocol.version,
        "created_date": "2026-02-02",
        "author": "ape-jupyter demonstration",
        "description": protocol.description,
    }
    if model_type == "time_based":
        document |= {"model_type": "time_based", "update_interval_days": 7}
    document["protocol_type"] = protocol.strategy
    for name in ("min_interval_days", "max_interval_days", "extension_days", "shortening_days"):
        document[name] = values[name]
    document["loading_dose_injections"] = protocol.loading_injections
    document["loading_dose_interval_days"] = 28
    document["baseline_vision"] = {
        "mean": protocol.baseline_vision_mean,
        "std": protocol.baseline_vision_std,
        "min": 5,
        "max": 95,
    }
    document["discontinuation_rules"] = {
        "planned_stop_share": protocol.planned_stop_share,
        "dropout_per_year": protocol.dropout_per_year,
    }
    return document
