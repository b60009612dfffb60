"""Run one input at a time: limit its time, classify the result, shorten what fails."""

import signal
import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType, TracebackType
from typing import Any

import loadbench

MAX_CPU_S = 2.0
"""Time limit of an input in seconds of CPU time, which does not depend on other processes."""
MAX_WAIT_S = 30.0
"""Default time limit of an input in seconds."""
MAX_SHORTEN_S = 4.0
"""Maximum seconds to spend on shortening a failing input."""
MAX_SHOWN_CHARACTERS = 300

_PACKAGE = Path(loadbench.__file__).parent
_BENCH = Path(__file__).parents[1]

Data = bytes | str | tuple[str, ...]


class TooSlowError(BaseException):
    """An input took longer than its time limit. No `except Exception` catches it."""


class WrongResultError(AssertionError):
    """An input was read without an exception, but with a wrong result.

    Args:
        rule: What must hold, which identifies the failure.
        detail: What was found.
    """

    def __init__(self, rule: str, detail: object = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule = rule


def require(condition: object, rule: str, detail: object = "") -> None:
    """Raise a `WrongResultError` unless a condition is true."""
    if not condition:
        raise WrongResultError(rule, detail)


@dataclass(frozen=True, slots=True)
class Input:
    """One input, as plain data."""

    data: Data
    mode: str = ""
    """How the data reaches the program, in words of its kind."""

    def shown(self) -> str:
        """Return the input as one truncated line."""
        text = repr(self.data)
        if len(text) > MAX_SHOWN_CHARACTERS:
            half = MAX_SHOWN_CHARACTERS // 2
            text = f"{text[:half]} …{len(text)} characters… {text[-half:]}"
        return f"[{self.mode}] {text}" if self.mode else text


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception or a wrong result."""

    kind: str
    error: str
    """Type of the exception."""
    place: str
    """File and function, or the rule that does not hold."""
    message: str = field(compare=False)
    reproducer: str = field(compare=False, default="")
    number: int = field(compare=False, default=0)


class Kind(ABC):
    """A kind of input."""

    name = ""
    share = 1.0
    """Share of all inputs, relative to the other kinds."""

    @abstractmethod
    def known(self) -> dict[str, Input]:
        """Return inputs that always come first, by the name of what each of them broke."""

    @abstractmethod
    def make(self, random: Random) -> Input:
        """Return a random input."""

    @abstractmethod
    def check(self, given: Input) -> bool:
        """Read an input. Return whether it was accepted, as opposed to refused with a message.

        Raises:
            Exception: Any exception is a failure.
        """

    def wait_s(self, given: Input) -> float:
        """Return the time limit of an input in seconds."""
        del given
        return MAX_WAIT_S


@dataclass(slots=True)
class Tally:
    """Counts of one kind."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    failures: Counter[Failure] = field(default_factory=Counter)
    known: dict[str, Failure | None] = field(default_factory=dict)
    """The failure of each known finding. None if it no longer fails."""

    def add(self, other: "Tally") -> None:
        """Add the counts of another part of the same kind."""
        self.inputs += other.inputs
        self.accepted += other.accepted
        self.refused += other.refused
        self.seconds += other.seconds
        self.known.update(other.known)
        for failure, number in other.failures.items():
            self.failures[failure] += number


@contextmanager
def time_limits(wait_s: float) -> Iterator[None]:
    """Raise a `TooSlowError` in the block after some seconds, or after `MAX_CPU_S` of CPU time."""
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, _raise_too_slow)
    # Repeated, because an exception in a finaliser is ignored.
    signal.setitimer(signal.ITIMER_REAL, wait_s, 0.5)
    signal.setitimer(signal.ITIMER_PROF, MAX_CPU_S, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _raise_too_slow(_number: int, _frame: FrameType | None) -> None:
    raise TooSlowError


def try_input(kind: Kind, given: Input) -> Failure | bool:
    """Read an input. Return whether it was accepted, or its failure."""
    found = _try_once(kind, given)
    if isinstance(found, Failure) and found.error == TooSlowError.__name__:
        # The machine may have been busy.
        found = _try_once(kind, given)
    return found


def _try_once(kind: Kind, given: Input) -> Failure | bool:
    try:
        with time_limits(kind.wait_s(given)):
            return kind.check(given)
    except (Exception, TooSlowError, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001  # any
        return _failure(kind.name, error)


def _failure(kind: str, error: BaseException) -> Failure:
    place = error.rule if isinstance(error, WrongResultError) else place_of(error)
    message = str(error).partition("\n")[0][:200]
    return Failure(kind, type(error).__name__, place, message)


def place_of(error: BaseException) -> str:
    """Return the innermost function of the program in a traceback, otherwise of the benchmark."""
    frames = list(_frames(error.__traceback__))
    for root in (_PACKAGE, _BENCH):
        inside = [frame for frame in frames if frame[0].is_relative_to(root)]
        if inside and isinstance(error, RecursionError):
            # The innermost function depends on the depth of the stack.
            path, name, _ = inside[-1]
            return str(path.relative_to(root.parent))
        if inside:
            path, name, line = inside[-1]
            return f"{path.relative_to(root.parent)}:{line} {name}"
    return "unknown"


def _frames(trace: TracebackType | None) -> Iterator[tuple[Path, str, int]]:
    for frame, line in traceback.walk_tb(trace):
        yield Path(frame.f_code.co_filename), frame.f_code.co_name, line


def shorten(given: Input, still_fails: Callable[[Input], bool]) -> Input:
    """Return the shortest input found that still fails in the same way."""
    deadline = time.monotonic() + MAX_SHORTEN_S
    size = len(given.data) // 2
    while size >= 1:
        start = 0
        while start < len(given.data):
            if time.monotonic() > deadline:
                return given
            head: Any = given.data[:start]
            shorter = Input(head + given.data[start + size :], given.mode)
            if still_fails(shorter):
                given = shorter
            else:
                start += size
        size //= 2
    return given


def run_part(kind: Kind, seed: int, numbers: range, on_input: Callable[[int], object]) -> Tally:
    """Read inputs by number; the first ones are those of the known findings.

    Args:
        kind: The kind.
        seed: The seed of all inputs.
        numbers: Numbers of the inputs to read.
        on_input: Called with each number before its input is read.
    """
    known, tally = list(kind.known().items()), Tally()
    started = time.monotonic()
    for number in numbers:
        on_input(number)
        name, given = known[number] if number < len(known) else ("", None)
        if given is None:
            given = kind.make(Random(f"{seed}/{kind.name}/{number}"))
        found = try_input(kind, given)
        tally.inputs += 1
        if isinstance(found, Failure):
            if found not in tally.failures:
                found = _reproducible(kind, given, found, number)
            tally.failures[found] += 1
        elif found:
            tally.accepted += 1
        else:
            tally.refused += 1
        if name:
            tally.known[name] = found if isinstance(found, Failure) else None
    tally.seconds = time.monotonic() - started
    return tally


def _reproducible(kind: Kind, given: Input, found: Failure, number: int) -> Failure:
    shortest = given
    if found.error != TooSlowError.__name__:
        shortest = shorten(given, lambda shorter: _try_once(kind, shorter) == found)
    return Failure(found.kind, found.error, found.place, found.message, shortest.shown(), number)
