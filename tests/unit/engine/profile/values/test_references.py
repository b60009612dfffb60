"""References to environment variables in texts. tests/docker compares them with Compose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.profile.values.references import (
    MissingVariableError,
    Reference,
    has_references,
    references_in,
    resolve_text,
)

ENVIRON = {"NAME": "value", "EMPTY": "", "NESTED": "${NAME}"}


@given(st.text().filter(lambda text: "${" not in text))
def test_a_text_without_references_is_unchanged(text: str) -> None:
    assert resolve_text(text, {}) == text
    assert not references_in(text)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("${NAME}", "value"),
        ("a ${NAME}${NAME} b", "a valuevalue b"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${UNSET:-default}", "default"),
        ("${UNSET:-}", ""),
        ("${NAME:-default}", "value"),
        ("${UNSET:-http://h:1/a?b=c $d}", "http://h:1/a?b=c $d"),
        ("${NESTED}", "${NAME}"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$value"),
        ("$$$${NAME}", "$${NAME}"),
        ("$${anything: goes", "${anything: goes"),
        ("$NAME $$ pa$$word {NAME}", "$NAME $$ pa$$word {NAME}"),
    ],
)
def test_references_are_resolved(text: str, resolved: str) -> None:
    assert resolve_text(text, ENVIRON) == resolved


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${NAME",
        "${1NAME}",
        "${NA ME}",
        "${NAME-default}",
        "${NAME:?error}",
        "${NAME:+other}",
        "${NAME:-${OTHER}}",
        "${NAME:-{}}",
    ],
)
def test_other_forms_are_errors_that_contain_no_part_of_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"Write \$\{NAME\} or \$\{NAME:-default\}") as caught:
        resolve_text(f"s3cret {text}", ENVIRON)

    assert "s3cret" not in str(caught.value)
    assert has_references(text)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(MissingVariableError, match="the environment variable UNSET is not set"):
        resolve_text("${NAME} ${UNSET}", ENVIRON)


def test_references_are_listed() -> None:
    assert references_in("$${A} ${B} ${C:-d}") == (Reference("B", None), Reference("C", "d"))
