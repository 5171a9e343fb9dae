"""Every form of library passes one suite."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ape_jupyter.client.discovery import OwnServer
from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.testing.runs import EXAMPLE_NAMES, write_example_runs
from ape_jupyter.testing.servers import running_server
from ape_jupyter.testing.suite_recording import RecordingTests
from ape_jupyter.testing.suite_results import ResultsTests
from ape_jupyter.testing.suites import LibraryFixtures, LibraryTests, TaggingTests, TagTests
from ape_jupyter.wire.signing import KernelCredential, derive_key


@pytest.fixture(scope="module")
def example_runs(tmp_path_factory):
    return write_example_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def server(tmp_path):
    with running_server(tmp_path / "server", tmp_path / "library") as server:
        yield server


class TestLocalLibrary(LibraryTests):
    @pytest.fixture
    def library(self, tmp_path):
        with LocalLibrary.open(tmp_path / "library") as library:
            yield library


class TestLocalLibraryOnPostgresql(LibraryFixtures, TagTests, TaggingTests, RecordingTests):
    @pytest.fixture
    def library(self, tmp_path, postgresql):
        with (
            postgresql.database() as url,
            LocalLibrary.open(tmp_path / "library", database=url) as library,
        ):
            yield library


class TestRemoteLibraryWithToken(LibraryTests):
    @pytest.fixture
    def library(self, server):
        with RemoteLibrary(server.info.url, server.token) as library:
            yield library


class TestRemoteLibraryOfKernel(LibraryTests):
    @pytest.fixture
    def library(self, server):
        async def is_alive():
            return True

        session = SimpleNamespace(key=b"a kernel's key")
        kernel = SimpleNamespace(session=session, is_alive=is_alive)
        server.app.kernel_manager._kernels["a-kernel"] = kernel
        credential = KernelCredential("a-kernel", derive_key(session.key))
        with RemoteLibrary.of_kernel(OwnServer(server.info, credential)) as library:
            yield library
        del server.app.kernel_manager._kernels["a-kernel"]


class TestRemoteLibraryOnAnotherHost(LibraryFixtures, ResultsTests):
    """The server's files are not there: tables are fetched."""

    @pytest.fixture
    def library(self, server, tmp_path, monkeypatch):
        monkeypatch.setattr("ape_jupyter.client.fetched.os.access", lambda *_: False)
        cache = tmp_path / "fetched"
        with RemoteLibrary(server.info.url, server.token, cache_directory=cache) as library:
            yield library


@pytest.mark.parametrize("kind", ["overlay", "statistical"])
@pytest.mark.parametrize("alignment", ["absolute", "relative", "normalized"])
def test_forms_compare_alike(server, tmp_path, example_runs, kind, alignment):
    with RemoteLibrary(server.info.url, server.token) as remote:
        remote.import_results(example_runs[0].parent)
        found = remote.compare_simulations(EXAMPLE_NAMES, kind, "all", alignment)
    with LocalLibrary.open(tmp_path / "library") as local:
        expected = local.compare_simulations(EXAMPLE_NAMES, kind, "all", alignment)
    assert found.request == expected.request
    assert found.runs == expected.runs
    for name in ("metrics", "missing", "notes", "provenance"):
        assert getattr(found, name) == getattr(expected, name)
    for name in ("series", "differences", "tests", "protocol_diff"):
        one, other = getattr(found, name), getattr(expected, name)
        assert one.schema == other.schema
        assert repr(one.to_pylist()) == repr(other.to_pylist())  # NaN is not equal to NaN


class TestRemoteLibraryWithoutSharedFiles(LibraryFixtures, ResultsTests):
    """The server shares no files: tables are fetched, on the same host, too."""

    @pytest.fixture
    def library(self, tmp_path):
        options = {"shared_cache": False}
        cache = tmp_path / "fetched"
        server = running_server(tmp_path / "server", tmp_path / "library", app_options=options)
        with (
            server as running,
            RemoteLibrary(running.info.url, running.token, cache_directory=cache) as library,
        ):
            yield library

    def test_the_kernels_own_files_are_mapped(self, filled, tmp_path):
        filled.load_simulation(EXAMPLE_NAMES[0], load_data=True)
        assert list((tmp_path / "fetched").glob("*/visits.arrow"))
