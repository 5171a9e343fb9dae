"""Real kernels of a real server."""

from __future__ import annotations

import asyncio
import json
import os
import textwrap
from pathlib import Path

import pytest

import ape_jupyter
from ape_jupyter.client.discovery import OwnServer
from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.errors import PermissionDeniedError
from ape_jupyter.server.discovery_file import server_info
from ape_jupyter.wire.signing import KernelCredential, derive_key

PROGRAM = """
    import json, os, sys
    from ape_jupyter.client.discovery import find_own_server
    from ape_jupyter.client.remote import RemoteLibrary

    server = find_own_server()
    library = RemoteLibrary.of_kernel(server)
    data = library.load_simulation("quiet-harbour")
    results = data.load_results()
    print(json.dumps({
        "location": library.location,
        "visits": results.visits.num_rows,
        "tagged": library.add_tag("quiet-harbour", "from a kernel").tags,
        "registered": library.register(results.patients, results.visits, name="copy").name,
        "environment": dict(os.environ),
        "loaded": [name for name in ("jupyter_server", "tornado.web") if name in sys.modules],
    }))
"""


async def run_in_kernel(manager, program):
    """Return what a program prints in a kernel."""
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        printed = []

        def output(message):
            if message["header"]["msg_type"] == "stream":
                printed.append(message["content"]["text"])
            elif message["header"]["msg_type"] == "error":
                printed.append("\n".join(message["content"]["traceback"]))

        await client.execute_interactive(
            textwrap.dedent(program), output_hook=output, timeout=60, allow_stdin=False
        )
        return "".join(printed)
    finally:
        client.stop_channels()


@pytest.fixture
def start_kernel(jp_fetch, ape_app, jp_serverapp, jp_asyncio_loop, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(ape_jupyter.__file__).parents[1]))
    started = []

    async def start_kernel():
        response = await jp_fetch(
            "api", "kernels", method="POST", body=json.dumps({"name": "python3"})
        )
        started.append(json.loads(response.body)["id"])
        return started[-1]

    yield start_kernel

    async def stop():
        for kernel_id in started:
            if kernel_id in jp_serverapp.kernel_manager:
                await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)

    jp_asyncio_loop.run_until_complete(stop())


async def test_a_kernel_uses_its_own_servers_library(
    start_kernel, jp_serverapp, ape_app, library_directory
):
    kernel_id = await start_kernel()
    manager = jp_serverapp.kernel_manager.get_kernel(kernel_id)
    printed = await run_in_kernel(manager, PROGRAM)
    answer = json.loads(printed)
    library = ape_app.access.library()
    assert answer["location"].endswith(jp_serverapp.base_url)
    assert answer["visits"] == library.get_metadata("quiet-harbour").n_visits
    assert answer["tagged"] == ["from a kernel"]
    assert answer["registered"] == "copy"
    assert not set(answer["loaded"]) & {"jupyter_server"}
    # No secret of the server has entered the kernel.
    token = jp_serverapp.identity_provider.token
    assert len(token) > 20
    assert not [name for name, value in answer["environment"].items() if token in value]


async def test_a_kernel_that_is_gone_is_refused(start_kernel, jp_serverapp, ape_app):
    kernel_id = await start_kernel()
    key = jp_serverapp.kernel_manager.get_kernel(kernel_id).session.key
    server = OwnServer(server_info(jp_serverapp), KernelCredential(kernel_id, derive_key(key)))
    with RemoteLibrary.of_kernel(server) as library:
        assert (await asyncio.to_thread(library.health)).status == "ok"
        await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
        with pytest.raises(PermissionDeniedError):
            await asyncio.to_thread(library.health)


async def test_a_kernel_that_died_is_refused(start_kernel, jp_serverapp, ape_app, monkeypatch):
    kernel_id = await start_kernel()
    manager = jp_serverapp.kernel_manager.get_kernel(kernel_id)
    server = OwnServer(
        server_info(jp_serverapp),
        KernelCredential(kernel_id, derive_key(manager.session.key)),
    )
    manager.stop_restarter()
    await manager.signal_kernel(9)
    for _ in range(400):
        if not await manager.is_alive():
            break
        await asyncio.sleep(0.05)
    with RemoteLibrary.of_kernel(server) as library, pytest.raises(PermissionDeniedError):
        await asyncio.to_thread(library.health)


async def test_a_process_that_a_kernel_starts_is_no_kernel(start_kernel, jp_serverapp, ape_app):
    kernel_id = await start_kernel()
    manager = jp_serverapp.kernel_manager.get_kernel(kernel_id)
    program = """
        import subprocess, sys
        code = "from ape_jupyter.client.discovery import find_own_server as f; print(f())"
        print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    """
    assert (await run_in_kernel(manager, program)).strip() == "None"
    assert os.environ["APE_JUPYTER_INFO"]
