"""``python -m ape_jupyter``: the command line."""

from __future__ import annotations

from ape_jupyter.cli.main import main

if __name__ == "__main__":
    main(prog_name="ape-jupyter")
