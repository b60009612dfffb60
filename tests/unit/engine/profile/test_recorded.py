"""Profiles that other versions recorded."""

from typing import Any

import pytest

from loadbench.engine.profile.recorded import read_recorded
from tests.support.builders import make_profile

RECORDED = make_profile(device="gpu", stack={"model_threads": 2}).resolved()


def changed(**keys: Any) -> dict[str, Any]:
    return {**RECORDED, **keys}


def test_a_profile_is_read_as_it_was_recorded() -> None:
    recorded = read_recorded(RECORDED)

    assert recorded.profile == make_profile(device="gpu", stack={"model_threads": 2})
    assert (recorded.invalid, recorded.unknown) == ((), ())


def test_keys_of_a_newer_version_are_ignored_and_named() -> None:
    stack = {**RECORDED["stack"], "replicas": 3}
    recorded = read_recorded(changed(stack=stack, weather="good"))

    assert recorded.profile == make_profile(device="gpu", stack={"model_threads": 2})
    assert set(recorded.unknown) == {"stack.replicas", "weather"}


def test_keys_that_an_older_version_did_not_have_get_their_defaults() -> None:
    older = {
        key: value for key, value in RECORDED.items() if key not in ("settle", "recheck_first")
    }

    assert read_recorded(older).profile == read_recorded(RECORDED).profile


@pytest.mark.parametrize(
    ("keys", "invalid"),
    [
        ({"device": "abacus"}, ("device",)),
        ({"models": []}, ("models",)),
        ({"stack": 7}, ("stack",)),
        ({"stack": {"driver": "raft"}}, ("stack.driver",)),
    ],
)
def test_values_that_this_version_does_not_take_are_named(
    keys: dict[str, Any], invalid: tuple[str, ...]
) -> None:
    recorded = read_recorded(changed(**keys))

    assert (recorded.profile, recorded.invalid) == (None, invalid)
