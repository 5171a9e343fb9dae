from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ape_jupyter.client.discovery import find_own_server
from ape_jupyter.wire.encoding import dumps
from ape_jupyter.wire.server_info import ServerInfo
from ape_jupyter.wire.signing import derive_key

INFO = ServerInfo(url="http://127.0.0.1:1/", base_url="/", api_version=1, pid=4321)


@pytest.fixture
def connection_file(tmp_path):
    path = tmp_path / "kernel-1a2b.json"
    path.write_text(json.dumps({"key": "the key", "ip": "127.0.0.1"}))
    return path


@pytest.fixture
def in_kernel(tmp_path, monkeypatch, connection_file):
    """This process looks like a kernel of a server."""
    info = tmp_path / "info.json"
    info.write_text(dumps(INFO))
    monkeypatch.setenv("APE_JUPYTER_INFO", str(info))
    monkeypatch.setenv("JPY_PARENT_PID", "4321")
    app = SimpleNamespace(abs_connection_file=str(connection_file))
    kernel_app = SimpleNamespace(initialized=lambda: True, instance=lambda: app)
    module = SimpleNamespace(IPKernelApp=kernel_app)
    monkeypatch.setitem(sys.modules, "ipykernel.kernelapp", module)
    return info


def test_in_a_kernel(in_kernel):
    server = find_own_server()
    assert server.info == INFO
    assert server.credential.kernel_id == "1a2b"
    assert server.credential.key == derive_key(b"the key")


def test_a_newer_servers_file_is_read(in_kernel):
    in_kernel.write_text(json.dumps({**json.loads(dumps(INFO)), "more": 1}))
    assert find_own_server().info == INFO


def test_other_kernels_name_their_file_on_the_command_line(in_kernel, monkeypatch, connection_file):
    monkeypatch.delitem(sys.modules, "ipykernel.kernelapp")
    assert find_own_server() is None
    monkeypatch.setattr(sys, "argv", ["xpython", "-f", str(connection_file)])
    assert find_own_server().credential.kernel_id == "1a2b"


@pytest.mark.skipif(os.name == "nt", reason="there the variable is a handle")
def test_a_kernel_of_another_program(in_kernel, monkeypatch):
    """As when nbclient runs a notebook in a terminal of the server."""
    monkeypatch.setenv("JPY_PARENT_PID", "1234")
    assert find_own_server() is None


def test_a_kernel_that_does_not_know_its_parent(in_kernel, monkeypatch):
    monkeypatch.delenv("JPY_PARENT_PID")
    assert find_own_server() is not None


def test_without_the_variable(in_kernel, monkeypatch):
    monkeypatch.delenv("APE_JUPYTER_INFO")
    assert find_own_server() is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"url": 1}'])
def test_a_file_that_can_not_be_read(in_kernel, text):
    in_kernel.write_text(text)
    assert find_own_server() is None


def test_a_server_that_has_stopped(in_kernel):
    in_kernel.unlink()
    assert find_own_server() is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"key": ""}', '{"key": 1}'])
def test_a_kernel_without_a_key(in_kernel, connection_file, text):
    connection_file.write_text(text)
    assert find_own_server() is None


def test_the_client_needs_no_server():
    program = (
        "import sys; sys.modules['jupyter_server'] = sys.modules['tornado'] = None\n"
        "import ape_jupyter.client.remote, ape_jupyter.client.discovery\n"
        "print(sorted({'.'.join(name.split('.')[:2]) for name in sys.modules}))"
    )
    root = Path(__file__).parents[2]
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    ).stdout
    loaded = set(ast.literal_eval(printed))
    assert not loaded & {"ape_jupyter.server", "ape_jupyter.widgets"}
    # Each of these would make every notebook wait.
    assert not loaded & {"pandas", "scipy", "sqlalchemy", "bokeh", "ipywidgets"}
