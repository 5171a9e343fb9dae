"""Uncompressed Arrow files that every process maps; derived, and disposable at any time."""
