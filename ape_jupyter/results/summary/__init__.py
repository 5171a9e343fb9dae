"""Summaries: tables of counts that add up, from which comparisons follow exactly."""

from ape_jupyter.results.summary.arrow import SUMMARY_SCHEMA, SUMMARY_VERSION
from ape_jupyter.results.summary.axis import NORMALIZED_BINS, RELATIVE_BIN_DAYS
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.distribution import Distribution
from ape_jupyter.results.summary.keys import Kind, Method, TableKey
from ape_jupyter.results.summary.moments import MomentTable
from ape_jupyter.results.summary.summary import Summary, SummaryBuilder, summarise
from ape_jupyter.results.summary.survival import LifeTable, life_table

__all__ = [
    "NORMALIZED_BINS",
    "RELATIVE_BIN_DAYS",
    "SUMMARY_SCHEMA",
    "SUMMARY_VERSION",
    "CountTable",
    "Distribution",
    "Kind",
    "LifeTable",
    "Method",
    "MomentTable",
    "Summary",
    "SummaryBuilder",
    "TableKey",
    "life_table",
    "summarise",
]
