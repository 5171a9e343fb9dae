"""Ways to make a library fail, and proofs that it did not: ``python -m torture --help``."""
