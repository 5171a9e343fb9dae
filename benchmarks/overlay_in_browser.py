"""How long a comparison takes until it is drawn, in a real JupyterLab in Chromium.

``python -m benchmarks.overlay_in_browser [--results DIR] [--rounds N]``
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browser.conftest import chromium_of_the_system, launch, logged_in, start_lab, stop
from browser.steps import new_notebook, run_cell, write_cell

from ape_jupyter.library.local import LocalLibrary

REAL_RESULTS = Path(__file__).parents[2] / "shared" / "data" / "ape-results"

# Times are taken in the page: from the event that starts the work to the frame that shows it.
WATCH = """() => { window.apeWait = start => new Promise(resolve => {
    // Bokeh draws inside shadow roots.
    const canvasIn = node => {
        if (node instanceof HTMLCanvasElement) return node;
        for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) {
            const found = canvasIn(child);
            if (found) return found;
        }
        return null;
    };
    const inked = node => {
        const data = node.getContext('2d').getImageData(0, 0, node.width, node.height).data;
        const colours = new Set();
        for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 0) colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            if (colours.size > 10) return true;
        }
        return false;
    };
    const ready = () => {
        const view = [...document.querySelectorAll('.jp-ape-Comparison')].at(-1);
        const canvas = view && canvasIn(view);
        const done = view && canvas && view.getAttribute('aria-busy') !== 'true'
            && view.querySelector('.jp-ape-Comparison-summary')?.textContent !== window.apeBefore
            && inked(canvas);
        if (done) resolve(performance.now() - start);
        else requestAnimationFrame(ready);
    };
    ready();
}); }"""


def measure(page: Page, sim_ids: list[str], rounds: int) -> dict[str, list[float]]:
    """Return milliseconds of each kind of drawing, round by round."""
    page.evaluate(WATCH)
    new_notebook(page)
    cell = "import ape_jupyter as ape; lib = ape.connect(); ape.ComparisonOverlay"
    write_cell(page, cell)
    run_cell(page)
    page.locator(".jp-OutputArea-output").last.wait_for(timeout=60_000)
    times: dict[str, list[float]] = {"cell to pixels": [], "choice to pixels": []}
    for _ in range(rounds):
        write_cell(page, f"ape.ComparisonOverlay(lib, {sim_ids!r})")
        page.evaluate(
            "() => { window.apeBefore = ''; document.querySelectorAll('.jp-ape-Comparison')"
            ".forEach(n => n.classList.remove('jp-ape-Comparison')); }"
        )
        page.evaluate(
            "() => { const start = performance.now(); window.apeTime = window.apeWait(start); }"
        )
        run_cell(page)
        times["cell to pixels"].append(page.evaluate("() => window.apeTime"))
        choice = page.locator(".jp-ape-Comparison").last.locator("select").first
        page.evaluate(
            """() => {
                const view = [...document.querySelectorAll('.jp-ape-Comparison')].at(-1);
                window.apeBefore = view.querySelector('.jp-ape-Comparison-summary').textContent;
                view.querySelector('select').addEventListener('change', () => {
                    window.apeTime = window.apeWait(performance.now());
                }, {once: true, capture: true});
            }"""
        )
        choice.select_option("difference")
        times["choice to pixels"].append(page.evaluate("() => window.apeTime"))
    return times


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=REAL_RESULTS)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        with LocalLibrary.open(Path(folder) / "library") as library:
            library.import_results(options.results)
            largest = library.search(sort_by="n_patients", limit=2)
            sim_ids = [run.sim_id for run in largest]
            sizes = " and ".join(f"{run.n_patients:,}" for run in largest)
        lab = start_lab(Path(folder), Path(folder) / "library")
        try:
            browser = launch(playwright, chromium_of_the_system())
            times = measure(logged_in(browser, lab), sim_ids, options.rounds)
            browser.close()
        finally:
            stop(lab)
    print(f"Overlay of {sizes} patients, {options.rounds} rounds, goal 1,000 ms")
    for name, values in times.items():
        first, rest = values[0], values[1:] or values
        print(f"{name:18} first {first:5.0f} ms, then median {statistics.median(rest):5.0f} ms")


if __name__ == "__main__":
    main()
