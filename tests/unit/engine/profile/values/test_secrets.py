"""Which values of a profile are secret, and how they are recorded."""

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from loadbench.engine.masking import MASK
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.recorded import read_recorded
from loadbench.engine.profile.values.resolving import resolve_profile
from loadbench.engine.profile.values.secrets import find_secrets, is_masked_like, masked_data
from loadbench.errors import ProfileError
from tests.support.builders import make_profile

BASIC = base64.b64encode(b"tester:p@ss").decode().rstrip("=")


def profile_with(environment: Mapping[str, str], **keys: Any) -> Profile:
    return make_profile(stack={"environment": environment}, **keys)


def recorded(name: str, value: str, **keys: Any) -> Any:
    """Return the recorded value of a variable."""
    return masked_data(profile_with({name: value}, **keys).resolved())["stack"]["environment"][name]


@pytest.mark.parametrize(
    "name",
    [
        *("API_KEY", "KEY", "api_key", "Api-Key", "X_TOKEN", "TOKEN", "A_SECRET", "SECRET"),
        *("DB_PASSWORD", "PASSWORD", "GOOGLE_CREDENTIALS", "Authorization", "proxy-authorization"),
    ],
)
def test_values_are_secret_by_name(name: str) -> None:
    assert recorded(name, "s3cret") == MASK


@pytest.mark.parametrize("name", ["MONKEY", "KEY_FILE", "TOKENS", "PASSWORD_FILE", "PATH", "HOST"])
def test_other_names_are_not_secret(name: str) -> None:
    assert recorded(name, "s3cret") == "s3cret"


@pytest.mark.parametrize("value", ["", "17", "-1.5", "1e-3", "true", "False", "yes", "off"])
def test_numbers_and_booleans_are_not_secret(value: str) -> None:
    assert recorded("SORT_KEY", value) == value


def test_listed_names_are_always_or_never_secret() -> None:
    assert recorded("PIN", "1234", secrets=["PIN"]) == MASK
    assert recorded("pin", "text", secrets=["PIN"]) == MASK
    assert recorded("SORT_KEY", "name", not_secrets=["SORT_KEY"]) == "name"
    assert recorded("URL", "http://u:p@h", not_secrets=["URL"]) == "http://u:p@h"


def recorded_load(section: str, values: dict[str, Any], **keys: Any) -> Any:
    """Return the recorded values of a mapping in the section `load`."""
    return masked_data(make_profile(load={section: values}, **keys).resolved())["load"][section]


@pytest.mark.parametrize("section", ["options", "environment"])
def test_options_and_variables_of_locust_are_secret_by_name(section: str) -> None:
    values = {"api-key": "s3cret", "engine": "vllm", "url": "http://u:p@h/x"}
    masked = {"api-key": MASK, "engine": "vllm", "url": f"http://{MASK}@h/x"}

    assert recorded_load(section, values) == masked
    assert recorded_load(section, values, secrets=["engine"])["engine"] == MASK
    assert recorded_load(section, values, not_secrets=["API_KEY"])["api-key"] == "s3cret"


def test_an_option_that_refers_to_a_secret_is_recorded_as_written_and_masked_in_texts() -> None:
    profile = make_profile(load={"options": {"key": "${HF_TOKEN}", "login": "x ${HF_TOKEN}"}})
    found = resolve_profile(profile, {"HF_TOKEN": "s3cret"})

    assert found.resolved.load.options == {"key": "s3cret", "login": "x s3cret"}
    assert found.recorded["load"]["options"] == {"key": "${HF_TOKEN}", "login": "x ${HF_TOKEN}"}
    assert found.masker.text("--key s3cret") == f"--key {MASK}"


def test_each_value_of_a_secret_option_is_masked() -> None:
    profile = make_profile(load={"options": {"api-key": ["first-key", "second key"]}})
    masker = resolve_profile(profile, {}).masker

    assert masker.text("used first-key") == f"used {MASK}"
    assert masker.text("used second key") == f"used {MASK}"


def test_a_name_in_both_lists_is_an_error() -> None:
    with pytest.raises(ValueError, match="A: also in secrets"):
        make_profile(secrets=["A"], not_secrets=["A"])


