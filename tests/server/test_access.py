"""Who may do what: every route against every identity."""

from __future__ import annotations

import time

import pytest
from jupyter_server.auth import Authorizer
from openapi_schema_validator import OAS31Validator
from tornado.web import RequestHandler

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.wire.openapi import openapi_document
from ape_jupyter.wire.routes import ROUTES
from ape_jupyter.wire.signing import KernelCredential, body_digest, sign

from .conftest import body_of
from .rows import ROWS, Context

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class RecordingAuthorizer(Authorizer):
    """Allows some actions, and remembers what it was asked."""

    def __init__(self, allowed=(), **kwargs):
        super().__init__(**kwargs)
        self.allowed = set(allowed)
        self.asked = []

    def is_authorized(self, handler, user, action, resource):
        self.asked.append((action, resource))
        return action in self.allowed


def registered_routes(web_app):
    """Return method and path of every route below the extension's own."""
    found = set()
    for outer in web_app.default_router.rules:
        for rule in getattr(outer.target, "rules", []):
            pattern = rule.matcher.regex.pattern
            if "ape-jupyter" not in pattern.replace("\\", ""):
                continue
            path = pattern.replace("\\", "").split("/api/v1/")[1].removesuffix("$")
            for name in ("sim_id", "table", "job_id", "suggestion_id", "watch_id", "name"):
                path = path.replace(f"(?P<{name}>[^/]+)", f"{{{name}}}")
            assert issubclass(rule.target, ApeHandler)
            for method in METHODS:
                function = getattr(rule.target, method.lower())
                if function is not getattr(RequestHandler, method.lower()):
                    found.add((method, path))
    return found


def test_every_route_has_a_row_and_is_described(jp_web_app, ape_app):
    registered = registered_routes(jp_web_app)
    assert registered == set(ROWS)
    assert registered == {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        assert ROWS[route.method, route.path].action == route.action
        statuses = {*route.answers, *(route.errors if 101 in route.answers else ())}
        assert ROWS[route.method, route.path].status in statuses


@pytest.fixture
def context(ape_app, sim_ids, example_runs, example_package):
    return Context(ape_app, sim_ids, example_runs, example_package)


@pytest.fixture
def send(http_server_client, jp_base_url, ape_app):
    async def send(method, request, headers):
        query = f"?{request.query}" if request.query else ""
        target = f"{jp_base_url}ape-jupyter/api/v1/{request.path}{query}"
        headers = {**request.headers, **headers}
        if request.body is not None:
            headers = {"Content-Type": request.content_type, **headers}
        return await http_server_client.fetch(
            target, method=method, body=request.body, headers=headers, raise_error=False
        )

    return send


@pytest.fixture
def cookies(http_server_client, jp_base_url, jp_auth_header, jp_asyncio_loop):
    """Log in like a browser: the cookies, and the XSRF token that goes with them."""

    async def log_in():
        page = await http_server_client.fetch(f"{jp_base_url}login", raise_error=False)
        me = f"{jp_base_url}api/me"
        login = await http_server_client.fetch(me, headers=jp_auth_header)
        return [*page.headers.get_list("Set-Cookie"), *login.headers.get_list("Set-Cookie")]

    parts = [header.partition(";")[0] for header in jp_asyncio_loop.run_until_complete(log_in())]
    jar = dict(part.split("=", 1) for part in parts)
    assert len(jar) == 2
    return "; ".join(f"{name}={value}" for name, value in jar.items()), jar["_xsrf"]


def signed(kernel, method, request, base_url, *, digest=None, **changes):
    query = f"?{request.query}" if request.query else ""
    target = f"{base_url}ape-jupyter/api/v1/{request.path}{query}"
    digest = digest or body_digest(request.body or b"")
    return {"Authorization": sign(kernel, method, target, digest, **changes).authorization}


@pytest.mark.parametrize(("method", "path"), list(ROWS))
async def test_route_against_identities(
    method, path, context, send, kernel, jp_web_app, jp_auth_header, cookies
):
    row = ROWS[method, path]
    cookie, xsrf = cookies
    jp_base_url = jp_web_app.settings["base_url"]
    is_safe = method == "GET"

    async def status(headers=None, *, sign_with=None, **signing):
        request = row.prepare(context)
        if sign_with is not None:
            headers = signed(sign_with, method, request, jp_base_url, **signing)
        return (await send(method, request, headers or {})).code

    found = {
        "nobody": await status(),
        "a wrong token": await status({"Authorization": "token wrong"}),
        "a token": await status(jp_auth_header),
        "a cookie": await status({"Cookie": cookie}),
        "a cookie and XSRF": await status({"Cookie": cookie, "X-XSRFToken": xsrf}),
        "a cookie and a wrong XSRF": await status({"Cookie": cookie, "X-XSRFToken": "2|a|b|1"}),
        "another site": await status({"Cookie": cookie, "Origin": "http://evil.example"}),
        "a kernel": await status(sign_with=kernel),
        "an unknown kernel": await status(sign_with=KernelCredential("other", kernel.key)),
        "a wrong key": await status(sign_with=KernelCredential("a-kernel", b"wrong")),
        "an old request": await status(sign_with=kernel, timestamp=int(time.time()) - 90),
        "a future request": await status(sign_with=kernel, timestamp=int(time.time()) + 90),
        "another body": await status(sign_with=kernel, digest=body_digest(b"other")),
        "a malformed signature": await status({"Authorization": "ApeKernel id=a-kernel"}),
        "a malformed signature with a cookie": await status(
            {"Authorization": "ApeKernel", "Cookie": cookie, "X-XSRFToken": xsrf}
        ),
    }
    ok = row.status
    assert found == {
        "nobody": 403,
        "a wrong token": 403,
        "a token": ok,
        "a cookie": ok if is_safe else 403,
        "a cookie and XSRF": ok,
        "a cookie and a wrong XSRF": ok if is_safe else 403,
        "another site": 404,
        "a kernel": ok,
        "an unknown kernel": 401,
        "a wrong key": 401,
        "an old request": 401,
        "a future request": 401,
        "another body": 401,
        "a malformed signature": 401,
        "a malformed signature with a cookie": 401,
    }

    # A signature is good for one request, and for one method and target.
    request = row.prepare(context)
    headers = signed(kernel, method, request, jp_base_url)
    assert (await send(method, request, headers)).code == ok
    assert (await send(method, row.prepare(context), headers)).code == 401
    elsewhere = signed(kernel, "PUT", request, jp_base_url)
    assert (await send(method, request, elsewhere)).code == 401

    # The authorizer is asked about this action and resource and no other, for all of them.
    for headers in (jp_auth_header, {"Cookie": cookie, "X-XSRFToken": xsrf}, None):
        for allowed in ((), ("read",), ("write",), ("read", "write")):
            request = row.prepare(context)
            authorizer = jp_web_app.settings["authorizer"] = RecordingAuthorizer(allowed)
            own = headers or signed(kernel, method, request, jp_base_url)
            code = (await send(method, request, own)).code
            assert set(authorizer.asked) == {(row.action, "ape-simulations")}
            assert code == (ok if row.action in allowed else 403)


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "reversed"])
async def test_authorizer_is_asked_the_same_in_any_order(
    turn, context, send, jp_web_app, jp_auth_header
):
    """``authorized`` without arguments would keep those of the first request it sees."""
    authorizer = jp_web_app.settings["authorizer"] = RecordingAuthorizer()
    asked = {}
    for (method, path), row in list(ROWS.items())[::turn]:
        authorizer.asked.clear()
        await send(method, row.prepare(context), jp_auth_header)
        asked[method, path] = set(authorizer.asked)
    assert asked == {key: {(row.action, "ape-simulations")} for key, row in ROWS.items()}


