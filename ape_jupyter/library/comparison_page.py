"""A comparison as one page that needs nothing else: no network, no other file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from bokeh.embed import file_html
from bokeh.resources import INLINE

from ape_jupyter.model.comparison import Metric
from ape_jupyter.model.version import package_version

if TYPE_CHECKING:
    from ape_jupyter.library.comparison import ComparisonResult

__all__ = ["comparison_page"]

MAX_ROWS = 2_000
"""More rows of a table make a page slow to open; the other formats have all of them."""

# The page says itself that it loads nothing; BokehJS makes functions of text, so "eval" must be.
_HEAD = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; \
font-src data:">
<meta name="viewport" content="width=device-width">
<style>
main { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
table { border-collapse: collapse; font-size: 0.85rem; }
th, td { border-bottom: 1px solid #ccc; padding: 0.2rem 0.6rem; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.table { max-height: 30rem; overflow: auto; }
summary { cursor: pointer; margin: 0.5rem 0; }
pre { white-space: pre-wrap; }
</style>"""
# All that comes from outside is in `head`, `sections` and `tail`, and escaped there.
_TEMPLATE = """{% from macros import embed %}
{% block preamble %}{{ page_head }}{% endblock %}
{% block contents %}
{{ embed(doc) if doc.elementid }}
<main>{{ head }}
{% for root in doc.roots %}{{ sections[loop.index0] }}{{ embed(root) }}</section>{% endfor %}
{{ tail }}</main>
{% endblock %}
"""


def comparison_page(result: ComparisonResult) -> str:
    """Return the page: what was found in words, figures, tables, and how to repeat it."""
    names = ", ".join(run.name for run in result.runs)
    shown = [metric for metric in result.metrics if _has_rows(result, metric)]
    title = f"Comparison of {names}"
    left_out = [metric for metric in result.metrics if metric not in shown]
    page: str = file_html(
        [result.figure(metric.id) for metric in shown],
        INLINE,
        title,
        template=_TEMPLATE,
        template_variables={
            "page_head": _HEAD,
            "head": f"<h1>{escape(title)}</h1>{_paragraphs([_setting(result)])}",
            "sections": [_section(result, metric) for metric in shown],
            "tail": "".join(_section(result, metric) + "</section>" for metric in left_out)
            + _tail(result),
        },
    )
    return page


def _has_rows(result: ComparisonResult, metric: Metric) -> bool:
    # A figure of nothing is an empty frame.
    table = result.tables()[result.leading_table]
    return metric.id in set(table["metric"].to_pylist())


def _setting(result: ComparisonResult) -> str:
    request = result.request
    name = next(run.name for run in result.runs if run.sim_id == request.reference)
    kind = request.comparison_type.value.replace("_", " ").capitalize()
    return (
        f"{kind} in {request.time_alignment.value} time, {request.observations.value} values; the "
        f"reference is {name}, intervals are of {request.confidence:.0%}."
    )


def _section(result: ComparisonResult, metric: Metric) -> str:
    heading = f"<section><h2>{escape(metric.label)} ({escape(metric.unit)})</h2>"
    return heading + _paragraphs([result.summary(metric.id)])


def _tail(result: ComparisonResult) -> str:
    tables = {n: table for n, table in result.tables(dated=True).items() if table.num_rows}
    names = {run.sim_id: run.name for run in result.runs}
    missing = [
        f"{names.get(item.sim_id, item.sim_id)}, {item.metric}: {item.reason}"
        for item in result.missing
    ]
    provenance = json.dumps(result.provenance, indent=2, ensure_ascii=False, default=str)
    return "".join(
        [
            _list("Left out", missing),
            _list("To know", list(result.notes)),
            "<section><h2>Tables</h2>",
            *(_table(name, table) for name, table in tables.items()),
            "</section><section><h2>Provenance</h2>",
            f"<p>Made by ape-jupyter {escape(package_version())}.</p>",
            f"<details><summary>What repeats this</summary><pre>{escape(provenance)}</pre>",
            "</details></section>",
        ]
    )


def _paragraphs(texts: list[str]) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in texts if text)


def _list(heading: str, items: list[str]) -> str:
    if not items:
        return ""
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<section><h2>{heading}</h2><ul>{listed}</ul></section>"


def _table(name: str, table: pa.Table) -> str:
    columns = table.column_names
    heading = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    more = ""
    if table.num_rows > MAX_ROWS:
        more = f"<p>The first {MAX_ROWS:,} rows; saved as Parquet or CSV, the table is whole.</p>"
    title = f"{name.replace('_', ' ')}, {table.num_rows:,} rows"
    return (
        f'<details><summary>{escape(title)}</summary>{more}<div class="table"><table>'
        f"<thead><tr>{heading}</tr></thead><tbody>{''.join(_rows(table.slice(0, MAX_ROWS)))}"
        "</tbody></table></div></details>"
    )


def _rows(table: pa.Table) -> Iterator[str]:
    for row in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        yield f"<tr>{''.join(map(_cell, row))}</tr>"


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "<td></td>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number">{value:.6g}</td>'
    return f"<td>{escape(str(value))}</td>"
