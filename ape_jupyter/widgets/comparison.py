"""Runs laid over each other in one figure."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import traitlets

from ape_jupyter.connection import connect
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.interface import Library
from ape_jupyter.model.comparison import ComparisonType, TimeAlignment
from ape_jupyter.model.metrics import metric_definition
from ape_jupyter.widgets.base import Answer, LibraryWidget
from ape_jupyter.wire.comparison import comparison_message

__all__ = ["ComparisonOverlay"]


@cache
def _bokehjs() -> tuple[str, bytes]:
    """Return version and source of the BokehJS that belongs to the installed bokeh."""
    from bokeh.util.paths import bokehjs_path

    return version("bokeh"), (Path(bokehjs_path()) / "js" / "bokeh.min.js").read_bytes()


@cache
def _load_bokeh_ahead() -> None:
    """Load bokeh, which takes most of a second, while the library answers and the page draws."""
    threading.Thread(target=import_module, args=("bokeh.plotting",), daemon=True).start()


class ComparisonOverlay(LibraryWidget):
    """Compare runs in one figure, on a chosen time axis.

    Parameters
    ----------
    library : Library, optional
        Where the runs are; :func:`ape_jupyter.connect` chooses when it is left out.
    sim_ids : sequence of str
        Ids, names or prefixes of two or more runs.
    comparison_type : {"overlay", "side_by_side", "difference", "statistical"}
    time_alignment : {"relative", "absolute", "normalized"}
        Relative by default: the trial view, days since each patient's enrolment.
    metric : str
        Any metric of the domain, also ``cost_<component>`` and ``workload_<role>``.
    reference : str, optional
        The run that the others are compared with; the first by default.

    Raises
    ------
    SimulationNotFoundError
        If a run is not in the library.
    InvalidArgumentError
        For fewer than two runs, or a choice that there is not.

    Examples
    --------
    >>> import ape_jupyter as ape
    >>> ape.ComparisonOverlay(ape.connect(), ["calm-river", "bold-heron"])  # doctest: +SKIP
    """

    sim_ids = traitlets.List(traitlets.Unicode()).tag(sync=True)
    comparison_type = traitlets.Unicode().tag(sync=True)
    time_alignment = traitlets.Unicode().tag(sync=True)
    metric = traitlets.Unicode().tag(sync=True)
    # With this the view can ask for BokehJS before it has a figure.
    _bokeh_version = traitlets.Unicode().tag(sync=True)
    reference = traitlets.Unicode(None, allow_none=True).tag(sync=True)

    def __init__(
        self,
        library: Library | Sequence[str] | None = None,
        sim_ids: Sequence[str] = (),
        *,
        comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
        time_alignment: TimeAlignment | str = TimeAlignment.RELATIVE,
        metric: str = "vision",
        reference: str | None = None,
    ) -> None:
        if isinstance(library, Sequence):
            sim_ids, library = library, None
        chosen = connect() if library is None else library
        _load_bokeh_ahead()
        # Computed once here, so that a mistake is an error in the cell and not in the view.
        result = chosen.compare_simulations(
            list(sim_ids), comparison_type, [metric], time_alignment, reference
        )
        super().__init__(
            chosen,
            _component="ComparisonOverlay",
            _bokeh_version=version("bokeh"),
            sim_ids=list(result.request.sim_ids),
            comparison_type=result.request.comparison_type.value,
            time_alignment=result.request.time_alignment.value,
            metric=metric,
            reference=result.request.reference,
        )

    @traitlets.validate("comparison_type")
    def _check_type(self, proposal: Any) -> str:
        return _one_of([kind.value for kind in ComparisonType], proposal["value"])

    @traitlets.validate("time_alignment")
    def _check_alignment(self, proposal: Any) -> str:
        return _one_of([alignment.value for alignment in TimeAlignment], proposal["value"])

    @traitlets.validate("metric")
    def _check_metric(self, proposal: Any) -> str:
        metric = str(proposal["value"])
        if metric_definition(metric) is None:
            raise InvalidArgumentError(f"No metric {metric!r}.")
        return metric

    def _methods(self) -> Mapping[str, Any]:
        return {"bokehjs": self._answer_bokehjs, "compare": self._answer_compare}

    @staticmethod
    def _answer_bokehjs(_params: Mapping[str, Any]) -> Answer:
        bokeh_version, source = _bokehjs()
        return {"version": bokeh_version}, [source]

    def _answer_compare(self, params: Mapping[str, Any]) -> Answer:
        from bokeh.embed import json_item

        metric = str(params.get("metric") or self.metric)
        result = self._library.compare_simulations(
            list(params.get("sim_ids") or self.sim_ids),
            str(params.get("comparison_type") or self.comparison_type),
            [metric],
            str(params.get("time_alignment") or self.time_alignment),
            params.get("reference"),
        )
        figure = result.figure(metric, dark=params.get("theme") == "dark")
        answer = {
            "item": json_item(figure),
            "comparison": comparison_message(result),
            "summary": result.summary(metric),
        }
        return answer, []


def _one_of(known: Sequence[str], value: str) -> str:
    if value not in known:
        raise InvalidArgumentError(f"{value!r} is not one of {', '.join(known)}.")
    return value
