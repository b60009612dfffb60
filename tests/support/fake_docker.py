"""A fake `docker` command with canned responses."""

import stat
from collections.abc import Callable
from pathlib import Path

CONTEXT = """[{"Name": "default", "Endpoints": {"docker": {"Host": "unix:///x.sock"}}}]"""
FIXED = (
    '{"services": {"app": {"container_name": "x", "ports": [{"target": 80, "published": "80"}]}}}'
)
PUBLISHED = '{"services": {"model": {}, "api": {"ports": [{"target": 8000}]}}}'
ON_GPU = '{"services": {"model": {"runtime": "nvidia"}, "api": {"ports": [{"target": 8000}]}}}'

Program = Callable[[str], None]
"""Replaces docker by a shell script."""


def write_docker(folder: Path, script: str) -> None:
    """Write a shell script named `docker`. Callers must put its folder first in `PATH`."""
    file = folder / "docker"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def answers(*, config: str, runtimes: str = "{}", compose: str = "2.40") -> str:
    """Return the script of a `docker` command with a working engine.

    Args:
        config: Output of `docker compose config`.
        runtimes: Runtimes of the engine, in JSON.
        compose: Version of Docker Compose.
    """
    info = f'{{"ServerVersion": "99", "NCPU": 4, "Runtimes": {runtimes}}}'
    responses = {"context": CONTEXT, "info": info, "version": compose, "config": config}
    cases = "".join(f"*{words}*) echo '{output}';; " for words, output in responses.items())
    return f'case "$*" in {cases}esac'
