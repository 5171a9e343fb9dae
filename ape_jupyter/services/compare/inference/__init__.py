"""Intervals, tests and effect sizes, from counts and moments; each names its source."""
