"""Uploads: what goes in, what is refused, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import stat
import zipfile

import pytest
from tornado.iostream import StreamClosedError
from tornado.simple_httpclient import HTTPStreamClosedError

from ape_jupyter.errors import OutOfSpaceError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.server.handlers import packages

from .conftest import API, body_of

ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
def staging(library_directory):
    return library_directory / "staging"


async def is_empty(directory):
    """The staged file is removed in a thread, after the answer."""
    for _ in range(200):
        if not list(directory.iterdir()):
            return True
        await asyncio.sleep(0.02)
    return False


async def upload(fetch, body, **options):
    return await fetch("packages", method="POST", body=body, headers=dict(ZIP), **options)


class TestEmptyLibrary:
    @pytest.fixture
    def library_directory(self, tmp_path):
        return tmp_path / "library"

    async def test_upload(self, fetch, example_package, staging):
        options = {"params": [("tags", "a"), ("tags", "b c")]}
        response = await upload(fetch, example_package, **options)
        assert response.code == 201
        outcome = body_of(response)
        assert outcome["status"] == "imported"
        assert outcome["metadata"]["tags"] == ["a", "b c"]
        assert await is_empty(staging)
        again = await upload(fetch, example_package)
        assert again.code == 200
        assert body_of(again)["status"] == "already_there"
        assert await is_empty(staging)

    async def test_names_in_the_package_lead_nowhere(
        self, fetch, example_package, staging, tmp_path
    ):
        source = zipfile.ZipFile(io.BytesIO(example_package))
        evil = io.BytesIO()
        with zipfile.ZipFile(evil, "w") as package:
            for name in source.namelist():
                package.writestr(name, source.read(name))
            package.writestr("../../escaped", b"x")
            package.writestr("/escaped", b"x")
            package.writestr("data/../../escaped", b"x")
        before = {path for path in tmp_path.rglob("*") if "library" not in path.parts}
        response = await upload(fetch, evil.getvalue())
        assert response.code in {201, 422}
        after = {path for path in tmp_path.rglob("*") if "library" not in path.parts}
        assert not {path for path in after - before if "escaped" in path.name}
        assert not os.path.exists("/escaped")  # noqa: PTH110, ASYNC240
        assert not list(tmp_path.rglob("escaped"))
        assert await is_empty(staging)


@pytest.mark.parametrize("body", [b"not a zip", b"PK\x05\x06" + b"\0" * 18, b"\0" * 3_000_000])
async def test_refuses_what_is_no_package(fetch, body, staging):
    response = await upload(fetch, body)
    assert response.code == 422
    assert body_of(response)["error"] == "InvalidResultsError"
    assert body_of(response)["details"]["faults"]
    assert b"upload-" not in response.body
    assert await is_empty(staging)


async def test_refuses_a_package_with_another_checksum(fetch, example_package, staging):
    source = zipfile.ZipFile(io.BytesIO(example_package))
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w") as package:
        for name in source.namelist():
            content = source.read(name)
            package.writestr(name, content + b"\n" * name.endswith(".yaml"))
    response = await upload(fetch, changed.getvalue())
    assert response.code == 422
    assert any(fault["file"] == "protocol.yaml" for fault in body_of(response)["details"]["faults"])
    assert await is_empty(staging)


async def test_refuses_nothing_and_other_types(fetch, staging):
    assert (await upload(fetch, b"")).code == 400
    response = await fetch(
        "packages", method="POST", body=b"x", headers={"Content-Type": "text/html"}
    )
    assert response.code == 415
    assert await is_empty(staging)


class TestLimit:
    @pytest.fixture
    def app_options(self):
        return {"max_upload_mb": 1}

    async def test_refuses_by_the_length_that_is_announced(self, fetch, staging):
        response = await upload(fetch, b"x" * 1_000_001)
        assert response.code == 413
        assert "1 MB" in body_of(response)["message"]
        assert await is_empty(staging)

    async def test_ends_a_stream_that_grows_too_long(self, fetch, staging):
        async def produce(write):
            for _ in range(30):
                await write(b"x" * 100_000)

        # The server answers with 400 and closes; the client may notice only that.
        with contextlib.suppress(StreamClosedError, HTTPStreamClosedError, OSError):
            response = await fetch(
                "packages", method="POST", body_producer=produce, body=None, headers=dict(ZIP)
            )
            assert response.code in {400, 599}
        assert await is_empty(staging)
        assert (await fetch("health")).code == 200


async def test_nothing_is_stored_for_strangers(fetch, staging, monkeypatch):
    staged = []
    monkeypatch.setattr(packages, "_StagedFile", staged.append)
    response = await fetch(
        "packages", method="POST", body=b"x" * 2_000_000, headers={"Authorization": "token wrong"}
    )
    assert response.code == 403
    assert not staged


async def test_staged_file_is_private_and_removed_when_broken_off(
    fetch, staging, http_server_port, jp_base_url, jp_auth_header
):
    _, writer = await asyncio.open_connection("127.0.0.1", http_server_port[1])
    path = jp_base_url + "/".join((*API, "packages"))
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/zip\r\n"
        f"Authorization: {jp_auth_header['Authorization']}\r\n"
        f"Content-Length: 5000000\r\n\r\n".encode()
    )
    writer.write(b"x" * 2_500_000)
    await writer.drain()
    for _ in range(200):
        files = list(staging.glob("upload-*"))
        if files and files[0].stat().st_size > 1_000_000:
            break
        await asyncio.sleep(0.02)
    (file,) = files
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    writer.close()
    assert await is_empty(staging)


async def test_the_length_alone_is_refused(fetch, http_server_port, jp_base_url, jp_auth_header):
    reader, writer = await asyncio.open_connection("127.0.0.1", http_server_port[1])
    path = jp_base_url + "/".join((*API, "packages"))
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/zip\r\n"
        f"Authorization: {jp_auth_header['Authorization']}\r\n"
        f"Content-Length: 9000000000\r\n\r\n".encode()
    )
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 10)
    assert b"413" in answer
    writer.close()


async def test_a_full_disk_is_told(fetch, staging, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packages._StagedFile, "write", full)
    response = await upload(fetch, b"x" * 3_000_000)
    assert response.code == 507
    assert body_of(response)["error"] == OutOfSpaceError.__name__
    assert await is_empty(staging)


async def test_what_a_killed_server_left_is_removed(staging, library_directory, ape_app):
    old, new = staging / "upload-old.zip", staging / "upload-new.zip"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    ape_app.access._discard_stale_uploads()
    assert not old.exists()
    assert new.exists()
    assert LocalLibrary.open(library_directory).get_all_metadata().total == 3
