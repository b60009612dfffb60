"""A program in the place of docker's command line, which answers as an engine might."""

import stat
from pathlib import Path

CONTEXT = """[{"Name": "default", "Endpoints": {"docker": {"Host": "unix:///x.sock"}}}]"""
PUBLISHED = '{"services": {"model": {}, "api": {"ports": [{"target": 8000}]}}}'
ON_GPU = '{"services": {"model": {"runtime": "nvidia"}, "api": {"ports": [{"target": 8000}]}}}'


def write_docker(folder: Path, script: str) -> None:
    """Make a shell script named docker; the folder is to be the first of `PATH`."""
    file = folder / "docker"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def answers(*, config: str, runtimes: str = "{}") -> str:
    """The script of a docker that answers for an engine and a project."""
    info = f'{{"ServerVersion": "99", "NCPU": 4, "Runtimes": {runtimes}}}'
    answers = {"context": CONTEXT, "info": info, "version": "2.40", "config": config}
    cases = "".join(f"*{words}*) echo '{answer}';; " for words, answer in answers.items())
    return f'case "$*" in {cases}esac'
