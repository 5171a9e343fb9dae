from __future__ import annotations

import inspect

import pytest

from ape_jupyter import errors
from ape_jupyter.wire.encoding import decode_json, dumps
from ape_jupyter.wire.errors import (
    STATUS_OF_ERROR,
    ErrorBody,
    error_body,
    error_from,
    status_of,
)

CLASSES = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, errors.ApeError)
]

EXAMPLES = [
    errors.SimulationNotFoundError("x", ["xy", "xz"]),
    errors.SimulationNotFoundError("sim", ["a"], "'sim' means more than one run."),
    errors.InvalidResultsError(
        "run 1", [errors.Fault("visits", "is bad", "vision", 3), errors.Fault("a", "is missing")]
    ),
    errors.QuerySyntaxError("Unexpected end.", position=7, hint="Close the quote."),
    *(
        cls(f"A sentence of {cls.__name__}.")
        for cls in CLASSES
        if cls
        not in {errors.SimulationNotFoundError, errors.InvalidResultsError, errors.QuerySyntaxError}
    ),
]


def test_every_error_has_a_status():
    assert set(STATUS_OF_ERROR) == set(CLASSES)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_there_and_back(error):
    body = decode_json(ErrorBody, dumps(error_body(error)))
    back = error_from(body)
    assert type(back) is type(error)
    assert str(back) == str(error) == body.message
    assert vars(back) == vars(error)


def test_a_subclass_is_sent_as_the_class_that_is_known():
    class OwnError(errors.ConflictError):
        pass

    assert error_body(OwnError("x")).error == "ConflictError"
    assert status_of(OwnError("x")) == 409


@pytest.mark.parametrize("name", ["FutureError", "SimulationNotFoundError", "InvalidResultsError"])
def test_what_is_not_understood_keeps_its_message(name):
    error = error_from(ErrorBody(error=name, message="Something.", details={}))
    assert type(error) is errors.ApeError
    assert str(error) == "Something."
