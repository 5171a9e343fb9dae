"""Errors to JSON and back, and the one table that gives each its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from ape_jupyter.errors import (
    ApeError,
    ConflictError,
    CorruptedDataError,
    Fault,
    InvalidArgumentError,
    InvalidResultsError,
    LibraryBusyError,
    MigrationError,
    OperationCancelledError,
    OutOfSpaceError,
    PermissionDeniedError,
    QuerySyntaxError,
    SchemaTooNewError,
    ServerUnavailableError,
    SimulationNotFoundError,
    TransactionClosedError,
)
from ape_jupyter.wire.encoding import decode, encode

__all__ = [
    "STATUS_OF_ERROR",
    "ErrorBody",
    "ErrorDetails",
    "error_body",
    "error_from",
    "error_of_status",
    "status_of",
]

STATUS_OF_ERROR: Mapping[type[ApeError], int] = {
    InvalidArgumentError: 400,
    QuerySyntaxError: 400,
    PermissionDeniedError: 403,
    SimulationNotFoundError: 404,
    ConflictError: 409,
    OperationCancelledError: 409,
    TransactionClosedError: 409,
    CorruptedDataError: 410,
    InvalidResultsError: 422,
    MigrationError: 422,
    ApeError: 500,
    LibraryBusyError: 503,
    SchemaTooNewError: 503,
    ServerUnavailableError: 503,
    OutOfSpaceError: 507,
}

_ERROR_OF_STATUS: Mapping[int, type[ApeError]] = {
    400: InvalidArgumentError,
    401: PermissionDeniedError,
    403: PermissionDeniedError,
    405: InvalidArgumentError,
    409: ConflictError,
    413: InvalidArgumentError,
    415: InvalidArgumentError,
    502: ServerUnavailableError,
    503: ServerUnavailableError,
    504: ServerUnavailableError,
    507: OutOfSpaceError,
}

_ERROR_OF_NAME = {cls.__name__: cls for cls in STATUS_OF_ERROR}


class ErrorDetails(TypedDict, total=False):
    """What there is beside the sentence; which fields, depends on the error."""

    sim_id: str
    suggestions: list[str]
    reason: str
    run: str
    faults: list[Fault]
    position: int
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """The body of every answer with a status of 400 or more.

    Attributes
    ----------
    error : str
        Name of a class of :mod:`ape_jupyter.errors`.
    message : str
        A sentence for the user: what is wrong and, where possible, what to do.
    """

    error: str
    message: str
    details: Mapping[str, Any]


def status_of(error: ApeError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS_OF_ERROR[cls] for cls in type(error).__mro__ if cls in STATUS_OF_ERROR)


def error_of_status(status: int) -> type[ApeError]:
    """Return the class that stands for a status which no library call has caused."""
    return _ERROR_OF_STATUS.get(status, ApeError)


def error_body(error: ApeError) -> ErrorBody:
    """Return the body that describes ``error``."""
    details: ErrorDetails = {}
    if isinstance(error, SimulationNotFoundError):
        details["sim_id"] = error.sim_id
        details["suggestions"] = list(error.suggestions)
        details["reason"] = error.reason
    elif isinstance(error, InvalidResultsError):
        details["run"] = error.run
        details["faults"] = list(error.faults)
    elif isinstance(error, QuerySyntaxError):
        details["position"] = error.position
        details["hint"] = error.hint
    known = next(cls for cls in type(error).__mro__ if cls in STATUS_OF_ERROR)
    return ErrorBody(error=known.__name__, message=error.message, details=encode(details))


def error_from(body: ErrorBody) -> ApeError:
    """Return the error that ``body`` describes, ready to be raised.

    A class that this version does not know becomes an :class:`ApeError` with its message.
    """
    cls = _ERROR_OF_NAME.get(body.error, ApeError)
    details = body.details
    try:
        if cls is SimulationNotFoundError:
            return SimulationNotFoundError(
                decode(str, details["sim_id"]),
                decode(tuple[str, ...], details["suggestions"]),
                decode(str, details.get("reason", "")),
            )
        if cls is InvalidResultsError:
            faults = decode(tuple[Fault, ...], details["faults"], unknown="ignore")
            return InvalidResultsError(decode(str, details["run"]), faults)
        if cls is QuerySyntaxError:
            hint = decode(str, details["hint"])
            message = body.message.removesuffix(hint).strip()
            return QuerySyntaxError(message, position=decode(int, details["position"]), hint=hint)
    except (KeyError, InvalidArgumentError):
        return ApeError(body.message)
    return cls(body.message)
