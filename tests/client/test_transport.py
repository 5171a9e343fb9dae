"""Ways to a server, and what is said when there is none."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from ape_jupyter.client.addresses import ServerAddress, server_url
from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.demo.generator import write_package
from ape_jupyter.errors import (
    CorruptedDataError,
    InvalidArgumentError,
    InvalidResultsError,
    OperationCancelledError,
    PermissionDeniedError,
    ServerUnavailableError,
)
from ape_jupyter.testing.runs import write_example_runs
from ape_jupyter.testing.servers import running_server
from ape_jupyter.wire.messages import JobState, OpenedSimulation


@pytest.fixture
def server(tmp_path):
    with running_server(tmp_path / "server", tmp_path / "library") as server:
        yield server


@pytest.mark.parametrize(
    ("text", "url", "token"),
    [
        ("http://localhost:8888", "http://localhost:8888/", None),
        ("http://h:1/lab?token=abc", "http://h:1/", "abc"),
        ("https://h/user/me/lab/tree/a/b.ipynb?x=1#y", "https://h/user/me/", None),
        ("http://h:1/a%20b/tree?token=t", "http://h:1/a%20b/", "t"),
        ("http://h/laboratory/", "http://h/laboratory/", None),
        ("http://[::1]:8888/", "http://[::1]:8888/", None),
    ],
)
def test_addresses_as_people_copy_them(text, url, token):
    assert server_url(text) == (url, token)


@pytest.mark.parametrize("text", ["", "localhost:8888", "ftp://h/", "http://", "http://h:x/", "/"])
def test_other_addresses(text):
    with pytest.raises(InvalidArgumentError):
        RemoteLibrary(text)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (ServerAddress(url="http://127.0.0.1:1/"), True),
        (ServerAddress(url="http://[::1]:1/"), True),
        (ServerAddress(url="http://localhost/"), True),
        (ServerAddress(url="http://h/", socket="/s"), True),
        (ServerAddress(url="http://192.0.2.1/"), False),
        (ServerAddress(url="http://localhost.example/"), False),
    ],
)
def test_this_host(address, expected):
    assert address.is_on_this_host is expected


def test_a_pasted_address_with_its_token(server):
    with RemoteLibrary(f"{server.info.url}lab?token={server.token}") as library:
        assert library.health().status == "ok"
        assert server.token not in library.location
        assert server.token not in repr(library)


def test_proxies_are_for_other_hosts(server, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with RemoteLibrary(server.info.url, server.token) as library:
        assert library.health().status == "ok"


def test_a_wrong_token(server):
    with (
        RemoteLibrary(server.info.url, "wrong") as library,
        pytest.raises(PermissionDeniedError, match="token"),
    ):
        library.tags()


def test_no_server(server):
    url = server.info.url.replace(str(server.app.port), "9")
    with RemoteLibrary(url, "x") as library, pytest.raises(ServerUnavailableError) as caught:
        library.tags()
    assert url in str(caught.value)
    assert "Is it running?" in str(caught.value)
    assert isinstance(caught.value, ConnectionError)


def test_a_server_without_the_extension(server):
    url = server.info.url.replace("a%20b", "another")
    with (
        RemoteLibrary(url, server.token) as library,
        pytest.raises(ServerUnavailableError, match="jupyter server extension list"),
    ):
        library.tags()


def test_certificate_of_the_servers_own(tmp_path, make_certificate):
    certificate, key = make_certificate("server")
    options = {"certfile": certificate, "keyfile": key}
    with running_server(tmp_path / "s", tmp_path / "l", server_options=options) as server:
        assert server.info.url.startswith("https://")
        assert server.info.certificate == certificate
        with RemoteLibrary(
            server.info.url, server.token, certificate=server.info.certificate
        ) as library:
            assert library.health().status == "ok"
        other, _ = make_certificate("other")
        for trusted in (None, other):
            with (
                RemoteLibrary(server.info.url, server.token, certificate=trusted) as library,
                pytest.raises(ServerUnavailableError, match="certificate"),
            ):
                library.health()
    with pytest.raises(ServerUnavailableError, match="can not be read"):
        RemoteLibrary(server.info.url, certificate=str(tmp_path / "nothing.pem"))


def test_unix_socket(tmp_path_factory, tmp_path):
    path = tmp_path_factory.mktemp("s") / "s"
    options = {"sock": str(path)}
    with running_server(tmp_path / "s", tmp_path / "l", server_options=options) as server:
        info = server.info
        assert info.socket == str(path)
        with RemoteLibrary(info.url, server.token, socket=info.socket) as library:
            assert library.health().status == "ok"


class _Answer(http.server.BaseHTTPRequestHandler):
    answer = (200, "application/json", b"{}")

    def do_GET(self):
        status, kind, body = self.answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("answer", "error", "part"),
    [
        ((200, "application/json", b"{}"), ServerUnavailableError, "same version"),
        ((200, "text/html", b"<html>"), ServerUnavailableError, "same version"),
        ((302, "text/html", b""), ServerUnavailableError, "redirection"),
        ((404, "text/html", b"<html>"), ServerUnavailableError, "has no ape-jupyter"),
        ((502, "text/html", b"<html>"), ServerUnavailableError, "502"),
        ((403, "application/json", b'{"message": "no"}'), PermissionDeniedError, "403"),
    ],
)
def test_answers_of_something_else(answer, error, part):
    handler = type("Handler", (_Answer,), {"answer": answer})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{other.server_port}"
            with RemoteLibrary(url) as library, pytest.raises(error, match=part):
                library.health()
        finally:
            other.shutdown()
            thread.join()


class TestImports:
    @pytest.fixture
    def runs(self, tmp_path):
        return write_example_runs(tmp_path / "runs")

    def test_interrupting_cancels(self, server, runs):
        jobs = server.app.extension_manager.extension_points["ape_jupyter"].app.jobs

        def interrupt(_):
            raise KeyboardInterrupt

        with RemoteLibrary(server.info.url, server.token) as library:
            with pytest.raises(KeyboardInterrupt):
                library.import_results(runs[0].parent, progress=interrupt)
            (job,) = jobs.latest()
            for _ in range(1000):
                if jobs.get(job.job_id).state is not JobState.RUNNING:
                    break
                threading.Event().wait(0.01)
        assert jobs.get(job.job_id).state in {JobState.CANCELLED, JobState.FINISHED}

    def test_cancelled_by_somebody_else(self, server, runs):
        jobs = server.app.extension_manager.extension_points["ape_jupyter"].app.jobs
        start = jobs.start
        is_cancelled = threading.Event()
        jobs._executor.submit(is_cancelled.wait, 20)

        def start_cancelled(order, user):
            job = start(order, user)
            jobs.cancel(job.job_id)
            is_cancelled.set()
            return job

        jobs.start = start_cancelled
        with (
            RemoteLibrary(server.info.url, server.token) as library,
            pytest.raises(OperationCancelledError),
        ):
            library.import_results(runs[0].parent)

    def test_a_package_goes_to_another_host_by_upload(self, server, runs, tmp_path, monkeypatch):
        package = write_package(tmp_path / "run.zip", runs[0])
        monkeypatch.setattr(ServerAddress, "is_on_this_host", False)
        with RemoteLibrary(server.info.url, server.token) as library:
            monkeypatch.setattr(Path, "is_absolute", lambda _: False)  # refuses other imports
            report = library.import_results(package, tags=["sent"])
            assert [outcome.path for outcome in report.imported] == [str(package)]
            assert report[0].tags == ("sent",)
            package.write_bytes(b"broken")
            with pytest.raises(InvalidResultsError):
                library.import_results(package)


class TestFetching:
    @pytest.fixture
    def library(self, server, tmp_path):
        fetched = tmp_path / "fetched"
        with RemoteLibrary(server.info.url, server.token, cache_directory=fetched) as library:
            library.import_results(write_example_runs(tmp_path / "runs")[0])
            yield library

    @pytest.fixture
    def elsewhere(self, monkeypatch):
        monkeypatch.setattr("ape_jupyter.client.fetched.os.access", lambda *_: False)

    def test_here_the_servers_own_files_are_mapped(self, library, tmp_path):
        library.load_simulation("quiet").load_results()
        assert not (tmp_path / "fetched").exists()

    def test_elsewhere_each_file_is_fetched_once(self, library, tmp_path, elsewhere):
        library.load_simulation("quiet").load_results()
        files = {path: path.stat() for path in (tmp_path / "fetched").rglob("*.arrow")}
        assert {path.stem for path in files} == {"patients", "visits"}
        library.load_simulation("quiet").load_results()
        assert {path: path.stat().st_ino for path in files} == {
            path: stat.st_ino for path, stat in files.items()
        }
        assert not list((tmp_path / "fetched").rglob("*.partial"))

    def test_damage_on_the_way_is_noticed(self, library, tmp_path, elsewhere, monkeypatch):
        monkeypatch.setattr("ape_jupyter.client.fetched._sha256_of", lambda _: b"other")
        with pytest.raises(CorruptedDataError, match="damaged on its way"):
            library.load_simulation("quiet").load_results()
        kept = [path for path in (tmp_path / "fetched").rglob("*") if path.is_file()]
        assert {path.parent.name for path in kept} <= {".locks"}

    def test_a_server_can_not_choose_where_files_go(self, library, tmp_path, elsewhere):
        opened = library._transport.post(OpenedSimulation, "simulations", "quiet", "open")
        evil = replace(opened, tables={"../../evil": opened.tables["visits"]})
        with pytest.raises(CorruptedDataError):
            library._tables.paths(evil)


@pytest.fixture
def make_certificate(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificates, is not installed")

    def make(name):
        certificate, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        command += ["-subj", "/CN=not-this-host.example"]
        command += ["-addext", "subjectAltName=IP:192.0.2.1"]
        command += ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        return str(certificate), str(key)

    return make
