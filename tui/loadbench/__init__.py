"""Benchmark an inference service: how many models serve how many users at what latency?"""

__version__ = "0.2.0"
