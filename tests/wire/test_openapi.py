from __future__ import annotations

import json
import subprocess
import sys

from openapi_spec_validator import validate

from ape_jupyter.wire.openapi import openapi_document


def test_document_is_valid():
    validate(openapi_document())


def test_it_is_printed():
    printed = subprocess.run(
        [sys.executable, "-m", "ape_jupyter.wire.openapi"], capture_output=True, check=True
    )
    assert json.loads(printed.stdout) == openapi_document()
    assert not printed.stderr


def test_requests_may_leave_out_what_has_a_default_answers_not():
    schemas = openapi_document()["components"]["schemas"]
    assert schemas["ComparisonOrder"]["required"] == ["sim_ids"]
    assert schemas["TagChange"]["additionalProperties"] is False
    for name in ("ImportOutcome", "SimulationMetadata", "Job", "Health"):
        assert set(schemas[name]["required"]) == set(schemas[name]["properties"])
    assert schemas["SimulationMetadata"]["properties"]["seed"] == {"type": ["integer", "null"]}


def test_every_operation_has_a_name_of_its_own():
    paths = openapi_document()["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(set(names)) == len(names)
