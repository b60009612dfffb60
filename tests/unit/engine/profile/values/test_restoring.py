"""Secret values of a resumed run: from the file, or else from the environment."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.masking import MASK
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.values.resolving import resolve_profile
from loadbench.engine.profile.values.restoring import (
    changes_between,
    changes_since,
    overridden_keys,
    restored,
    written_values,
)
from loadbench.errors import RefusedError
from tests.support.builders import make_profile

KEY = "stack.environment.API_KEY"
HOST = "http://tester:word@h:8"
WRITTEN = make_profile(host=HOST, stack={"environment": {"API_KEY": "s3cret", "B": "${B}"}})
RUN = resolve_profile(WRITTEN, {"B": "b"})
RECORDED = Profile.model_validate(RUN.recorded)


def restore(
    written: Mapping[str, Any], environ: Mapping[str, str], overridden: Collection[str] = ()
) -> Profile:
    return restored(
        RECORDED,
        RUN.masked_keys,
        file=Path("mine.yaml"),
        written=written,
        overridden=overridden,
        environ={"B": "b", **environ},
    )


def test_values_of_the_file_come_first() -> None:
    found = restore({KEY: "s3cret", "host": HOST}, {"API_KEY": "other"})

    assert found == WRITTEN


def test_values_of_the_environment_complete_those_of_the_file() -> None:
    found = restore({KEY: "s3cret"}, {"LOADBENCH_HOST": HOST})

    assert found == WRITTEN


def test_the_environment_comes_first_for_overridden_keys() -> None:
    found = restore({KEY: "other", "host": HOST}, {"API_KEY": "s3cret"}, [KEY])

    assert found == WRITTEN


def test_options_and_variables_of_locust_are_restored() -> None:
    load = {"options": {"api-key": ["first-key", "b"]}, "environment": {"HF_TOKEN": "s3cret"}}
    written = make_profile(load=load)
    run = resolve_profile(written, {})
    values = {"load.options.api-key": ["first-key", "b"]}
    recorded = Profile.model_validate(run.recorded)

    def restored_from(written: Mapping[str, Any], environ: Mapping[str, str]) -> Profile:
        keys, file = run.masked_keys, Path("mine.yaml")
        return restored(recorded, keys, file=file, written=written, overridden=(), environ=environ)

    assert run.masked_keys == ("load.options.api-key", "load.environment.HF_TOKEN")
    assert restored_from(values, {"HF_TOKEN": "s3cret"}) == written
    with pytest.raises(RefusedError, match="environment variable LOADBENCH_LOAD_OPTIONS_API_KEY"):
        restored_from({}, {})


def test_all_missing_values_are_named() -> None:
    with pytest.raises(RefusedError) as caught:
        restored(
            RECORDED,
            RUN.masked_keys,
            file=Path("mine.yaml"),
            written={},
            overridden=(),
            environ={"LOADBENCH_HOST": "http://a:b@other:8"},
        )

    assert str(caught.value).splitlines() == [
        "the run needs values that are not recorded:",
        "  host: set the environment variable LOADBENCH_HOST, or the key in mine.yaml",
        f"  {KEY}: set the environment variable API_KEY, or the key in mine.yaml",
        (
            "  stack.environment.B: the environment variable B is not set. Set it, "
            "or write a default: ${B:-default}"
        ),
    ]


def test_an_invalid_value_is_refused_without_showing_it() -> None:
    with pytest.raises(RefusedError, match="a secret value is invalid: host") as caught:
        restore({KEY: "s3cret"}, {"LOADBENCH_HOST": "http://a b:w0rd@h:8"})

    assert "w0rd" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({}, []),
        ({"host": "http://other:pass@h:8"}, []),
        ({"host": "http://${U}:${P}@h:8"}, []),
        ({"host": "http://a:b@h:9"}, ["host was http://***@h:8, is http://***@h:9"]),
        ({"users": [7]}, ["users was [2], is [7]"]),
    ],
)
def test_secret_values_are_not_compared(changes: dict[str, Any], messages: list[str]) -> None:
    now = WRITTEN.model_validate({**WRITTEN.resolved(), **changes}).resolved()

    found = changes_since(RECORDED.resolved(), RUN.masked_keys, now)

    assert found == messages or [line.partition(" was ")[0] for line in found] == ["users"]


def test_a_variable_that_left_the_file_is_no_change() -> None:
    now = WRITTEN.resolved()
    del now["stack"]["environment"]["API_KEY"]

    assert changes_since(RECORDED.resolved(), RUN.masked_keys, now) == []


def test_changes_between_two_versions_are_listed_without_secrets() -> None:
    later = WRITTEN.resolved()
    later["stack"]["environment"]["API_KEY"] = "n3w-secret"
    later["repeats"] = 2

    assert changes_between(WRITTEN.resolved(), later) == [
        "repeats was 1, is 2",
        f"{KEY} has changed",
    ]


def test_overrides_with_masks_are_not_read_from(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "models: [1]\nusers: [1]\nspawn_rates: [1]\nstack: {environment: {API_KEY: in-file}}\n"
    )
    overrides = ("users=7", f"{KEY}='{MASK}'", f"host=http://{MASK}@h:8")

    assert overridden_keys(overrides, RUN.masked_keys) == {
        KEY: overrides[1],
        "host": overrides[2],
    }
    assert written_values(file, overrides, RUN.masked_keys) == {KEY: "in-file"}


def test_a_description_that_was_masked_is_not_needed() -> None:
    run = resolve_profile(
        make_profile(description="with s3cret", stack={"environment": {"API_KEY": "s3cret"}}), {}
    )
    assert set(run.masked_keys) == {KEY, "description"}

    found = restored(
        Profile.model_validate(run.recorded),
        run.masked_keys,
        file=Path("mine.yaml"),
        written={},
        overridden=(),
        environ={"API_KEY": "s3cret"},
    )

    assert found.stack.environment == {"API_KEY": "s3cret"}
    assert found.description == "with ***"
