"""Reproducible benchmarks: run `python -m bench.NAME` in the project folder."""
