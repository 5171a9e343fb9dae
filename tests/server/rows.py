"""One row for each route: how it is asked for, and what it must answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ape_jupyter.wire.messages import ImportOrder


@dataclass(frozen=True)
class Context:
    """What a row needs to know of the server it is asked of."""

    app: Any
    sim_ids: list[str]
    runs: list[Any]
    package: bytes


@dataclass(frozen=True)
class Request:
    path: str
    body: bytes | None = None
    content_type: str = "application/json"
    query: str = ""


@dataclass(frozen=True)
class Row:
    action: str
    status: int
    prepare: Callable[[Context], Request]


def _job(context: Context) -> str:
    return context.app.jobs.start(ImportOrder(path="/nowhere/at/all")).job_id


def _restored(context: Context) -> str:
    context.app.access.library().restore(context.sim_ids[0])
    return context.sim_ids[0]


def _deleted(context: Context) -> str:
    library = context.app.access.library()
    library.restore(context.sim_ids[0])
    library.delete(context.sim_ids[0])
    return context.sim_ids[0]


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


ROWS: dict[tuple[str, str], Row] = {
    ("GET", "health"): Row("read", 200, lambda c: Request("health")),
    ("GET", "openapi.json"): Row("read", 200, lambda c: Request("openapi.json")),
    ("GET", "simulations"): Row(
        "read",
        200,
        lambda c: Request("simulations", query="query=e&filter=has_costs:true&limit=2"),
    ),
    ("GET", "simulations/{sim_id}"): Row(
        "read", 200, lambda c: Request(f"simulations/{c.sim_ids[1]}")
    ),
    ("DELETE", "simulations/{sim_id}"): Row(
        "write", 200, lambda c: Request(f"simulations/{_restored(c)}")
    ),
    ("POST", "simulations/{sim_id}/restore"): Row(
        "write", 200, lambda c: Request(f"simulations/{_deleted(c)}/restore", b"")
    ),
    ("GET", "simulations/{sim_id}/documents"): Row(
        "read", 200, lambda c: Request(f"simulations/{c.sim_ids[1]}/documents")
    ),
    ("POST", "simulations/{sim_id}/open"): Row(
        "read", 200, lambda c: Request(f"simulations/{c.sim_ids[1]}/open", b"")
    ),
    ("GET", "simulations/{sim_id}/tables/{table}"): Row(
        "read", 200, lambda c: Request(f"simulations/{c.sim_ids[1]}/tables/patients")
    ),
    ("POST", "simulations/{sim_id}/pin"): Row(
        "write", 200, lambda c: Request(f"simulations/{c.sim_ids[2]}/pin", b"")
    ),
    ("DELETE", "simulations/{sim_id}/pin"): Row(
        "write", 200, lambda c: Request(f"simulations/{c.sim_ids[2]}/pin")
    ),
    ("POST", "simulations/{sim_id}/evict"): Row(
        "write", 200, lambda c: Request(f"simulations/{c.sim_ids[1]}/evict", b"")
    ),
    ("GET", "memory"): Row("read", 200, lambda c: Request("memory")),
    ("POST", "memory/optimize"): Row(
        "write", 200, lambda c: Request("memory/optimize", _json({"idle_for": 0}))
    ),
    ("GET", "tags"): Row("read", 200, lambda c: Request("tags")),
    ("POST", "tags"): Row(
        "write",
        200,
        lambda c: Request("tags", _json({"sim_ids": [c.sim_ids[1]], "add": ["x"], "remove": []})),
    ),
    ("POST", "comparisons"): Row(
        "read",
        200,
        lambda c: Request(
            "comparisons",
            _json({"sim_ids": c.sim_ids[1:], "comparison_type": "difference"}),
        ),
    ),
    ("POST", "imports"): Row(
        "write", 202, lambda c: Request("imports", _json({"path": str(c.runs[1]), "tags": []}))
    ),
    ("GET", "imports/{job_id}"): Row("read", 200, lambda c: Request(f"imports/{_job(c)}")),
    ("DELETE", "imports/{job_id}"): Row("write", 200, lambda c: Request(f"imports/{_job(c)}")),
    ("POST", "verification"): Row(
        "write", 200, lambda c: Request("verification", _json({"fast": True}))
    ),
    ("POST", "packages"): Row(
        "write", 200, lambda c: Request("packages", c.package, "application/zip", "tags=a&tags=b")
    ),
}
