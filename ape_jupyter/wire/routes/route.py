"""What is said of one route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["ARROW_FILE", "TEXT", "Action", "Parameter", "Route"]

ARROW_FILE = "application/vnd.apache.arrow.file"

Action = Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter in the query string; ``schema`` is its JSON schema."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path, relative to the API's root.

    Attributes
    ----------
    action : {"read", "write"}
        What the user must be authorised to do with the resource ``ape-simulations``.
        Opening and comparing are reading, though they are posted.
    body : type or None
        What the request carries: a dataclass as JSON.
    body_media_type : str or None
        Instead of ``body``, for bytes.
    answers : dict of int to type, str or None
        By status: a type as JSON, a media type for bytes, None for nothing.
    errors : tuple of int
        Statuses with an ``ErrorBody``, beside 403 and 503, which all routes can give.
    """

    method: str
    path: str
    name: str
    summary: str
    action: Action
    answers: dict[int, Any]
    errors: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = field(default=())
    body: type | None = None
    body_media_type: str | None = None


TEXT = {"type": "string"}
