from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

# Imported here and not as a plugin: its automatic fixtures make a server for every test.
from pytest_jupyter.jupyter_server import *  # noqa: F403

from ape_jupyter.demo.generator import write_package
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.server.app import ApeJupyterApp
from ape_jupyter.testing.runs import write_example_runs
from ape_jupyter.wire.signing import KernelCredential, derive_key

API = ("ape-jupyter", "api", "v1")


@pytest.fixture(scope="session")
def example_runs(tmp_path_factory) -> list[Path]:
    return write_example_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def example_package(tmp_path_factory, example_runs) -> bytes:
    path = tmp_path_factory.mktemp("package") / "run.zip"
    return write_package(path, example_runs[0]).read_bytes()


@pytest.fixture(scope="session")
def example_library(tmp_path_factory, example_runs) -> Path:
    """A library with the example runs, to be copied and never opened."""
    directory = tmp_path_factory.mktemp("example") / "library"
    with LocalLibrary.open(directory) as library:
        library.import_results(example_runs[0].parent, user="someone")
    return directory


@pytest.fixture
def library_directory(tmp_path, example_library) -> Path:
    directory = tmp_path / "library"
    shutil.copytree(example_library, directory)
    return directory


@pytest.fixture
def app_options() -> dict[str, object]:
    """Traits of the extension; tests override it."""
    return {}


@pytest.fixture
def jp_server_config(library_directory, app_options):
    # Token and XSRF stay on, and nothing is open without a login.
    return {
        "ServerApp": {
            # pytest-jupyter would switch the other one on, which warns.
            "jpserver_extensions": {"ape_jupyter": True, "jupyter_server_terminals": False},
            "allow_unauthenticated_access": False,
        },
        "ApeJupyterApp": {"library": str(library_directory), **app_options},
    }


@pytest.fixture
def ape_app(jp_serverapp, jp_asyncio_loop) -> ApeJupyterApp:
    app = jp_serverapp.extension_manager.extension_points["ape_jupyter"].app
    jp_asyncio_loop.run_until_complete(app._start_jupyter_server_extension(jp_serverapp))
    return app


@pytest.fixture
def sim_ids(example_runs) -> list[str]:
    return [run.name for run in example_runs]


@pytest.fixture
def fetch(jp_fetch, ape_app):
    """Fetch a path of the API with the token; returns the response whatever its status."""

    async def fetch(*path, headers=None, **options):
        if "json" in options:
            options["body"] = json.dumps(options.pop("json"))
            options.setdefault("method", "POST")
        if options.get("method") == "POST":
            options.setdefault("body", "")
        return await jp_fetch(*API, *path, headers=headers, raise_error=False, **options)

    return fetch


@pytest.fixture
def kernel(jp_serverapp, ape_app) -> KernelCredential:
    """The credential of a kernel that the server believes it runs."""

    async def is_alive():
        return True

    session = SimpleNamespace(key=b"the key in the connection file")
    kernels = jp_serverapp.kernel_manager._kernels
    kernels["a-kernel"] = SimpleNamespace(session=session, is_alive=is_alive)
    yield KernelCredential("a-kernel", derive_key(session.key))
    del kernels["a-kernel"]


def body_of(response):
    return json.loads(response.body)