def test_decorators_are_on_every_method_itself(jp_web_app, ape_app):
    from ape_jupyter.server.handlers import HANDLERS

    for _, handler in HANDLERS:
        own = {name for name in map(str.lower, METHODS) if name in vars(handler)}
        assert own
        for name in own:
            # functools.wraps leaves a chain: authenticated, authorized, the method.
            first = vars(handler)[name].__wrapped__
            second = first.__wrapped__
            assert first.__code__.co_filename.endswith("auth/decorator.py")
            cells = dict(zip(first.__code__.co_freevars, first.__closure__, strict=True))
            assert cells["resource"].cell_contents == "ape-simulations"
            assert cells["action"].cell_contents in {"read", "write"}
            assert second.__name__ == name


@pytest.mark.parametrize(("method", "path"), [key for key in ROWS if key[1] != "events/stream"])
async def test_answers_are_as_described(method, path, context, send, jp_auth_header):
    document = openapi_document()
    row = ROWS[method, path]
    response = await send(method, row.prepare(context), jp_auth_header)
    assert response.code == row.status
    described = document["paths"][f"/{path}"][method.lower()]["responses"][str(row.status)]
    for kind, content in described.get("content", {}).items():
        assert response.headers["Content-Type"].startswith(kind)
        if kind == "application/json":
            validate(content["schema"], body_of(response), document)
    refused = await send(method, row.prepare(context), {"Authorization": "token wrong"})
    validate({"$ref": "#/components/schemas/ErrorBody"}, body_of(refused), document)
    for answer in (response, refused):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def validate(schema, instance, document):
    OAS31Validator({**schema, "components": document["components"]}).validate(instance)


@pytest.mark.parametrize(
    "path", ["health", "simulations", "tags", "imports/{job_id}", "memory", "events"]
)
async def test_polling_keeps_no_server_alive(path, context, send, jp_web_app, jp_auth_header):
    jp_web_app.settings.pop("api_last_activity", None)
    response = await send("GET", ROWS["GET", path].prepare(context), jp_auth_header)
    assert response.code == 200
    assert "api_last_activity" not in jp_web_app.settings


async def test_other_requests_keep_it_alive(context, send, jp_web_app, jp_auth_header):
    jp_web_app.settings.pop("api_last_activity", None)
    await send("POST", ROWS["POST", "tags"].prepare(context), jp_auth_header)
    assert "api_last_activity" in jp_web_app.settings


async def test_a_signature_opens_nothing_else(kernel, http_server_client, jp_base_url):
    for path in ("api/contents", "api/kernels", "api/me"):
        target = f"{jp_base_url}{path}"
        headers = {"Authorization": sign(kernel, "GET", target).authorization}
        response = await http_server_client.fetch(target, headers=headers, raise_error=False)
        assert response.code == 403


async def test_methods_that_do_not_exist(send, context, jp_auth_header):
    request = ROWS["POST", "comparisons"].prepare(context)
    response = await send("PUT", request, jp_auth_header)
    assert response.code == 405
    assert body_of(response)["error"] == "InvalidArgumentError"
