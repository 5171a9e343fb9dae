"""Demonstration runs: a small generator of AMD simulations of this project's own."""
