"""Setup of all tests: a marker for the tier, a temporary state folder, no hypothesis deadline."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("loadbench", deadline=None, database=None)
settings.load_profile("loadbench")

HERE = Path(__file__).parent
UNMEASURED = frozenset(
    f"tests/{name}.py"
    for name in (
        *("browser/test_pages", "e2e/test_cli", "e2e/test_docker_cli", "e2e/test_docker_output"),
        *("e2e/test_drivers", "e2e/test_endings", "e2e/test_full_disk", "e2e/test_package"),
        *("e2e/test_page_at_end", "e2e/test_preview", "e2e/test_printable_output"),
        *("e2e/test_report_forms", "e2e/test_secrets", "terminal/test_printable_screens"),
    )
)
"""Files whose tests start processes, but neither measure nor inspect those of others."""


def tier_of(path: Path) -> str:
    """Return the tier of a test: its top-level folder under `tests`."""
    return path.relative_to(HERE).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its tier."""
    for item in items:
        item.add_marker(tier_of(item.path))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Run tests that measure or inspect processes on a single worker, all others on any worker."""
    from xdist.scheduler import LoadScopeScheduling

    # `_split_scope` is private: https://github.com/pytest-dev/pytest-xdist/issues/511. Can go when
    # there is a public way to set the scope of a test.
    class TierScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            tier = path.removeprefix("tests/").partition("/")[0]
            match tier:
                case "screens":
                    return nodeid
                case "unit":
                    return path
                case _ if path in UNMEASURED:
                    return nodeid
                case _:
                    return "measuring"

    return TierScheduling(config, log)


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use a temporary state folder, which holds locks, instead of the user's."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"