@pytest.mark.parametrize(
    "value", ["${API_KEY}", "${API_KEY:-}", "Bearer ${TOKEN}", "${USER}:${PASS}", "${A}-${B}"]
)
def test_references_are_recorded(value: str) -> None:
    assert recorded("A_SECRET", value) == value


@pytest.mark.parametrize("value", ["${API_KEY:-literal}", "prefix${TOKEN}", "Bearer literal", "!?"])
def test_a_literal_beside_a_reference_is_masked(value: str) -> None:
    assert recorded("A_SECRET", value) == MASK


@pytest.mark.parametrize(
    ("host", "masked"),
    [
        ("http://tester:p%40ss@h:8", "http://***@h:8"),
        ("http://token@h", "http://***@h"),
        ("http://${USER}:${PASS}@h", "http://${USER}:${PASS}@h"),
        ("http://tester:${PASS}@h", "http://***@h"),
        ("http://h:8", "http://h:8"),
        ("${HOST}", "${HOST}"),
    ],
)
def test_user_names_and_passwords_in_urls_are_masked(host: str, masked: str) -> None:
    data = masked_data(make_profile(host=host).resolved())

    assert data["host"] == masked
    # A recorded profile can be read, and masking it again changes nothing.
    assert read_recorded(data).profile is not None
    assert masked_data(data) == data


def test_the_values_to_look_for_cover_url_header_and_environment() -> None:
    profile = profile_with(
        {
            "Authorization": f"Basic {BASIC}",
            "DATABASE": "postgres://app:${DB_PASSWORD}@db/x",
            "MODE": "${SOME_TOKEN}",
            "PLAIN": "${SOME_MODE}",
        },
        host="http://tester:p%40ss@h",
    )
    environ = {"DB_PASSWORD": "d4tabase", "SOME_TOKEN": "t0ken", "SOME_MODE": "fast"}
    values = {value for one in find_secrets(profile.resolved(), environ) for value in one.values}

    assert {"tester:p%40ss", "tester:p@ss", "p@ss", BASIC, "app:d4tabase", "d4tabase"} <= values
    assert "t0ken" in values
    assert "fast" not in values


def test_texts_that_repeat_a_secret_are_masked() -> None:
    profile = profile_with(
        {"API_KEY": "s3cret", "URL": "http://h?key=s3cret"}, description="with s3cret"
    )
    data = masked_data(profile.resolved())

    assert data["stack"]["environment"]["URL"] == MASK
    assert data["description"] == f"with {MASK}"


def test_an_identifier_that_contains_a_secret_by_chance_is_not_masked() -> None:
    data = masked_data(profile_with({"API_KEY": "model"}).resolved())

    assert data["stack"]["service"] == "model"


def test_the_profile_of_a_run_has_three_forms() -> None:
    written = profile_with({"API_KEY": "${API_KEY}", "A_TOKEN": "literal"}, host="http://${H:-h}")

    found = resolve_profile(written, {"API_KEY": "s3cret"})

    assert found.written == written
    assert found.resolved.host == "http://h"
    assert found.resolved.stack.environment == {"API_KEY": "s3cret", "A_TOKEN": "literal"}
    assert found.recorded["stack"]["environment"] == {"API_KEY": "${API_KEY}", "A_TOKEN": MASK}
    assert found.masked_keys == ("stack.environment.A_TOKEN",)
    assert list(found.notes()) == [
        "Masked in all reports and logs: stack.environment.API_KEY, stack.environment.A_TOKEN"
    ]
    assert found.masker.text("s3cret literal http://h") == "*** *** http://h"
    assert found.masked_overrides(["stack.environment.A_TOKEN=literal", "users=5"]) == (
        "stack.environment.A_TOKEN='***'",
        "users=5",
    )


@pytest.mark.parametrize(
    ("value", "listed"), [("98765432", "PIN"), ("${NUMBER}", "PIN"), ("${NUMBER}", "NUMBER")]
)
def test_a_number_is_masked_in_texts_if_its_name_is_listed(value: str, listed: str) -> None:
    profile = profile_with({"PIN": value}, secrets=[listed])
    masker = resolve_profile(profile, {"NUMBER": "98765432"}).masker
    text = "pin 98765432, pin=98765432. 198765432 98765432.5 1.98765432"

    assert masker.text(text) == f"pin {MASK}, pin={MASK}. 198765432 98765432.5 1.98765432"
    assert not resolve_profile(profile_with({"PIN": "98765432"}), {}).masker


