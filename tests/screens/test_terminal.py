"""Terminal capabilities and background work."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from loadbench.errors import ProfileError, UsageError
from loadbench.ui.background import BackgroundQueue, in_background
from loadbench.ui.terminal.capabilities import (
    Terminal,
    TerminalOptions,
    detect_terminal,
    unsupported_reason,
    use_utf8,
)
from tests.support.harness import until

# Background work


def test_background_call_returns_its_result() -> None:
    def divide(a: int, *, by: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        return a // by

    assert asyncio.run(in_background(divide, 12, by=4)) == 3


def test_exception_of_a_background_call_is_raised() -> None:
    def fail() -> None:
        raise ProfileError("the profile is broken")

    with pytest.raises(ProfileError, match="the profile is broken"):
        asyncio.run(in_background(fail))


def test_background_call_does_not_block_the_event_loop() -> None:
    ready = threading.Event()

    async def both() -> bool:
        work = asyncio.create_task(in_background(ready.wait, 20))
        await asyncio.sleep(0)
        ready.set()
        return await work

    assert asyncio.run(both())


def test_cancelled_background_call_may_complete() -> None:
    started, ready = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def work() -> str:
        threads.append(threading.current_thread())
        started.set()
        ready.wait(20)
        return "too late"

    async def cancel() -> None:
        task = asyncio.create_task(in_background(work))
        await asyncio.to_thread(started.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ready.set()
        await asyncio.to_thread(threads[0].join)
        await asyncio.sleep(0)

    asyncio.run(cancel(), debug=True)
    assert not threads[0].is_alive()


def test_exit_does_not_wait_for_background_calls() -> None:
    ready = threading.Event()

    async def cancel() -> None:
        task = asyncio.create_task(in_background(ready.wait, 20))
        await asyncio.sleep(0)
        task.cancel()

    before = threading.enumerate()
    started = time.monotonic()
    asyncio.run(cancel())
    remaining = [thread for thread in threading.enumerate() if thread not in before]
    ready.set()

    assert time.monotonic() - started < 10
    assert all(thread.daemon for thread in remaining)
    until(lambda: all(not thread.is_alive() for thread in remaining), within_s=20)


def test_queue_runs_calls_in_order_despite_an_exception() -> None:
    called: list[int] = []
    first = threading.Event()

    def call(number: int) -> int:
        if number == 0:
            assert first.wait(20)
        called.append(number)
        if number == 1:
            raise ProfileError("the profile is broken")
        return number

    async def add() -> None:
        queue = BackgroundQueue()
        assert not queue.is_busy
        tasks = [queue.add(call, number) for number in range(3)]
        await asyncio.sleep(0)
        assert (called, queue.is_busy) == ([], True)
        first.set()
        await queue.drain(timeout_s=20)
        assert (await tasks[0], await tasks[2], queue.is_busy) == (0, 2, False)
        with pytest.raises(ProfileError, match="the profile is broken"):
            await tasks[1]

    asyncio.run(add(), debug=True)
    assert called == [0, 1, 2]


def test_draining_a_queue_times_out() -> None:
    ready = threading.Event()

    async def add() -> None:
        queue = BackgroundQueue()
        await queue.drain(timeout_s=20)
        queue.add(ready.wait, 20)
        await queue.drain(timeout_s=0.01)
        assert queue.is_busy
        ready.set()
        await queue.drain(timeout_s=20)
        assert not queue.is_busy

    asyncio.run(add())


# Capabilities

OpenTerminal = Callable[[str], None]


@pytest.fixture
def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenTerminal]:
    """Connect this process to a pseudo-terminal with an encoding."""
    with ExitStack() as stack:

        def connect(encoding: str) -> None:
            master, slave = os.openpty()
            stack.callback(os.close, master)
            stdin = stack.enter_context(os.fdopen(slave, encoding=encoding))
            stderr = stack.enter_context(os.fdopen(os.dup(slave), "w", encoding=encoding))
            monkeypatch.setattr(sys, "__stdin__", stdin)
            monkeypatch.setattr(sys, "__stderr__", stderr)
            monkeypatch.setattr(sys, "__stdout__", stderr)

        yield connect


@pytest.fixture
def terminal(open_terminal: OpenTerminal) -> None:
    """Connect this process to a UTF-8 terminal."""
    open_terminal("utf-8")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color"}, Terminal()),
        ({"TERM": "tmux-direct"}, Terminal()),
        ({"TERM": "xterm"}, Terminal(few_colours=True)),
        ({"TERM": "screen"}, Terminal(few_colours=True)),
        ({"TERM": "rxvt-16color"}, Terminal(few_colours=True)),
        ({}, Terminal(few_colours=True)),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, Terminal()),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, Terminal()),
        ({"TERM": "xterm", "COLORTERM": "yes"}, Terminal(few_colours=True)),
        ({"TERM": "linux"}, Terminal(ascii=True, signs=True, few_colours=True)),
        ({"TERM": "vt100"}, Terminal(ascii=True, signs=True, few_colours=True)),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, Terminal(signs=True)),
    ],
)
def test_capabilities_are_detected_from_the_environment(
    environ: dict[str, str], expected: Terminal
) -> None:
    assert unsupported_reason(environ) is None
    assert detect_terminal(TerminalOptions(), environ) == expected


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("colours", "is_light"),
    [
        ("0;15", True),
        ("0;default;15", True),
        ("0;7", True),
        ("15", True),
        ("15;0", False),
        ("7;8", False),
        ("0;default", False),
        ("", False),
    ],
)
def test_light_background_is_detected_from_colorfgbg(colours: str, is_light: bool) -> None:
    environ = {"TERM": "xterm-256color", "COLORFGBG": colours}

    assert detect_terminal(TerminalOptions(), environ).light is is_light


@pytest.mark.usefixtures("terminal")
def test_ascii_only_option_is_honoured() -> None:
    detected = detect_terminal(TerminalOptions(ascii_only=True), {"TERM": "xterm-256color"})

    assert detected == Terminal(ascii=True, signs=True)


@pytest.mark.parametrize(
    ("encoding", "is_ascii"),
    [("utf-8", False), ("UTF8", False), ("ascii", True), ("latin-1", True)],
)
def test_terminal_without_utf8_gets_ascii(
    open_terminal: OpenTerminal, encoding: str, is_ascii: bool
) -> None:
    open_terminal(encoding)

    detected = detect_terminal(TerminalOptions(), {"TERM": "xterm-256color"})

    assert (detected.ascii, detected.signs) == (is_ascii, is_ascii)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_unsupported_terminal_is_rejected_with_an_alternative(term: str) -> None:
    expected = rf"^Cannot start the TUI: this terminal .*\(TERM={term}\)\. .* --plain"

    with pytest.raises(UsageError, match=expected):
        detect_terminal(TerminalOptions(), {"TERM": term})


@pytest.mark.parametrize("name", ["__stdin__", "__stdout__", "__stderr__"])
@pytest.mark.parametrize("kind", ["pipe", "closed", "none"])
def test_redirected_streams_are_rejected(
    open_terminal: OpenTerminal, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    open_terminal("utf-8")
    stream = None if kind == "none" else StringIO()
    if stream and kind == "closed":
        stream.close()
    monkeypatch.setattr(sys, name, stream)

    reason = "standard input, output and error must all be a terminal"
    assert unsupported_reason({"TERM": "xterm"}) == reason
    with pytest.raises(UsageError, match=rf"{reason}\. .* --plain"):
        detect_terminal(TerminalOptions(), {"TERM": "xterm"})


def test_standard_error_is_set_to_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = BytesIO()
    monkeypatch.setattr(sys, "__stderr__", TextIOWrapper(raw, encoding="ascii"))

    use_utf8()

    assert sys.__stderr__ is not None
    sys.__stderr__.write("▶\ud800")
    sys.__stderr__.flush()
    assert raw.getvalue() == "▶?".encode()


def test_stream_without_an_encoding_is_left_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", StringIO())

    use_utf8()


@pytest.mark.parametrize(
    ("terminal_", "theme"),
    [
        (Terminal(), "loadbench-dark"),
        (Terminal(light=True), "loadbench-light"),
        (Terminal(few_colours=True), "loadbench-ansi-dark"),
        (Terminal(few_colours=True, light=True), "loadbench-ansi-light"),
    ],
)
def test_theme_matches_the_terminal(terminal_: Terminal, theme: str) -> None:
    assert terminal_.theme == theme
