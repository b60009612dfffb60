"""Input from outside is limited, and any failure of a parser is bad input."""

import json

import pytest

from loadbench.engine.bounds.parsing import BadInputError, parse, parse_json


def test_valid_json_is_parsed() -> None:
    assert parse_json(b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"\0" * 50],
)
def test_invalid_json_is_bad_input(text: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_json(text)


def test_size_limit_includes_the_last_byte() -> None:
    assert parse_json(b"[1]", max_bytes=3) == [1]
    with pytest.raises(BadInputError, match="larger than"):
        parse_json(b"[12]", max_bytes=3)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RecursionError("x"), "nested too deeply"),
        (MemoryError(), "needs too much memory"),
        (OverflowError("too large"), "too large"),
        (KeyError("id"), "'id'"),
        (TypeError(), "TypeError"),
    ],
)
def test_failure_of_a_parser_is_bad_input(error: BaseException, message: str) -> None:
    def fail(_: bytes) -> None:
        raise error

    with pytest.raises(BadInputError, match=message):
        parse(b"{}", fail, max_bytes=10)


def test_deep_json_of_the_standard_parser_is_bad_input() -> None:
    with pytest.raises(BadInputError, match="nested too deeply"):
        parse("[" * 100_000, json.loads, max_bytes=1_000_000)


def test_interrupt_is_not_bad_input() -> None:
    def interrupt(_: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        parse(b"", interrupt, max_bytes=1)
