"""The results, as rows of a table."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Row"]


@dataclass(frozen=True)
class Row:
    """What was tried, how often, what was seen, and everything that was wrong."""

    what: str
    amount: str
    seen: str
    wrong: tuple[str, ...] = ()

    def __str__(self) -> str:
        verdict = "0 violations" if not self.wrong else f"**{len(self.wrong)} violations**"
        return f"| {self.what} | {self.amount} | {verdict} | {self.seen} |"
