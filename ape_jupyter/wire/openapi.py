"""The OpenAPI 3.1 document of the server extension, built from dataclasses and routes.

``python -m ape_jupyter.wire.openapi`` prints it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import types
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from ape_jupyter.model.metrics import DEFINED_METRICS
from ape_jupyter.model.version import package_version
from ape_jupyter.wire.encoding import type_hints
from ape_jupyter.wire.errors import STATUS_OF_ERROR, ErrorBody, ErrorDetails
from ape_jupyter.wire.routes import ROUTES, Route
from ape_jupyter.wire.version import API_PATH, API_VERSION

__all__ = ["openapi_document"]

JSONObject = dict[str, Any]

_SCALARS: dict[Any, JSONObject] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "format": "date-time"},
}

_REASONS = {
    101: "The connection is a WebSocket from here on.",
    200: "Done.",
    201: "Registered.",
    202: "Started.",
    204: "Done; there is nothing to say.",
    304: "Nothing changed since the ETag.",
    400: "The request can not be understood.",
    401: "The kernel's signature was refused.",
    403: "Not logged in, not allowed, or without the XSRF token.",
    404: "There is no such thing in this library.",
    409: "It can not be done as things stand.",
    410: "The stored bytes are damaged.",
    412: "The run has changed; the details hold both versions.",
    413: "The body is larger than this server accepts.",
    422: "The results have faults; all of them are listed.",
    428: "If-Match is missing.",
    503: "The library can not be used now; the message says why.",
    507: "The disk is full.",
}


class _Schemas:
    """Collects a component schema for every class it meets."""

    def __init__(self) -> None:
        self.components: dict[str, JSONObject] = {}

    def of(self, hint: Any, *, request: bool = False) -> JSONObject:
        """Return the schema of a type: inline, or a reference to its component.

        In requests, fields with defaults may be left out; answers have all fields.
        """
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any:
            return {}
        if origin in (Union, types.UnionType):
            return self._union(arguments, request)
        if origin in (tuple, list):
            return {"type": "array", "items": self.of(arguments[0], request=request)}
        if origin in (dict, Mapping):
            return {
                "type": "object",
                "additionalProperties": self.of(arguments[1], request=request) or True,
            }
        if hint in _SCALARS:
            return dict(_SCALARS[hint])
        if hint.__name__ not in self.components:
            self.components[hint.__name__] = {}  # breaks the circle of a class within itself
            self.components[hint.__name__] = self._component(hint, request)
        return {"$ref": f"#/components/schemas/{hint.__name__}"}

    def _union(self, options: tuple[Any, ...], request: bool) -> JSONObject:
        schemas = [
            {"type": "null"} if option is type(None) else self.of(option, request=request)
            for option in options
        ]
        if all(set(schema) == {"type"} for schema in schemas):
            return {"type": [schema["type"] for schema in schemas]}
        return {"anyOf": schemas}

    def _component(self, cls: Any, request: bool) -> JSONObject:
        schema: JSONObject = {"description": _summary(cls)}
        if issubclass(cls, Enum):
            return {**schema, "type": "string", "enum": [member.value for member in cls]}
        if is_typeddict(cls):
            hints, required = get_type_hints(cls), sorted(cls.__required_keys__)
        else:
            hints = type_hints(cls)
            required = [
                field.name
                for field in dataclasses.fields(cls)
                if not request or field.default is field.default_factory is dataclasses.MISSING
            ]
        explained = _attributes(cls)
        properties: dict[str, JSONObject] = {}
        for name, hint in hints.items():
            properties[name] = self.of(hint, request=request)
            if name in explained:
                properties[name]["description"] = explained[name]
        schema.update(type="object", properties=properties)
        if required:
            schema["required"] = required
        if request:
            schema["additionalProperties"] = False
        return schema


def openapi_document(server_url: str = f"/{API_PATH}") -> JSONObject:
    """Return the document; ``server_url`` is where its paths begin."""
    schemas = _Schemas()
    paths: dict[str, JSONObject] = {}
    for route in ROUTES:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route, schemas)
    schemas.of(ErrorDetails)
    _refine(schemas.components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ape-jupyter",
            "version": package_version(),
            "description": f"A Jupyter server's library of simulation runs, API {API_VERSION}.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": server_url}],
        "security": [{"token": []}, {"cookie": [], "xsrf": []}, {"kernel": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": _SECURITY,
        },
    }


_SECURITY: JSONObject = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`token <the Jupyter server's token>`",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "username",
        "description": "The Jupyter server's login cookie; its name carries the server's port.",
    },
    "xsrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-XSRFToken",
        "description": "The value of the `_xsrf` cookie; needed with the cookie to change things.",
    },
    "kernel": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`ApeKernel …`: a signature with the key of a kernel of this server.",
    },
}


def _operation(route: Route, schemas: _Schemas) -> JSONObject:
    operation: JSONObject = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {},
    }
    parameters: list[JSONObject] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    parameters += [
        {
            "name": parameter.name,
            "in": "query",
            "required": False,
            "description": parameter.description,
            "schema": parameter.schema,
        }
        for parameter in route.parameters
    ]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        schema = schemas.of(route.body, request=True)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    elif route.body_media_type is not None:
        operation["requestBody"] = {"required": True, "content": {route.body_media_type: {}}}
    for status, answer in route.answers.items():
        operation["responses"][str(status)] = _answer(status, answer, schemas)
    for status in sorted({*route.errors, 401, 403, 503}):
        operation["responses"][str(status)] = _answer(status, ErrorBody, schemas)
    return operation


_PATH_PARAMETERS = {
    "sim_id": "Id of the run, or a name or prefix that only one run has.",
    "table": "Name of a table as given by opening the run.",
    "job_id": "Id that starting the import gave.",
    "suggestion_id": "Id as the list of suggestions gives it.",
    "name": "Name of one of the user's saved searches.",
    "watch_id": "Id of the folder as given by following it, or by the list.",
}


def _answer(status: int, answer: Any, schemas: _Schemas) -> JSONObject:
    response: JSONObject = {"description": _REASONS[status]}
    if isinstance(answer, str):
        response["content"] = {answer: {}}
    elif answer is not None:
        response["content"] = {"application/json": {"schema": schemas.of(answer)}}
    return response


def _refine(components: dict[str, JSONObject]) -> None:
    """Say what annotations can not: the vocabularies that are tables, not enumerations."""
    body = components["ErrorBody"]["properties"]
    body["error"]["enum"] = sorted(cls.__name__ for cls in STATUS_OF_ERROR)
    body["details"] = {"$ref": "#/components/schemas/ErrorDetails"}
    components["Health"]["properties"]["status"]["const"] = "ok"
    order = components["ComparisonOrder"]["properties"]
    order["sim_ids"]["minItems"] = 2
    order["metrics"] = {
        "anyOf": [
            {
                "type": "array",
                "items": {"type": "string", "examples": ["all", *DEFINED_METRICS]},
            },
            {"type": "null"},
        ],
        "description": order["metrics"]["description"],
    }


def _summary(cls: Any) -> str:
    return re.sub(r"\s+", " ", (cls.__doc__ or "").strip().split("\n\n")[0]).strip()


def _attributes(cls: Any) -> dict[str, str]:
    """Return the descriptions under "Attributes" of a numpydoc docstring."""
    _, _, section = (cls.__doc__ or "").partition("Attributes\n    ----------\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if heading := re.fullmatch(r"    (\w+(?:, \w+)*) : .*", line):
            names = heading[1].split(", ")
        elif line.startswith("        ") and names:
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return {name: re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text) for name, text in found.items()}


if __name__ == "__main__":
    json.dump(openapi_document(), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
