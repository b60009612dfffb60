"""Well-formed and malformed `Server-Timing` headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from loadbench.engine.measure.server_timing import MAX_STAGE_MS, STAGES, parse_server_timing


def stages(header: str) -> dict[str, float]:
    """The stages of a response with this header."""
    return parse_server_timing(CaseInsensitiveDict({"Server-Timing": header}))


def test_the_stages_of_our_own_service_are_parsed() -> None:
    assert stages("queue;dur=31.2, decode;dur=3.1, infer;dur=18, total;dur=54.25") == {
        "queue_ms": 31.2,
        "decode_ms": 3.1,
        "infer_ms": 18.0,
        "total_ms": 54.25,
    }


@pytest.mark.parametrize(
    "header",
    [
        "total;dur=5",
        "  Total ; Dur = 5 ",
        'total;dur="5"',
        'total;desc="all, in all";dur=5.0',
        "cache;desc=hit, total;dur=5, db;dur=3",
        'total;dur=5, note;desc="as in: a, total;dur=9"',
        r'note;desc="a \" b, total;dur=9", total;dur=5',
        "miss, total;dur=5,",
        'total;dur=5, broken;desc="never closed, total;dur=9',
        'total;dur=5;desc="x;dur=99"',
        'total;desc="a;dur=9, b";dur=5',
        "total;dur=5;dur=9",
    ],
)
def test_all_spellings_of_the_total_are_parsed(header: str) -> None:
    assert stages(header) == {"total_ms": 5}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "queue;dur=5",
        "total",
        "total;dur",
        "total;dur=",
        "total;dur=soon",
        "total;desc=5",
        "total;dur=nan",
        "total;dur=inf",
        "total;dur=1e999",
        "total;dur=-5",
        "total;dur=1_0",
        "total;dur=٣",
        "queue;dur=1_0, decode;dur=1, infer;dur=1, total;dur=9",
        "total;dur=5, queue;dur=-inf",
        f"total;dur={MAX_STAGE_MS * 2}",
    ],
)
def test_an_implausible_header_is_ignored(header: str) -> None:
    assert stages(header) == {}


def test_two_header_lines_are_parsed_as_one() -> None:
    headers = {"server-timing": ["cdn;dur=1", "total;dur=5, queue;dur=2"]}
    assert parse_server_timing(headers) == {"total_ms": 5, "queue_ms": 2}


def test_a_missing_header_or_response_has_no_stages() -> None:
    assert parse_server_timing({}) == {}
    assert parse_server_timing(None) == {}


pieces = st.lists(
    st.sampled_from(
        [*STAGES, ";", ",", "dur=", "desc=", '"', "\\", " ", "=", "5", "nan", "-1e9", "1e400"]
    )
).map("".join)


@given(st.text() | pieces)
def test_the_durations_of_any_header_can_be_summed(header: str) -> None:
    found = stages(header)
    assert found.keys() <= set(STAGES.values())
    assert all(0 <= value <= MAX_STAGE_MS for value in found.values())


@given(st.lists(st.tuples(st.sampled_from([*STAGES, "db"]), st.floats(0, 1e6)), max_size=6))
def test_the_fast_path_agrees_with_the_full_parser(metrics: list[tuple[str, float]]) -> None:
    header = ", ".join(f"{name};dur={duration}" for name, duration in metrics)
    # An extra space bypasses the fast path.
    assert stages(header) == stages(header.replace(";", " ;"))


def test_a_header_of_an_unexpected_type_is_ignored() -> None:
    for value in (b"total;dur=5", 5, object()):
        assert parse_server_timing({"server-timing": value}) == {}
