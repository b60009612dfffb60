"""Fixtures of tests of whole runs and their processes."""

import os
from pathlib import Path

import pytest

from tests.support.fake_docker import Program, write_docker


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Replace docker by a shell script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(script: str) -> None:
        write_docker(folder, script)

    return write
