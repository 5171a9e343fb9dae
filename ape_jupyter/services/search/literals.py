"""Reading the values of a search: numbers with k and M, dates of any precision, ages."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from ape_jupyter.model.query import Age

__all__ = [
    "age_text",
    "instant_text",
    "number_text",
    "read_age",
    "read_number",
    "read_period",
]

MAX_INTEGER = 2**63 - 1  # what both databases can bind

_NUMBER = re.compile(
    r"([+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:e[+-]?\d{1,3})?)(%|[a-z]{0,8})",
    re.ASCII | re.IGNORECASE,
)
_COUNTS = {"": "1", "%": "0.01", "k": "1e3", "m": "1e6", "g": "1e9", "bn": "1e9"}
_SUFFIXES = {
    # In a size, M is megabytes and not a million of them.
    "MB": {"": "1", "b": "1e-6", "k": "1e-3", "kb": "1e-3", "m": "1", "mb": "1"}
    | {"g": "1e3", "gb": "1e3", "t": "1e6", "tb": "1e6"},
    "years": {"y": "1", "year": "1", "years": "1"} | _COUNTS,
    "days": {"d": "1", "day": "1", "days": "1", "w": "7", "week": "7", "weeks": "7"} | _COUNTS,
    "seconds": {"s": "1", "sec": "1", "min": "60", "h": "3600"} | _COUNTS,
}

_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_AGE = re.compile(r"(\d{1,18}(?:\.\d{1,6})?)(us|s|min|h|d|w|m|mo|y)", re.ASCII | re.IGNORECASE)
_AGE_UNITS = {
    "us": timedelta(microseconds=1),
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "m": timedelta(days=30),
    "mo": timedelta(days=30),
    "y": timedelta(days=365),
}
_MAX_AGE = timedelta(days=365 * 1000)


def read_number(text: str, unit: str = "") -> int | float | None:
    """Return the number that a text says in the given unit; None when it says none."""
    match = _NUMBER.fullmatch(text)
    factor = match and _SUFFIXES.get(unit, _COUNTS).get(match[2].lower())
    if match is None or factor is None:
        return None
    # Decimal, because 1.1k is 1100 and 1.1 * 1000 is 1100.0000000000002.
    number = Decimal(match[1]) * Decimal(factor)
    if not math.isfinite(float(number)):
        return None
    is_whole = abs(number) <= MAX_INTEGER and number == number.to_integral_value()
    return int(number) if is_whole else float(number)


def number_text(number: int | float) -> str:
    """Return a number as :func:`read_number` reads it."""
    return repr(number)


def read_period(text: str) -> tuple[datetime, datetime] | None:
    """Return the start of a year, month, day, minute, … and that of the next one.

    A time without an offset is UTC. None when the text is no date.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    parts = zip(match.groups()[:6], (1, 1, 1, 0, 0, 0), strict=True)
    year, month, day, hour, minute, second = (
        default if part is None else int(part) for part, default in parts
    )
    microsecond = int((match[7] or "0").ljust(6, "0"))
    try:
        local = datetime(year, month, day, hour, minute, second, microsecond, _zone(match))
        start = local.astimezone(UTC)
        if match[2] is None:
            return start, start.replace(year=year + 1)
        if match[3] is None:
            following = (year + month // 12, month % 12 + 1)
            return start, start.replace(year=following[0], month=following[1])
        return start, start + _precision(match)
    except (ValueError, OverflowError):
        return None


def _zone(match: re.Match[str]) -> timezone:
    offset = match[8]
    if offset is None or offset in "Zz":
        return UTC
    sign = -1 if offset[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])))


def _precision(match: re.Match[str]) -> timedelta:
    if match[4] is None:
        return timedelta(days=1)
    if match[6] is None:
        return timedelta(minutes=1)
    if match[7] is None:
        return timedelta(seconds=1)
    return timedelta(microseconds=10 ** (6 - len(match[7])))


def instant_text(instant: datetime) -> str:
    """Return an instant as :func:`read_period` reads the start of a period."""
    instant = instant.astimezone(UTC)
    if instant.time() == datetime.min.time():
        return f"{instant:%Y-%m-%d}".zfill(10)
    seconds = instant.replace(tzinfo=None).isoformat(timespec="auto")
    return f"{seconds}Z"


def read_age(text: str) -> Age | None:
    """Return the age that a text like ``30d`` says; None when it says none.

    A month is 30 days here and a year 365.
    """
    match = _AGE.fullmatch(text)
    if match is None:
        return None
    unit = _AGE_UNITS[match[2].lower()]
    amount = float(match[1]) if "." in match[1] else int(match[1])
    return Age(unit * amount) if amount <= _MAX_AGE / unit else None


def age_text(age: Age) -> str:
    """Return an age as :func:`read_age` reads it."""
    for name in ("d", "h", "s"):
        unit = _AGE_UNITS[name]
        if age.value % unit == timedelta(0):
            return f"{age.value // unit}{name}"
    return f"{age.value // _AGE_UNITS['us']}us"
