"""The sidebar beyond the main story: keyboard, dragging, tags, the trash, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser.conftest import Lab, logged_in, start_lab, stop
from browser.steps import change_theme, new_notebook, open_sidebar, row, rows, search, shot
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def test_everything_by_keyboard(page: Page) -> None:
    new_notebook(page)
    open_sidebar(page)
    expect(rows(page)).to_have_count(18)
    page.get_by_label("Search simulation runs").focus()
    page.keyboard.type("appraisal")
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(rows(page).first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-ape-Detail h2")).to_have_text("noisy-art")
    page.keyboard.press("Escape")
    expect(rows(page).nth(1)).to_be_focused()
    page.keyboard.press("Space")
    expect(rows(page).nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(rows(page).nth(1)).to_have_attribute("aria-selected", "false")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Search simulation runs")).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(18)


def test_a_dragged_run_becomes_a_cell(page: Page) -> None:
    new_notebook(page)
    open_sidebar(page)
    row(page, "calm-sun").scroll_into_view_if_needed()
    start = row(page, "calm-sun").bounding_box()
    end = page.locator(".jp-Notebook .jp-CodeCell").first.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 90, start["y"] + 12)
    page.mouse.down()
    page.mouse.move(start["x"] + 120, start["y"] + 40, steps=5)
    page.mouse.move(end["x"] + 200, end["y"] + 10, steps=12)
    shot(page, "drag")
    page.mouse.up()
    expect(page.locator(".jp-Notebook")).to_contain_text(
        'ape.connect().load_simulation("sim_20261123_175719_05-00_calm-sun")'
    )


def test_tags_are_added_removed_and_found(page: Page) -> None:
    open_sidebar(page)
    row(page, "winter-mouse").click()
    detail = page.locator(".jp-ape-Detail")
    detail.get_by_placeholder("Add a tag").fill("to check <b>")
    page.keyboard.press("Enter")
    chip = detail.get_by_text("to check <b>", exact=True)
    expect(chip).to_be_visible()
    page.keyboard.press("Escape")
    search(page, "check")
    expect(rows(page)).to_have_count(1)
    row(page, "winter-mouse").click()
    detail.get_by_role("button", name="to check").click()
    expect(chip).to_have_count(0)


def test_a_deleted_run_can_be_brought_back(page: Page) -> None:
    open_sidebar(page)
    expect(rows(page)).to_have_count(18)
    row(page, "shy-base").click()
    page.locator(".jp-ape-Detail").get_by_role("button", name="Delete").click()
    expect(rows(page)).to_have_count(17)
    page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(18)


def test_no_match_offers_the_way_back(page: Page) -> None:
    open_sidebar(page)
    search(page, "ranibizumab <script>")
    expect(page.locator(".jp-ape-Sidebar")).to_contain_text("No run matches")
    shot(page, "no-match")
    page.get_by_role("button", name="Clear the search").last.click()
    expect(rows(page)).to_have_count(18)


@pytest.mark.parametrize(
    "name", ["JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"]
)
def test_pictures_of_every_theme(page: Page, name: str) -> None:
    open_sidebar(page)
    change_theme(page, name)
    expect(rows(page)).to_have_count(18)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
    shot(page, f"list-{name.split(maxsplit=1)[1].replace(' ', '-').lower()}")
    row(page, "black-art").click()
    expect(page.locator(".jp-ape-Detail")).to_contain_text("costs")
    shot(page, f"detail-{name.split(maxsplit=1)[1].replace(' ', '-').lower()}")
    change_theme(page, "JupyterLab Light")


def test_a_wide_sidebar_uses_its_width(page: Page) -> None:
    open_sidebar(page)
    handle = page.locator("#jp-main-split-panel > .lm-SplitPanel-handle").first.bounding_box()
    assert handle is not None
    page.mouse.move(handle["x"] + 1, 400)
    page.mouse.down()
    page.mouse.move(handle["x"] + 400, 400, steps=8)
    page.mouse.up()
    shot(page, "list-wide")
    row(page, "black-art").click()
    shot(page, "detail-wide")


def test_an_empty_library_says_how_to_fill_it(browser: Browser, empty_lab: Lab) -> None:
    page = logged_in(browser, empty_lab)
    open_sidebar(page)
    expect(page.locator(".jp-ape-Sidebar")).to_contain_text("ape-jupyter import PATH")
    expect(page.locator(".jp-ape-Sidebar")).to_contain_text(str(empty_lab.library))
    shot(page, "empty")
    page.context.close()


def test_a_lost_server_is_told_and_found_again(
    browser: Browser, tmp_path: Path, results_folder: Path
) -> None:
    lab = start_lab(tmp_path, tmp_path / "library")
    page = logged_in(browser, lab)
    open_sidebar(page)
    expect(page.locator(".jp-ape-Sidebar")).to_contain_text("No runs yet")
    stop(lab)
    page.get_by_role("button", name="Refresh the list").click()
    expect(page.locator(".jp-ape-Sidebar")).to_contain_text("The Jupyter server does not answer")
    shot(page, "offline")
    page.context.close()
