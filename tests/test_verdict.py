"""What a cell's numbers are worth, rule by rule."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.events import ErrorCount, Verdict
from loadbench.engine.measure.steady import Steadiness
from loadbench.engine.measure.verdict import Evidence, judge

BUSY = (ErrorCount(error="503 queue full", count=7), ErrorCount(error="timeout", count=1))
FAULTS = (ErrorCount(error="KeyError('x')", count=2), ErrorCount(error="other", count=1))


def evidence(**changes: Any) -> Evidence:
    """A thousand successes, nothing else, steady."""
    fields: dict[str, Any] = {
        "successes": 1000,
        "failures": 0,
        "aborted": 0,
        "errors": (),
        "exceptions": (),
        "steadiness": Steadiness(True),
        "users": 6,
        "fewest_users": 6,
        "client_cpu_cores": 0.3,
    }
    return Evidence(**{**fields, **changes})


def test_a_cell_that_was_not_asked_to_settle_is_not_blamed_for_it() -> None:
    assert judge(evidence(steadiness=None)) == (Verdict.VALID, ())


def test_a_steady_cell_without_failures_is_valid() -> None:
    assert judge(evidence()) == (Verdict.VALID, ())


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"successes": 0}, Verdict.INVALID, "no request was completed"),
        (
            {"successes": 0, "failures": 8, "errors": BUSY},
            Verdict.INVALID,
            "no request succeeded: 503 queue full (7 times)",
        ),
        (
            {"failures": 100, "errors": BUSY},
            Verdict.SUSPECT,
            "9.1 % of the requests failed: 503 queue full (7 times)",
        ),
        (
            {"exceptions": FAULTS},
            Verdict.SUSPECT,
            "the locustfile raised 3 exceptions: KeyError('x') (2 times)",
        ),
        ({"aborted": 4}, Verdict.SUSPECT, "4 requests had no answer long after their timeout"),
        (
            {"steadiness": Steadiness(False, "the rate still moves")},
            Verdict.SUSPECT,
            "not settled: the rate still moves",
        ),
        (
            {"fewest_users": 3},
            Verdict.INVALID,
            "only 3 of 6 users were there all the time",
        ),
        (
            {"client_cpu_cores": 0.93},
            Verdict.SUSPECT,
            "client-bound: Locust used 0.93 of a core, so part of the latency is its own",
        ),
    ],
)
def test_what_is_wrong_with_a_cell_is_said_in_words(
    changes: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    assert judge(evidence(**changes)) == (verdict, (reason,))


def test_one_failure_in_a_hundred_is_too_many_and_fewer_are_not() -> None:
    assert judge(evidence(successes=990, failures=10))[0] is Verdict.SUSPECT
    assert judge(evidence(successes=991, failures=9))[0] is Verdict.VALID


def test_all_reasons_are_given_and_the_worst_decides() -> None:
    verdict, reasons = judge(
        evidence(successes=0, aborted=4, steadiness=Steadiness(False, "too few"))
    )
    assert verdict is Verdict.INVALID
    assert reasons == (
        "no request was completed",
        "4 requests had no answer long after their timeout",
        "not settled: too few",
    )


def test_a_cell_whose_users_raise_before_any_request_has_no_success() -> None:
    verdict, reasons = judge(evidence(successes=0, exceptions=FAULTS))
    assert verdict is Verdict.INVALID
    assert reasons[0] == "no request succeeded"


counts = st.integers(0, 1000)
errors = st.lists(st.builds(ErrorCount, error=st.text(), count=st.integers(1, 9)), max_size=2)


@given(
    st.builds(
        Evidence,
        successes=counts,
        failures=counts,
        aborted=counts,
        errors=errors,
        exceptions=errors,
        steadiness=st.builds(Steadiness, st.booleans(), st.text()),
    )
)
def test_numbers_are_valid_exactly_where_no_reason_speaks_against_them(told: Evidence) -> None:
    verdict, reasons = judge(told)
    assert (verdict is Verdict.VALID) is (not reasons)
    there = told.fewest_users >= told.users
    assert (verdict is Verdict.INVALID) is (not told.successes or not there)
