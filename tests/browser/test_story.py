"""The main job, as a person does it: find a run, open it, compare it, see the overlay."""

from __future__ import annotations

import re

import pytest
from browser.steps import (
    change_theme,
    new_notebook,
    open_sidebar,
    row,
    rows,
    run_cell,
    search,
    shot,
    write_cell,
)
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def code_of_last_cell(page: Page) -> str:
    cells = page.locator(".jp-Notebook .jp-CodeCell .cm-content")
    return "\n".join(cells.nth(i).inner_text() for i in range(cells.count()))


def has_ink(canvas: Locator) -> bool:
    return bool(
        canvas.evaluate(
            """node => {
                const context = node.getContext('2d');
                const data = context.getImageData(0, 0, node.width, node.height).data;
                const colours = new Set();
                for (let i = 0; i < data.length; i += 4) {
                    const [red, green, blue, alpha] = data.slice(i, i + 4);
                    if (alpha > 0) colours.add(red << 16 | green << 8 | blue);
                }
                return colours.size > 10;
            }"""
        )
    )


def test_find_open_compare(page: Page) -> None:
    new_notebook(page)
    open_sidebar(page)

    # All runs, the newest first.
    expect(page.locator(".jp-ape-Library-count")).to_have_text("18 runs")
    expect(rows(page)).to_have_count(18)
    expect(rows(page).first).to_contain_text("solitary-field")
    expect(rows(page).first).to_contain_text("99,763 patients")
    expect(rows(page).last).to_contain_text("flat-pond")
    shot(page, "sidebar")

    # Search as you type.
    search(page, "APPRAISAL time")
    expect(rows(page)).to_have_count(2)
    expect(page.locator(".jp-ape-Library-count")).to_have_text("2 runs found")

    # The details of one.
    row(page, "solitary-field").click()
    detail = page.locator(".jp-ape-Detail")
    expect(detail).to_contain_text("57.3")  # mean final vision
    expect(detail).to_contain_text("339,100")  # injections
    shot(page, "detail")

    # Its code goes into the notebook, and runs there without configuration.
    detail.get_by_role("button", name="Insert code").click()
    expect(page.locator(".jp-Notebook")).to_contain_text("load_simulation")
    assert (
        'ape.connect().load_simulation("sim_20261123_175916_05-00_solitary-field")'
        in code_of_last_cell(page)
    )
    run_cell(page)
    write_cell(page, "data.load_results(), type(ape.connect()).__name__")
    run_cell(page)
    output = page.locator(".jp-OutputArea-output").last
    expect(output).to_contain_text("99,763 patients, 610,501 visits")
    expect(output).to_contain_text("RemoteLibrary")

    # Two runs are chosen and compared.
    detail.get_by_role("button", name="Back to the list").click()
    for name in ("solitary-field", "noisy-art"):
        row(page, name).locator(".jp-ape-Run-check").click()
    page.get_by_role("toolbar", name="Selected runs").get_by_role("button", name="Compare").click()
    expect(page.locator(".jp-Notebook")).to_contain_text("ComparisonOverlay")
    run_cell(page)
    overlay = page.locator(".jp-ape-Comparison")
    overlay.wait_for(state="visible")
    canvas = overlay.locator("canvas").first
    canvas.wait_for(state="visible")
    page.wait_for_timeout(500)
    assert has_ink(canvas)
    expect(overlay.locator(".jp-ape-Comparison-summary")).to_contain_text("noisy-art")
    assert page.evaluate("typeof window.Bokeh") == "undefined"
    overlay.scroll_into_view_if_needed()
    shot(page, "compare")

    # The difference, on another time axis; and all of it in the dark.
    overlay.get_by_label(re.compile("comparison|show", re.IGNORECASE)).first.select_option(
        "difference"
    )
    expect(overlay.locator(".jp-ape-Comparison-summary")).to_contain_text(
        "noisy-art − solitary-field"
    )
    change_theme(page, "JupyterLab Dark")
    page.wait_for_timeout(1500)
    assert has_ink(overlay.locator("canvas").first)
    shot(page, "compare-dark")
    change_theme(page, "JupyterLab Light")
