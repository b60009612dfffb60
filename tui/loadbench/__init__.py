"""Benchmarks an inference service: how many models carry how many users, at what latency."""

import os

# No plugin has a part in reading journals and profiles, and to look for some takes its time.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

__version__ = "0.1.0"
