"""What every test gets: a state folder of its own, and property tests without a stop-watch."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("loadbench", deadline=None, database=None)
settings.load_profile("loadbench")

BESIDE = "tests/ui/"
MEASURES_TOO = "tests/ui/test_on_a_terminal.py"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have all that measures, or looks at processes, done by one worker; screens by any."""
    from xdist.scheduler import LoadScopeScheduling

    class MeasuringApart(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
        def _split_scope(self, nodeid: str) -> str:
            beside = nodeid.startswith(BESIDE) and not nodeid.startswith(MEASURES_TOO)
            return nodeid if beside else "measures"

    return MeasuringApart(config, log)


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that locks go to, instead of the user's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"
