"""What a check of a whole library found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Severity", "VerifyReport"]


class Severity(StrEnum):
    """How bad a finding is."""

    DAMAGE = "damage"
    """Results, or what is known of a run, are not what was stored."""
    FAULT = "fault"
    """Something is wrong that the library can mend from what it has."""
    NOTE = "note"
    """Nothing is wrong, and it is worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found.

    Attributes
    ----------
    sim_id, name : str or None
        The run; None when it is about no run.
    what : str
        A sentence.
    action : str
        What was done about it, or what can be; empty when there is nothing to do.
    repaired : bool
        Whether it is in order again.
    """

    what: str
    severity: Severity
    sim_id: str | None = None
    name: str | None = None
    action: str = ""
    repaired: bool = False

    def __str__(self) -> str:
        run = f"{self.name} ({self.sim_id}): " if self.sim_id else ""
        label = "repaired" if self.repaired else self.severity.value
        return f"[{label}] {run}{self.what} {self.action}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a check found, the worst first.

    Attributes
    ----------
    n_runs : int
        How many runs were checked, those in the trash included.
    fast : bool
        Whether names, sizes and times were checked only, and no bytes read.
    """

    findings: tuple[Finding, ...]
    n_runs: int
    fast: bool
    seconds: float

    @property
    def ok(self) -> bool:
        """True when nothing is wrong, or nothing is any more."""
        return all(f.repaired or f.severity is Severity.NOTE for f in self.findings)

    def __str__(self) -> str:
        runs = f"{self.n_runs:,} run{'s' if self.n_runs != 1 else ''}"
        how = "checked without reading the bytes" if self.fast else "checked"
        wrong = sum(not f.repaired and f.severity is not Severity.NOTE for f in self.findings)
        result = "nothing is wrong" if self.ok else f"{wrong:,} thing{'s' * (wrong != 1)} wrong"
        if self.ok and any(finding.repaired for finding in self.findings):
            result = "all that was wrong is repaired"
        return "\n".join([*map(str, self.findings), f"{runs} {how}: {result}."])
