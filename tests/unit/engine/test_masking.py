"""Secret values are found in every notation, and nothing else is changed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.masking import MASK, MIN_CHARACTERS, NO_SECRETS, Masker, reads_as_number
from loadbench.errors import StackError
from tests.support.secret_search import leaks, notations

PASSWORD = "pa\"ss<wörd>&'\\ 1/+%"
secrets = st.text(
    st.characters(exclude_categories=["C", "Z"]), min_size=MIN_CHARACTERS, max_size=20
).filter(lambda text: not reads_as_number(text) and len(text.strip()) >= MIN_CHARACTERS)


@pytest.mark.parametrize("notation", sorted(notations(PASSWORD)))
def test_a_secret_is_found_in_each_notation(notation: bytes) -> None:
    masker = Masker([PASSWORD, f"tester:{PASSWORD}"])

    assert masker.data(b"before " + notation + b" after") in (
        b"before *** after",
        b"before ***= after",
    )


@given(secrets, st.text())
def test_no_notation_of_any_secret_remains(secret: str, around: str) -> None:
    masker = Masker([secret, f"tester:{secret}"])
    for notation in notations(secret):
        data = around.encode("utf-8", "replace") + b" " + notation + b" "
        assert masker.may_change(data)
        assert not leaks(masker.data(data).replace(b"***", b" "), [secret])


@given(st.text())
def test_text_without_secrets_is_unchanged(text: str) -> None:
    assert Masker(["never-part-of-it-8Q"]).text(text) == text
    assert NO_SECRETS.text(text) == text


@pytest.mark.parametrize("value", ["", "abc", "   a  ", "12345", "1.5e3", "true", "No"])
def test_short_values_numbers_and_booleans_are_not_looked_for(value: str) -> None:
    assert not Masker([value])


def test_the_longest_value_is_masked_first() -> None:
    assert Masker(["user", "user:word"]).text("http://user:word@h") == f"http://{MASK}@h"


def test_each_line_of_a_value_is_masked() -> None:
    masker = Masker(["-----BEGIN KEY-----\nbXkga2V5\n-----END KEY-----\n"])

    assert masker.text("model-1 | bXkga2V5") == f"model-1 | {MASK}"


@pytest.mark.parametrize("cut", range(MIN_CHARACTERS, len("s3cret-value")))
def test_the_beginning_of_a_secret_is_masked_where_a_text_was_cut_off(cut: int) -> None:
    text = f"wrong key {'s3cret-value'[:cut]}…"

    assert Masker(["s3cret-value"]).text(text) == f"wrong key {MASK}…"


def test_cuts_within_a_text_are_found() -> None:
    text = "fails: wrong s3cret-v… (3 times), then s3cre… and s3cret%2… and s3cret-value"

    assert Masker(["s3cret-value", "s3cret/xyz"]).text(text) == (
        "fails: wrong ***… (3 times), then ***… and ***… and ***"
    )


@pytest.mark.parametrize("mark", ["\\u2026", "\\\\u2026", "&#8230;", "&hellip;"])
@pytest.mark.parametrize("beginning", ["s3cret-v", "s3cret%2", "s3cret\\u002"])
def test_an_escaped_mark_of_a_cut_is_found(beginning: str, mark: str) -> None:
    masker = Masker(["s3cret-value", "s3cret/xyz"])

    assert masker.text(f'"wrong {beginning}{mark}"') == f'"wrong ***{mark}"'
    assert masker.may_change(f"wrong {beginning}{mark}".encode())


def test_a_text_that_was_cut_off_elsewhere_is_unchanged() -> None:
    text = "a text about s3cret things…"

    assert Masker(["s3cret-value"]).text(text) == text


def test_all_texts_of_plain_data_are_masked_except_those_of_some_fields() -> None:
    data = {"cell": "s3cret", "lines": ["a s3cret", 7, None], "inner": {"cell": "s3cret"}}

    assert Masker(["s3cret"]).fields(data, unchanged=["cell"]) == {
        "cell": "s3cret",
        "lines": [f"a {MASK}", 7, None],
        "inner": {"cell": "s3cret"},
    }


def test_errors_are_masked_and_keep_their_type() -> None:
    with (
        pytest.raises(StackError, match=r"^no response from http://\*\*\*@h$") as caught,
        Masker(["user:word"]).errors(),
    ):
        raise StackError("no response from http://user:word@h", container="api")

    assert caught.value.container == "api"


def test_a_line_of_json_remains_one() -> None:
    masked = Masker([PASSWORD]).data(json.dumps({"a": PASSWORD, "b": [PASSWORD]}).encode())

    assert json.loads(masked) == {"a": MASK, "b": [MASK]}


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "secret", [r"\\srv\share", r"\\\\\\\\abc", r"\é\é\é\é", '""""word', "\\" * 99]
)
def test_backslashes_in_a_secret_cost_no_exponential_time(secret: str) -> None:
    masker = Masker([secret])
    text = "\\" * 65_000
    assert MASK in masker.text(f"{text} {json.dumps(json.dumps(secret))}")
    masker.text(f"{text}u00e9")
