"""The metadata of all runs, in a database."""
