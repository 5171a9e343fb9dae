"""A real JupyterLab, driven in a real Chromium."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from ape_jupyter.library.local import LocalLibrary

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
STARTUP_SECONDS = 90


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    url: str
    token: str
    root: Path
    library: Path
    process: subprocess.Popen[bytes]


def chromium_of_the_system() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium_path() -> str | None:
    """Where Chromium is: the system's, else from apt, else Playwright's own (None)."""
    path = chromium_of_the_system()
    if path is None and shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "-y", "chromium", "fonts-dejavu"]):
            subprocess.run(["apt-get", "-qq", *arguments], check=False, env=environment)
        path = chromium_of_the_system()
    if path is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
    return path


def launch(playwright: Playwright, path: str | None) -> Browser:
    """Start Chromium so that it asks nobody but the pages' own server."""
    return playwright.chromium.launch(
        executable_path=path,
        # A container's root can start no sandbox; the only pages here are our own.
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ],
    )


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str | None) -> Iterator[Browser]:
    launched = launch(playwright, chromium_path)
    yield launched
    launched.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_lab(folder: Path, library: Path) -> Lab:
    """Start JupyterLab below a base URL, with token and XSRF on, as a user would have it."""
    token = secrets.token_hex(16)
    port = free_port()
    root = folder / "work"
    root.mkdir()
    _decline_news(folder / "settings")
    environment = {
        **os.environ,
        "APE_JUPYTER_LIBRARY": os.fspath(library),
        "JUPYTER_CONFIG_DIR": os.fspath(folder / "config"),
        "JUPYTER_DATA_DIR": os.fspath(folder / "data"),
        "JUPYTER_RUNTIME_DIR": os.fspath(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": os.fspath(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": os.fspath(folder / "workspaces"),
    }
    options = [
        "--no-browser",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.base_url=/team/ada/",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={root}",
        # Only to change themes and to count listeners; the stories use what users use.
        "--LabApp.expose_app_in_browser=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if os.name == "posix" and os.geteuid() == 0:
        options.append("--allow-root")
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    lab = Lab(f"http://127.0.0.1:{port}/team/ada", token, root, library, process)
    wait_for(lab, folder / "lab.log")
    return lab


def _decline_news(settings: Path) -> None:
    """Answer the question that JupyterLab puts over the page at its first start."""
    plugin = settings / "@jupyterlab" / "apputils-extension"
    plugin.mkdir(parents=True)
    (plugin / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')


def wait_for(lab: Lab, log: Path) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        if lab.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{lab.url}/login", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    stop(lab)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-4000:]}")


def stop(lab: Lab) -> None:
    lab.process.terminate()
    try:
        lab.process.wait(20)
    except subprocess.TimeoutExpired:
        lab.process.kill()
        lab.process.wait()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Iterator[Lab]:
    """JupyterLab on a library of all real runs."""
    folder = tmp_path_factory.mktemp("lab")
    with LocalLibrary.open(folder / "library") as library:
        library.import_results(real_data)
        library.set_tags(["noisy-art", "solitary-field"], add=["appraisal"])
        library.add_tag("weathered-bonus", "base case")
    started = start_lab(folder, folder / "library")
    yield started
    stop(started)


@pytest.fixture(scope="session")
def empty_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a library without runs."""
    folder = tmp_path_factory.mktemp("empty-lab")
    started = start_lab(folder, folder / "library")
    yield started
    stop(started)


def logged_in(browser: Browser, lab: Lab, **options: object) -> Page:
    """Open a page with a cookie, as after a login; the token is in no further URL.

    Every request that leaves this machine fails the test at its end.
    """
    context = browser.new_context(viewport={"width": 1400, "height": 900}, **options)  # type: ignore[arg-type]
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.outside = []  # type: ignore[attr-defined]
    page.errors = []  # type: ignore[attr-defined]
    page.on("request", lambda request: _note_outside(page, request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
    page.goto(f"{lab.url}/tree?token={lab.token}")
    page.goto(f"{lab.url}/lab?reset")
    page.wait_for_selector("#jp-main-dock-panel", state="visible")
    return page


def _note_outside(page: Page, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
        page.outside.append(url)  # type: ignore[attr-defined]


@pytest.fixture
def page(browser: Browser, lab: Lab) -> Iterator[Page]:
    opened = logged_in(browser, lab)
    yield opened
    opened.context.close()
    assert opened.outside == []  # type: ignore[attr-defined]
    assert opened.errors == []  # type: ignore[attr-defined]
