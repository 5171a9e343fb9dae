"""What a person does in JupyterLab, step by step."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Locator, Page

SCREENSHOTS = Path(
    os.environ.get("APE_JUPYTER_SCREENSHOTS", Path(__file__).parents[2] / "screenshots")
)


def shot(page: Page, name: str) -> None:
    """Keep a picture of the page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def open_sidebar(page: Page) -> None:
    """Show the library by its tab at the side."""
    if not page.locator(".jp-ape-Sidebar").is_visible():
        page.locator('.jp-SideBar [data-id="ape-jupyter-library"]').click()
    page.locator(".jp-ape-Sidebar").wait_for(state="visible")


def new_notebook(page: Page) -> None:
    """Open a notebook from the launcher and wait until its kernel is idle."""
    page.locator('.jp-LauncherCard[data-category="Notebook"]').first.click()
    page.locator(".jp-Notebook").wait_for(state="visible")
    wait_for_idle_kernel(page)


def wait_for_idle_kernel(page: Page) -> None:
    # The status bar is the last to know; before it does, a cell that is run can be lost.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)


def write_cell(page: Page, code: str) -> None:
    """Type into the cell that is active."""
    page.locator(".jp-Notebook .jp-mod-active .cm-content").last.click()
    page.keyboard.type(code)


def run_cell(page: Page) -> None:
    """Run the cell that is active."""
    page.locator(".jp-Notebook .jp-mod-active .cm-content").last.press("Shift+Enter")


def change_theme(page: Page, name: str) -> None:
    """Change the theme of JupyterLab."""
    page.evaluate(
        "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name
    )
    light = "false" if "Dark" in name else "true"
    page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")


def rows(page: Page) -> Locator:
    return page.locator(".jp-ape-Sidebar [role=option]")


def row(page: Page, name: str) -> Locator:
    return rows(page).filter(has=page.locator(f".jp-ape-Run-name:text-is('{name}')"))


def search(page: Page, words: str) -> None:
    page.get_by_label("Search simulation runs").fill(words)
