"""The fuzz benchmark: counts, time limits, shortened inputs, dying workers and planted faults."""

import os
import signal
import subprocess
import sys
import time
from random import Random
from typing import Any

import pytest

from bench.fuzz.harness import (
    Failure,
    Input,
    Kind,
    TooSlowError,
    require,
    run_part,
    shorten,
    time_limits,
    try_input,
)
from bench.fuzz.pool import PART, run_all
from bench.fuzz.values import changed_json, damaged, token
from tests.support.harness import REPOSITORY

WITHIN_S = 300.0


class Numbers(Kind):
    """Refuses odd numbers, and fails for some of them."""

    name = "numbers"

    def known(self) -> dict[str, Input]:
        return {"zero": Input("0")}

    def make(self, random: Random) -> Input:
        return Input(str(random.randrange(10, 1000)))

    def check(self, given: Input) -> bool:
        assert isinstance(given.data, str)
        require("7" not in given.data, "no seven", given.data)
        if "0" in given.data:
            raise KeyError(given.data)
        return not int(given.data) % 2


class Deadly(Numbers):
    """Ends its process at one number."""

    name = "deadly"

    def check(self, given: Input) -> bool:
        if given.data == "0":
            os.kill(os.getpid(), signal.SIGKILL)
        return True


def test_inputs_are_counted_and_equal_failures_are_merged() -> None:
    tally = run_part(Numbers(), 1, range(200), lambda _: None)
    by_error = {failure.error: failure for failure in tally.failures}
    assert set(by_error) == {"KeyError", "WrongResultError"}
    assert by_error["WrongResultError"].reproducer == "'7'"
    failed = sum(tally.failures.values())
    assert tally.inputs == tally.accepted + tally.refused + failed == 200
    assert min(tally.accepted, tally.refused, failed) > 10
    failure = tally.known["zero"]
    assert failure is not None
    assert failure.error == "KeyError"


def test_inputs_depend_only_on_the_seed() -> None:
    class Listing(Numbers):
        def __init__(self) -> None:
            self.seen: list[object] = []

        def check(self, given: Input) -> bool:
            self.seen.append(given.data)
            return True

    def inputs(seed: int, first: int) -> list[object]:
        kind = Listing()
        run_part(kind, seed, range(first, 20), lambda _: None)
        return kind.seen

    assert inputs(1, 0)[10:] == inputs(1, 10)
    assert inputs(1, 10) != inputs(2, 10)


def test_an_input_that_only_waits_is_too_slow() -> None:
    with pytest.raises(TooSlowError), time_limits(0.05):
        time.sleep(60)


def test_an_exception_that_a_broad_handler_could_catch_is_not_used_for_slow_inputs() -> None:
    class Waiting(Numbers):
        def wait_s(self, given: Input) -> float:
            return 0.05

        def check(self, given: Input) -> bool:
            try:
                time.sleep(60)
            except Exception:  # noqa: BLE001  # like a handler of the program
                return True
            return True

    found = try_input(Waiting(), Input("1"))
    assert isinstance(found, Failure)
    assert found.error == "TooSlowError"


@pytest.mark.parametrize("data", ["abcXdef", b"abcXdef", ("a", "b", "X", "c")])
def test_failing_inputs_are_shortened(data: str | bytes | tuple[str, ...]) -> None:
    needle: Any = b"X" if isinstance(data, bytes) else "X"
    shortest = shorten(Input(data, "mode"), lambda given: needle in given.data)
    assert (len(shortest.data), shortest.mode) == (1, "mode")


def test_an_input_that_ends_its_worker_is_a_failure_and_the_others_are_read() -> None:
    count = PART + 10
    [tally] = run_all([Deadly], {"deadly": count}, 1, 2, lambda: None).values()
    [(failure, number)] = tally.failures.items()
    assert (failure.error, failure.number, number) == ("process ended or hung", 0, 1)
    assert (tally.inputs, tally.accepted) == (count, count - 1)


def test_changed_lines_differ_from_the_original() -> None:
    line = b'{"type":"note","seq":1,"text":{"a":[1,2,[3]]}}'
    assert sum(changed_json(Random(seed), line) != line for seed in range(50)) > 40
    assert sum(damaged(Random(seed), line) != line for seed in range(50)) > 40
    assert len({token(Random(seed)) for seed in range(50)}) > 20


def fuzz(*arguments: str) -> tuple[int, str]:
    """Run the benchmark. Return its exit code and its output."""
    command = [sys.executable, "-m", "bench.fuzz_inputs", *arguments]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_program_survives_a_few_inputs_of_each_kind() -> None:
    code, output = fuzz("--count", "250")
    assert code == 0, output
    assert "journals" in output


@pytest.mark.parametrize(
    ("plant", "kind"),
    [("stage limit", "server-timing"), ("metric limit", "metrics"), ("parser", "commands")],
)
def test_a_removed_limit_is_found(plant: str, kind: str) -> None:
    code, output = fuzz("--count", "60", "--only", kind, "--plant", plant)
    assert code == 1, output
    assert "known inputs fail" in output
