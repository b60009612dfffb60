"""What differs between runs other than their results."""

from pathlib import Path
from typing import Any

from loadbench.engine.comparison.model import Area
from loadbench.engine.hardware.revision import Revision
from loadbench.engine.profile.target import Target
from tests.support.compared_runs import HARDWARE, add_compared_run, compared


def differences(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
) -> list[tuple[Area, str, str, str]]:
    found = compared(
        add_compared_run(tmp_path, "before", **before), add_compared_run(tmp_path, "after", **after)
    )
    return [(one.area, one.name, one.before, one.after) for one in found.differences]


def test_all_areas_are_compared_in_order(tmp_path: Path) -> None:
    before = {
        "started": {
            "hardware": HARDWARE,
            "versions": {"locust": "2.47.0", "gevent": "25"},
            "revisions": (Revision(folder="/a/repo", commit="a" * 40, has_changes=False),),
            "target": Target(address="port 80 of api"),
        },
        "images": {"api": f"sha256:{'a' * 64}"},
    }
    after = {
        "started": {
            "hardware": {**HARDWARE, "gpus": [{"name": "T4"}, {"name": "L4"}]},
            "versions": {"locust": "2.47.1"},
            "revisions": (Revision(folder="/b/repo", commit="b" * 40, has_changes=True),),
            "target": Target(address="port 80 of web"),
            "driver": "external",
        },
        "images": {"api": f"sha256:{'b' * 64}", "web": f"sha256:{'c' * 64}"},
        "batch_size": 10,
        "goals": {"p95_ms": 500},
    }
    assert differences(tmp_path, before, after) == [
        (Area.HARDWARE, "GPU", "none", "T4, L4"),
        (Area.VERSIONS, "locust", "2.47.0", "2.47.1"),
        (Area.VERSIONS, "gevent", "25", "none"),
        (Area.PROFILE, "batch_size", "1", "10"),
        (Area.PROFILE, "goals.p95_ms", "none", "500"),
        (Area.IMAGES, "api", "a" * 12, "b" * 12),
        (Area.IMAGES, "web", "none", "c" * 12),
        (Area.REVISIONS, "repo", "a" * 10, f"{'b' * 10} (with uncommitted changes)"),
        (Area.TARGET, "driver", "compose", "external"),
        (Area.TARGET, "address", "port 80 of api", "port 80 of web"),
    ]


def test_equal_runs_do_not_differ(tmp_path: Path) -> None:
    assert differences(tmp_path, {}, {}) == []


def test_secrets_stay_masked_and_long_values_are_shortened(tmp_path: Path) -> None:
    environment = {"API_KEY": "correct-horse-battery", "MODE": "m" * 500}
    found = differences(tmp_path, {}, {"load": {"environment": environment}})
    (name, before, after) = found[0][1:]
    assert (name, before) == ("load.environment", "none")
    assert "correct-horse" not in after
    assert len(after) <= 120


def test_an_older_journal_has_no_hardware(tmp_path: Path) -> None:
    found = differences(tmp_path, {"started": {"hardware": {}}}, {})
    assert (Area.HARDWARE, "CPU", "none", "AMD EPYC") in found
