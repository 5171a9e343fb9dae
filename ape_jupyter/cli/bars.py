"""Bars of work on runs, at a terminal: one for the runs, one for the visits of the current one."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from ape_jupyter.cli.terminal import printable
from ape_jupyter.model.progress import Progress

__all__ = ["RunBars"]


class _Count(ProgressColumn):
    """How many of how many, and of visits how many in a second."""

    def render(self, task: Task) -> Text:
        """Return the text of a bar."""
        if task.total is None:
            return Text("")
        text = f"{task.completed:,.0f}/{task.total:,.0f} {task.fields['unit']}"
        if task.fields["has_rate"] and task.speed:
            text += f", {task.speed:,.0f}/s"
        return Text(text)


class RunBars:
    """Shows progress on stderr as long as it is entered."""

    def __init__(self, what: str) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            _Count(),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True),
        )
        self._runs = self._bars.add_task(Text(what).markup, total=None, unit="runs", has_rate=False)
        self._visits = self._bars.add_task(
            "", total=None, unit="visits", has_rate=True, visible=False
        )
        self._current = ""

    def __enter__(self) -> RunBars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.update(self._visits, visible=False)
        self._bars.stop()

    def update(self, progress: Progress) -> None:
        """Show a step."""
        self._bars.update(self._runs, completed=progress.done, total=progress.total)
        if progress.current != self._current:
            # Rate and remaining time are those of one run, not of the one before.
            self._bars.reset(self._visits, total=None, visible=False)
            self._current = progress.current
        if progress.current:
            self._bars.update(
                self._visits,
                description=Text(printable(progress.current)).markup,
                completed=progress.rows_done,
                total=progress.rows_total or None,
                visible=True,
            )
