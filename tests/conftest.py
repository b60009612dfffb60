"""What every test gets: a state folder of its own, and property tests without a stop-watch."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("loadbench", deadline=None, database=None)
settings.load_profile("loadbench")

SCREENS = Path(__file__).parent / "ui"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have all that measures, or looks at processes, done one after the other; screens beside."""
    for item in items:
        measures = SCREENS not in item.path.parents or "bench" in getattr(item, "fixturenames", ())
        if measures:
            item.add_marker(pytest.mark.xdist_group("measures"))


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that locks go to, instead of the user's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"
