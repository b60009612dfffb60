"""Profiles recorded by other versions."""

from typing import Any

import pytest

from loadbench.engine.profile.recorded import read_recorded
from tests.support.builders import make_profile

RECORDED = make_profile(device="gpu", stack={"model_threads": 2}).resolved()


def changed(**keys: Any) -> dict[str, Any]:
    return {**RECORDED, **keys}


def test_recorded_profile_is_read_unchanged() -> None:
    recorded = read_recorded(RECORDED)

    assert recorded.profile == make_profile(device="gpu", stack={"model_threads": 2})
    assert (recorded.invalid, recorded.unknown) == ((), ())


def test_unknown_keys_are_ignored_and_listed() -> None:
    stack = {**RECORDED["stack"], "replicas": 3}
    recorded = read_recorded(changed(stack=stack, weather="good"))

    assert recorded.profile == make_profile(device="gpu", stack={"model_threads": 2})
    assert set(recorded.unknown) == {"stack.replicas", "weather"}


def test_keys_missing_in_older_versions_get_their_defaults() -> None:
    older = {
        key: value for key, value in RECORDED.items() if key not in ("settle", "recheck_first")
    }

    assert read_recorded(older).profile == read_recorded(RECORDED).profile


def test_a_profile_of_a_version_with_one_locustfile_is_read() -> None:
    older = {"model": "closed", "locustfile": "a/b.py", "images": "images", "timeout": "30s"}
    recorded = read_recorded(changed(load=older))

    assert recorded.profile == make_profile(
        device="gpu", stack={"model_threads": 2}, load={"locustfile": ["a/b.py"]}
    )
    assert recorded.unknown == ()


@pytest.mark.parametrize(
    ("keys", "invalid"),
    [
        ({"device": "abacus"}, ("device",)),
        ({"models": []}, ("models",)),
        ({"stack": 7}, ("stack",)),
        ({"stack": {"driver": "raft"}}, ("stack.driver",)),
    ],
)
def test_invalid_values_are_listed(keys: dict[str, Any], invalid: tuple[str, ...]) -> None:
    recorded = read_recorded(changed(**keys))

    assert (recorded.profile, recorded.invalid) == (None, invalid)