def test_a_short_number_is_reported() -> None:
    notes = list(resolve_profile(profile_with({"PIN": "12345"}, secrets=["PIN"]), {}).notes())

    assert "or a number shorter than 6, so not masked" in notes[1]


def test_a_short_secret_is_reported() -> None:
    notes = list(resolve_profile(profile_with({"API_KEY": "abc"}), {}).notes())

    assert notes[1].startswith("warning: stack.environment.API_KEY: shorter than 4 characters")


def test_a_listed_name_without_a_variable_is_reported() -> None:
    profile = profile_with({"A": "${B}"}, secrets=["A", "b", "TYPO"])

    notes = list(resolve_profile(profile, {"B": "text"}).notes())

    assert notes == [
        "Masked in all reports and logs: stack.environment.A",
        "warning: secrets: no variable is named TYPO",
    ]


def test_missing_variables_are_listed_with_their_keys() -> None:
    profile = profile_with({"A": "${X} ${Y:-1}"}, host="http://${H}")

    with pytest.raises(ProfileError) as caught:
        resolve_profile(profile, {})

    assert str(caught.value).splitlines() == [
        "host: the environment variable H is not set. Set it, or write a default: ${H:-default}",
        (
            "stack.environment.A: the environment variable X is not set. Set it, "
            "or write a default: ${X:-default}"
        ),
    ]


@pytest.mark.parametrize("keys", [{"host": "http://***@h"}, {"description": "x"}])
def test_a_mask_is_refused_as_a_value(keys: dict[str, Any]) -> None:
    environment = {} if "host" in keys else {"API_KEY": MASK}

    with pytest.raises(ProfileError, match=r"contains \*\*\* in place of a secret value"):
        resolve_profile(profile_with(environment, **keys), {})


def test_an_invalid_resolved_value_is_an_error_without_secrets() -> None:
    profile = make_profile(host="${HOST}")

    with pytest.raises(ProfileError, match="host: expected a URL") as caught:
        resolve_profile(profile, {"HOST": "tester:s3cret@h:8"})

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("masked", "value", "is_like"),
    [
        (MASK, "anything", True),
        ("http://***@h:8", "http://a:b@h:8", True),
        ("http://***@h:8", "http://a:b@other:8", False),
        ("a *** b *** c", "a 1 b 2 c", True),
    ],
)
def test_a_value_is_compared_with_a_masked_one(masked: str, value: str, is_like: bool) -> None:
    assert is_masked_like(masked, value) is is_like


@pytest.mark.parametrize(
    ("value", "masked", "secret"),
    [
        ("Authorization: Bearer abcdefgh123", "Authorization: ***", "abcdefgh123"),
        ("x=1,authorization=Basic " + BASIC, "x=1,authorization=***", "p@ss"),
        (
            "x-a: b\nproxy-authorization: Digest q1w2e3,x",
            "x-a: b\nproxy-authorization: ***",
            "q1w2e3",
        ),
        ('{"Authorization": "s3cret-word", "X": "y"}', '{"Authorization": "***', "s3cret-word"),
    ],
)
def test_authorization_headers_in_other_variables_are_masked(
    value: str, masked: str, secret: str
) -> None:
    assert recorded("EXTRA_HEADERS", value) == masked
    found = resolve_profile(profile_with({"EXTRA_HEADERS": value}), {})
    assert found.masker.text(f"<{secret}>") == "<***>"
    assert recorded("EXTRA_HEADERS", value, not_secrets=["EXTRA_HEADERS"]) == value


def test_the_reference_in_an_authorization_header_is_recorded() -> None:
    value = "Authorization: Bearer ${MINE}"
    assert recorded("EXTRA_HEADERS", value) == value
    found = resolve_profile(profile_with({"EXTRA_HEADERS": value}), {"MINE": "abcdefgh123"})
    assert found.masker.text("<abcdefgh123>") == "<***>"
