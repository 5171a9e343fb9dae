"""What crosses a process boundary: one encoder, one table of errors, one table of routes."""
