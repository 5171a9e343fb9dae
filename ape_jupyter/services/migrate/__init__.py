"""Bringing the metadata of a run to the version that the library reads."""
