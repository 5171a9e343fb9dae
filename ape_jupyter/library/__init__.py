"""The facade: what a library of runs can do, and its form in this process."""
