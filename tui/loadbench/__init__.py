"""Benchmarks an inference service: how many models carry how many users, at what latency."""

__version__ = "0.1.0"
