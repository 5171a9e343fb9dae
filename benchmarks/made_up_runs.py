"""Runs that nobody simulated, the same for every registry that is measured.

Needs the standard library only, so that the environment of another registry can import it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["MadeUpRun", "made_up_runs"]

_ADJECTIVES = [
    "calm",
    "bold",
    "quiet",
    "amber",
    "flat",
    "north",
    "silver",
    "brisk",
    "gentle",
    "early",
    "late",
    "misty",
]
_NOUNS = [
    "river",
    "heron",
    "harbour",
    "field",
    "pond",
    "lantern",
    "meadow",
    "ridge",
    "orchard",
    "valley",
    "harvest",
    "tide",
]
_PROTOCOLS = (
    *("Treat and Extend", "Fixed 8 weeks", "Fixed 12 weeks", "Pro re nata", "Loading only"),
    *("Aflibercept 2 mg", "Aflibercept 8 mg", "Ranibizumab monthly", "Faricimab extended"),
)
_ENGINES = ("abs", "des")
_OWNERS = tuple(f"modeller{number:02d}" for number in range(25))
_AREAS = ("nhs", "appraisal", "draft", "paper", "sensitivity", "archive")
_PLACES = ("glasgow", "leeds", "york", "truro", "bath", "ely", "hull", "perth")
_WORDS = [
    "base",
    "case",
    "of",
    "the",
    "appraisal",
    "with",
    "clinics",
    "on",
    "saturday",
    "and",
    "fewer",
    "visits",
    "after",
    "loading",
    "dose",
    "for",
    "patients",
    "who",
    "respond",
    "early",
    "compared",
    "with",
    "extension",
    "by",
    "four",
    "weeks",
    "until",
    "discontinuation",
    "costs",
    "as",
    "agreed",
    "with",
    "the",
    "commissioning",
    "group",
    "sensitivity",
    "to",
    "mortality",
    "and",
    "adherence",
]
_RARE = tuple(f"site{number:03d}" for number in range(500))
_START = datetime(2023, 1, 1, tzinfo=UTC)
_N_TEXTS = 25


@dataclass(frozen=True, slots=True)
class MadeUpRun:
    """What a registry is told of a run; parameters are of the protocol."""

    sim_id: str
    name: str
    created_at: datetime
    protocol: str
    engine: str
    owner: str
    notes: str
    tags: tuple[str, ...]
    n_patients: int
    n_visits: int
    duration_years: int
    mean_final_vision: float
    seed: int
    parameters: dict[str, float | str]


def made_up_runs(n_runs: int, n_parameters: int) -> Iterator[MadeUpRun]:
    """Yield runs of which a third of the parameters are texts."""
    chance = random.Random(20261125)
    for number in range(n_runs):
        created = _START + timedelta(minutes=chance.randrange(3 * 365 * 24 * 60))
        tags = {
            f"{chance.choice(_AREAS)}/{chance.choice(_PLACES)}" for _ in range(chance.randrange(4))
        }
        n_patients = chance.choice((500, 1_000, 2_000, 10_000, 50_000, 100_000))
        years = chance.choice((2, 3, 5, 10))
        parameters: dict[str, float | str] = {
            "min_interval_days": chance.choice((28, 42, 56, 84)),
            "max_interval_days": chance.choice((84, 112, 140)),
            "discontinuation_probability": round(chance.random(), 4),
        }
        for position in range(len(parameters), n_parameters):
            is_text = position % 3 == 0
            parameters[f"group_{position % 8}.value_{position}"] = (
                f"rule {chance.randrange(_N_TEXTS)}" if is_text else chance.randrange(1000) / 8
            )
        yield MadeUpRun(
            sim_id=f"sim_{created:%Y%m%d}_{number:07d}",
            name=f"{chance.choice(_ADJECTIVES)}-{chance.choice(_NOUNS)}-{number}",
            created_at=created,
            protocol=chance.choice(_PROTOCOLS),
            engine=chance.choice(_ENGINES),
            owner=chance.choice(_OWNERS),
            notes=" ".join([*chance.choices(_WORDS, k=12), chance.choice(_RARE)]),
            tags=tuple(sorted(tags)),
            n_patients=n_patients,
            n_visits=n_patients * years * 3,
            duration_years=years,
            mean_final_vision=round(chance.gauss(62, 4), 3),
            seed=chance.randrange(10**6),
            parameters=dict(list(parameters.items())[:n_parameters]),
        )
