from __future__ import annotations

import json
import os
import stat

import pytest

from ape_jupyter.server.discovery_file import server_info
from ape_jupyter.wire.server_info import INFO_VARIABLE


def test_file_is_private_and_holds_no_token(ape_app, jp_serverapp):
    path = ape_app._discovery.path
    assert path.parent == type(path)(jp_serverapp.runtime_dir)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text("utf-8")
    assert jp_serverapp.identity_provider.token not in text
    assert json.loads(text) == {
        "url": f"http://127.0.0.1:{jp_serverapp.port}{jp_serverapp.base_url}",
        "base_url": jp_serverapp.base_url,
        "api_version": 1,
        "pid": os.getpid(),
        "certificate": None,
        "socket": None,
    }
    assert os.environ[INFO_VARIABLE] == str(path)


async def test_file_goes_with_the_server(ape_app):
    path = ape_app._discovery.path
    await ape_app.stop_extension()
    assert not path.exists()
    assert INFO_VARIABLE not in os.environ


async def test_a_variable_of_another_server_stays(ape_app, monkeypatch):
    monkeypatch.setenv(INFO_VARIABLE, "/another/servers/file.json")
    await ape_app.stop_extension()
    assert os.environ[INFO_VARIABLE] == "/another/servers/file.json"


async def test_no_file_does_not_stop_the_server(jp_serverapp, jp_fetch, monkeypatch, caplog):
    app = jp_serverapp.extension_manager.extension_points["ape_jupyter"].app

    def fail(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(app._discovery, "write", fail)
    await app._start_jupyter_server_extension(jp_serverapp)
    assert "Kernels will not find" in caplog.text
    assert (await jp_fetch("ape-jupyter", "api", "v1", "health")).code == 200


@pytest.mark.parametrize(
    ("ip", "host"),
    [
        ("", "127.0.0.1"),
        ("*", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("192.0.2.7", "192.0.2.7"),
        ("host.example", "host.example"),
    ],
)
def test_address_to_connect_to(jp_serverapp, ip, host):
    jp_serverapp.ip = ip
    assert server_info(jp_serverapp).url.startswith(f"http://{host}:{jp_serverapp.port}/")


def test_certificate_and_socket(jp_serverapp, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    jp_serverapp.certfile = "server.pem"
    info = server_info(jp_serverapp)
    assert info.url.startswith("https://")
    assert info.certificate == str(tmp_path / "server.pem")
    jp_serverapp.sock = str(tmp_path / "server.sock")
    info = server_info(jp_serverapp)
    assert info.socket == str(tmp_path / "server.sock")
    assert info.url == f"http://localhost{jp_serverapp.base_url}"
