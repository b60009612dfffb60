"""What every test gets: a state folder of its own, and property tests without a stop-watch."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("loadbench", deadline=None, database=None)
settings.load_profile("loadbench")


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that locks go to, instead of the user's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"
