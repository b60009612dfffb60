"""What a terminal can do, and work beside the screens."""

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
    examine,
    speak_utf8,
    why_not,
)
from tests.support.harness import until

# Work beside the screens


def test_the_result_of_work_is_returned() -> None:
    def divide(a: int, *, by: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        return a // by

    assert asyncio.run(in_background(divide, 12, by=4)) == 3


def test_what_work_raises_is_raised() -> None:
    def refuse() -> None:
        raise ProfileError("it is broken")

    with pytest.raises(ProfileError, match="it is broken"):
        asyncio.run(in_background(refuse))


def test_others_go_on_while_work_is_done() -> None:
    ready = threading.Event()

    async def both() -> bool:
        work = asyncio.create_task(in_background(ready.wait, 20))
        await asyncio.sleep(0)
        ready.set()
        return await work

    assert asyncio.run(both())


def test_work_that_nobody_waits_for_any_more_may_end() -> None:
    begun, ready = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def work() -> str:
        threads.append(threading.current_thread())
        begun.set()
        ready.wait(20)
        return "too late"

    async def leave() -> None:
        task = asyncio.create_task(in_background(work))
        await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        ready.set()
        await asyncio.to_thread(threads[0].join)
        await asyncio.sleep(0)

    asyncio.run(leave(), debug=True)
    assert not threads[0].is_alive()


def test_no_program_waits_for_work_that_is_not_done() -> None:
    ready = threading.Event()

    async def leave() -> None:
        task = asyncio.create_task(in_background(ready.wait, 20))
        await asyncio.sleep(0)
        task.cancel()

    before = threading.enumerate()
    begun = time.monotonic()
    asyncio.run(leave())
    left = [it for it in threading.enumerate() if it not in before]
    ready.set()

    assert time.monotonic() - begun < 10
    assert all(it.daemon for it in left)
    until(lambda: all(not it.is_alive() for it in left), within_s=20)


def test_calls_of_a_queue_keep_their_order_whatever_one_raises() -> None:
    called: list[int] = []
    first = threading.Event()

    def call(number: int) -> int:
        if number == 0:
            assert first.wait(20)
        called.append(number)
        if number == 1:
            raise ProfileError("it is broken")
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
        with pytest.raises(ProfileError, match="it is broken"):
            await tasks[1]

    asyncio.run(add(), debug=True)
    assert called == [0, 1, 2]


def test_a_queue_is_drained_no_longer_than_the_timeout() -> None:
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


# A terminal

Lend = Callable[[str], None]


@pytest.fixture
def lend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lend]:
    """Lends this process a terminal that speaks an encoding."""
    with ExitStack() as stack:

        def do(encoding: str) -> None:
            ours, theirs = os.openpty()
            stack.callback(os.close, ours)
            stdin = stack.enter_context(os.fdopen(theirs, encoding=encoding))
            stderr = stack.enter_context(os.fdopen(os.dup(theirs), "w", encoding=encoding))
            monkeypatch.setattr(sys, "__stdin__", stdin)
            monkeypatch.setattr(sys, "__stderr__", stderr)
            monkeypatch.setattr(sys, "__stdout__", stderr)

        yield do


@pytest.fixture
def terminal(lend: Lend) -> None:
    """A terminal that speaks UTF-8."""
    lend("utf-8")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("environ", "found"),
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
def test_how_to_draw_is_found_in_the_environment(environ: dict[str, str], found: Terminal) -> None:
    assert why_not(environ) is None
    assert examine(TerminalOptions(), environ) == found


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("colours", "light"),
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
def test_a_light_background_is_believed_where_it_is_told(colours: str, light: bool) -> None:
    environ = {"TERM": "xterm-256color", "COLORFGBG": colours}

    assert examine(TerminalOptions(), environ).light is light


@pytest.mark.usefixtures("terminal")
def test_who_wants_ascii_characters_gets_them() -> None:
    found = examine(TerminalOptions(ascii_only=True), {"TERM": "xterm-256color"})

    assert found == Terminal(ascii=True, signs=True)


@pytest.mark.parametrize(
    ("encoding", "ascii_"), [("utf-8", False), ("UTF8", False), ("ascii", True), ("latin-1", True)]
)
def test_a_terminal_that_does_not_speak_utf8_gets_ascii(
    lend: Lend, encoding: str, ascii_: bool
) -> None:
    lend(encoding)

    found = examine(TerminalOptions(), {"TERM": "xterm-256color"})

    assert (found.ascii, found.signs) == (ascii_, ascii_)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_place_text_is_refused_with_what_can_be_done(term: str) -> None:
    expected = rf"^no screen can be shown: the terminal .*\(TERM={term}\); .* --plain"

    with pytest.raises(UsageError, match=expected):
        examine(TerminalOptions(), {"TERM": term})


@pytest.mark.parametrize("name", ["__stdin__", "__stdout__", "__stderr__"])
@pytest.mark.parametrize("kind", ["pipe", "closed", "none"])
def test_without_a_terminal_at_both_ends_no_screen_is_shown(
    lend: Lend, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    lend("utf-8")
    stream = None if kind == "none" else StringIO()
    if stream and kind == "closed":
        stream.close()
    monkeypatch.setattr(sys, name, stream)

    assert why_not({"TERM": "xterm"}) == ("standard input, output and error are not all a terminal")
    with pytest.raises(UsageError, match=r"not all a terminal; .* --plain"):
        examine(TerminalOptions(), {"TERM": "xterm"})


def test_what_is_drawn_is_written_as_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = BytesIO()
    monkeypatch.setattr(sys, "__stderr__", TextIOWrapper(raw, encoding="ascii"))

    speak_utf8()

    assert sys.__stderr__ is not None
    sys.__stderr__.write("▶\ud800")
    sys.__stderr__.flush()
    assert raw.getvalue() == "▶?".encode()


def test_a_stream_that_cannot_be_told_so_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", StringIO())

    speak_utf8()


@pytest.mark.parametrize(
    ("terminal_", "theme"),
    [
        (Terminal(), "loadbench-dark"),
        (Terminal(light=True), "loadbench-light"),
        (Terminal(few_colours=True), "loadbench-ansi-dark"),
        (Terminal(few_colours=True, light=True), "loadbench-ansi-light"),
    ],
)
def test_a_theme_fits_its_terminal(terminal_: Terminal, theme: str) -> None:
    assert terminal_.theme == theme
