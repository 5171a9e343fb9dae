"""When a level that goes up and down is worth a word."""

from __future__ import annotations

from dataclasses import dataclass

from ape_jupyter.errors import InvalidArgumentError

__all__ = ["Threshold"]

_HYSTERESIS = 0.1


@dataclass(frozen=True, slots=True)
class Threshold:
    """A share that is reached once, and again only after the level was clearly below it.

    Without the distance between the two, a level that trembles about the threshold would be
    reported every time.

    Attributes
    ----------
    reached_at : float
        Share of the limit, more than 0 and at most 1.

    Raises
    ------
    InvalidArgumentError
        If it is no such share.
    """

    reached_at: float = 0.8

    def __post_init__(self) -> None:
        if not 0 < self.reached_at <= 1:
            message = (
                "The memory threshold should be a share, more than 0 and at most 1, and is "
                f"{self.reached_at!r}."
            )
            raise InvalidArgumentError(message)

    @property
    def rearmed_below(self) -> float:
        """The share below which it can be reached again."""
        return max(self.reached_at - _HYSTERESIS, self.reached_at / 2)

    def is_reached(self, share: float, *, before: bool) -> bool:
        """Return the state after a level of ``share``, given the state ``before`` it."""
        return share >= (self.rearmed_below if before else self.reached_at)
