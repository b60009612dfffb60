"""What every test gets: its tier, a state folder of its own, no stop-watch for properties."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("loadbench", deadline=None, database=None)
settings.load_profile("loadbench")

HERE = Path(__file__).parent
ANYWHERE = ("unit", "screens")
"""Tiers whose tests do not disturb others, so that any worker may take them."""


def tier_of(path: Path) -> str:
    """Return the tier of a test: the folder below this one that it is in."""
    return path.relative_to(HERE).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its tier."""
    for item in items:
        item.add_marker(tier_of(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have all that measures, or looks at processes, done by one worker; the rest by any."""
    from xdist.scheduler import LoadScopeScheduling

    # `_split_scope` is private: https://github.com/pytest-dev/pytest-xdist/issues/511. Can go with
    # a public way to name the scope of a test.
    class MeasuringApart(LoadScopeScheduling):  # type: ignore[misc]  # it ships no types
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            tier = path.removeprefix("tests/").partition("/")[0]
            match tier:
                case "screens":
                    return nodeid
                case "unit":
                    return path
                case _:
                    return "measures"

    return MeasuringApart(config, log)


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that locks go to, instead of the user's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"
