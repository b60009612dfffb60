"""Helpers shared by tests and benchmarks. No other package under `tests` is imported elsewhere."""
