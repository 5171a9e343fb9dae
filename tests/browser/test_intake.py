"""How runs come in from the sidebar: by path, by upload, and from a folder that is followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from browser.conftest import Lab
from browser.steps import change_theme, open_sidebar, row, shot
from playwright.sync_api import Page, expect

from ape_jupyter.demo.generator import RunSpec, write_package, write_results
from ape_jupyter.library.local import LocalLibrary

pytestmark = pytest.mark.browser

APPEARS_MS = 30_000
NAMES = ("brave-otter", "green-harbour", "late-comet", "first-light")


@pytest.fixture
def opened(page: Page, lab: Lab) -> Iterator[Page]:
    """Give the sidebar; what came in is gone afterwards, for the other stories."""
    open_sidebar(page)
    yield page
    with LocalLibrary.open(lab.library) as library:
        for run in library.get_all_metadata():
            if run.name in NAMES:
                library.delete(run.sim_id)
        library.purge(timedelta(), dry_run=False)


def test_import_by_path(opened: Page, tmp_path: Path) -> None:
    run = write_results(tmp_path, RunSpec(n_patients=300, memorable_name="brave-otter"))
    broken = tmp_path / "sim_20260101_000000_02-00_broken"
    broken.mkdir()
    (broken / "metadata.json").write_text("{")
    opened.get_by_role("button", name="Import…").click()
    path = opened.get_by_label("Results directory, folder of them, or package on the server")
    path.fill(str(tmp_path))
    shot(opened, "import-form")
    path.press("Enter")
    expect(row(opened, "brave-otter")).to_be_visible(timeout=APPEARS_MS)
    imports = opened.get_by_role("list", name="Imports")
    expect(imports).to_contain_text("1 imported, 1 refused", timeout=APPEARS_MS)
    imports.get_by_text("1 run was refused").click()
    expect(imports).to_contain_text("metadata.json")
    shot(opened, "import-ended")
    change_theme(opened, "JupyterLab Dark")
    shot(opened, "import-ended-dark")
    change_theme(opened, "JupyterLab Light")
    imports.get_by_role("button", name=re.compile("Dismiss")).click()
    expect(imports).to_have_count(0)
    assert run.exists()


def test_upload(opened: Page, tmp_path: Path) -> None:
    run = write_results(tmp_path, RunSpec(n_patients=200, memorable_name="green-harbour"))
    package = write_package(tmp_path / "run.zip", run)
    opened.get_by_role("button", name="Import…").click()
    opened.get_by_label("Package (.zip) on this computer").set_input_files(package)
    expect(row(opened, "green-harbour")).to_be_visible(timeout=APPEARS_MS)


def test_a_folder_is_followed(opened: Page, tmp_path: Path) -> None:
    write_results(tmp_path, RunSpec(n_patients=200, memorable_name="first-light"))
    opened.get_by_role("button", name="Watch a folder…").click()
    folder = opened.get_by_label("Folder on the server whose runs come in as APE writes them")
    folder.fill(str(tmp_path))
    folder.press("Enter")
    watches = opened.get_by_role("list", name="Folders that are followed")
    expect(watches).to_contain_text("1 taken in", timeout=APPEARS_MS)
    write_results(tmp_path, RunSpec(n_patients=200, seed=2, memorable_name="late-comet"))
    expect(row(opened, "late-comet")).to_be_visible(timeout=APPEARS_MS)
    expect(watches).to_contain_text("2 taken in", timeout=APPEARS_MS)
    shot(opened, "watching")
    watches.get_by_role("button", name=re.compile("Stop watching")).click()
    expect(watches).to_have_count(0)
