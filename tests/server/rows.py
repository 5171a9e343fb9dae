"""One row for each route: how it is asked for, and what it must answer."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    headers: Mapping[str, str] = field(default_factory=dict)


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


def _suggestion(context: Context) -> str:
    library, sim_id = context.app.access.library(), context.sim_ids[1]
    library.unpin(sim_id)
    for _ in range(6):
        library.evict(sim_id)
        library.open_tables(sim_id)
    (suggestion,) = library.get_optimization_suggestions({})
    return suggestion.suggestion_id


def _watch(context: Context) -> str:
    folder = context.runs[0].parent
    return context.app.access.library().watch(folder, settle_seconds=3600).watch_id


def _tagged(context: Context) -> str:
    context.app.access.library().add_tag(context.sim_ids[1], "in use")
    return "in use"


def _change(context: Context) -> int:
    library = context.app.access.library()
    library.remove_tag(context.sim_ids[1], "in use")
    return library.change_tags(["in use"], sim_ids=context.sim_ids[1:]).change


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
    ("GET", "performance"): Row("read", 200, lambda c: Request("performance")),
    ("GET", "performance/suggestions"): Row(
        "read", 200, lambda c: Request("performance/suggestions")
    ),
    ("POST", "performance/suggestions/{suggestion_id}/apply"): Row(
        "write",
        200,
        lambda c: Request(f"performance/suggestions/{_suggestion(c)}/apply", b""),
    ),
    ("GET", "tags"): Row("read", 200, lambda c: Request("tags")),
    ("POST", "tags"): Row(
        "write",
        200,
        lambda c: Request("tags", _json({"sim_ids": [c.sim_ids[1]], "add": ["x"], "remove": []})),
    ),
    ("POST", "tags/bulk"): Row(
        "write", 200, lambda c: Request("tags/bulk", _json({"add": ["x"], "query": "tag:y"}))
    ),
    ("POST", "tags/rename"): Row(
        "write",
        200,
        lambda c: Request("tags/rename", _json({"old": _tagged(c), "new": "in use"})),
    ),
    ("POST", "tags/merge"): Row(
        "write",
        200,
        lambda c: Request("tags/merge", _json({"sources": [_tagged(c)], "into": "other"})),
    ),
    ("POST", "tags/colour"): Row(
        "write",
        200,
        lambda c: Request("tags/colour", _json({"tag": _tagged(c), "colour": "#00ff00"})),
    ),
    ("POST", "tags/undo"): Row(
        "write", 200, lambda c: Request("tags/undo", _json({"change": _change(c)}))
    ),
    ("PATCH", "simulations/{sim_id}"): Row(
        "write",
        200,
        lambda c: Request(
            f"simulations/{c.sim_ids[1]}", _json({"notes": "x"}), headers={"If-Match": "*"}
        ),
    ),
    ("POST", "transactions"): Row(
        "write",
        200,
        lambda c: Request(
            "transactions",
            _json({"operations": [{"set_tags": {"sim_id": c.sim_ids[1], "add": ["x"]}}]}),
            headers={"Idempotency-Key": uuid.uuid4().hex},
        ),
    ),
    ("POST", "transactions/rollback"): Row(
        "write",
        204,
        lambda c: Request(
            "transactions/rollback", _json({"n_operations": 1, "reason": "KeyError"})
        ),
    ),
    ("POST", "trash/purge"): Row("write", 200, lambda c: Request("trash/purge", _json({}))),
    ("GET", "events"): Row(
        "read", 200, lambda c: Request("events", query="types=tags_changed&limit=2")
    ),
    # Whoever is let in hears that this is no request for a WebSocket.
    ("GET", "events/stream"): Row("read", 400, lambda c: Request("events/stream")),
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
    ("GET", "imports"): Row("read", 200, lambda c: Request("imports")),
    ("GET", "imports/{job_id}"): Row("read", 200, lambda c: Request(f"imports/{_job(c)}")),
    ("DELETE", "imports/{job_id}"): Row("write", 200, lambda c: Request(f"imports/{_job(c)}")),
    ("POST", "verification"): Row(
        "write", 200, lambda c: Request("verification", _json({"fast": True}))
    ),
    ("GET", "watches"): Row("read", 200, lambda c: Request("watches")),
    ("POST", "watches"): Row(
        "write",
        201,
        lambda c: Request(
            "watches", _json({"folder": str(c.runs[0].parent), "settle_seconds": 3600})
        ),
    ),
    ("GET", "watches/{watch_id}"): Row("read", 200, lambda c: Request(f"watches/{_watch(c)}")),
    ("DELETE", "watches/{watch_id}"): Row("write", 200, lambda c: Request(f"watches/{_watch(c)}")),
    ("POST", "packages"): Row(
        "write", 200, lambda c: Request("packages", c.package, "application/zip", "tags=a&tags=b")
    ),
}
