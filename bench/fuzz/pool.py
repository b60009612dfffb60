"""Worker processes that read inputs, and are replaced if an input ends or hangs one."""

import multiprocessing
import resource
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any

from bench.fuzz.harness import Failure, Kind, Tally, run_part

MAX_MEMORY_BYTES = 2_000_000_000
MAX_HANG_S = 200.0
"""Seconds after which a worker is killed that reads a single input."""
PART = 100
"""Number of inputs that a worker reads before it reports."""

Part = tuple[str, range]


@dataclass(slots=True)
class _Worker:
    process: ForkProcess
    connection: Connection
    current: Any
    """Shared number of the current input."""
    part: Part | None = None
    number: int = -1
    changed_at: float = 0.0


def run_all(
    kinds: Sequence[type[Kind]],
    counts: dict[str, int],
    seed: int,
    workers: int,
    prepare: Callable[[], object],
) -> dict[str, Tally]:
    """Read all inputs and return the counts by kind.

    Args:
        kinds: The kinds.
        counts: Number of inputs by name of the kind.
        seed: The seed.
        workers: Number of worker processes.
        prepare: Called in each worker at its start.
    """
    parts: deque[Part] = deque()
    for name, count in counts.items():
        parts += [(name, range(n, min(n + PART, count))) for n in range(0, count, PART)]
    tallies = {name: Tally() for name in counts}
    pool = [_start(kinds, seed, prepare) for _ in range(workers)]
    while parts or any(worker.part for worker in pool):
        for worker in pool:
            if parts and worker.part is None:
                worker.part = parts.popleft()
                worker.changed_at = time.monotonic()
                worker.connection.send(worker.part)
        wait([worker.connection for worker in pool if worker.part], timeout=1.0)
        for index, worker in enumerate(pool):
            if worker.part is None:
                continue
            try:
                if worker.connection.poll():
                    tallies[worker.part[0]].add(worker.connection.recv())
                    worker.part = None
                elif not _has_hung(worker):
                    continue
            except EOFError:
                pass
            if worker.part is not None:
                parts.extendleft(_replace(worker, tallies))
                pool[index] = _start(kinds, seed, prepare)
    for worker in pool:
        worker.connection.send(None)
        worker.process.join()
    return tallies


def _start(kinds: Sequence[type[Kind]], seed: int, prepare: Callable[[], object]) -> _Worker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    current = context.Value("q", -1)
    process = context.Process(target=_work, args=(theirs, current, kinds, seed, prepare))
    process.start()
    theirs.close()
    return _Worker(process, ours, current)


def _has_hung(worker: _Worker) -> bool:
    now = time.monotonic()
    if worker.current.value != worker.number:
        worker.number, worker.changed_at = worker.current.value, now
    return now - worker.changed_at > MAX_HANG_S


def _replace(worker: _Worker, tallies: dict[str, Tally]) -> list[Part]:
    """Record the input that ended or hung a worker. Return the inputs that are not read yet."""
    assert worker.part is not None
    worker.process.kill()
    worker.process.join()
    name, numbers = worker.part
    number, code = worker.current.value, worker.process.exitcode
    failure = Failure(name, "process ended or hung", f"exit code {code}", "", "", number)
    tally = tallies[name]
    tally.inputs += 1
    tally.failures[failure] += 1
    rest = (range(numbers.start, number), range(number + 1, numbers.stop))
    return [(name, part) for part in rest if part]


def _work(
    connection: Connection,
    current: Any,
    kinds: Sequence[type[Kind]],
    seed: int,
    prepare: Callable[[], object],
) -> None:
    prepare()
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    made: dict[str, Kind] = {}

    def on_input(number: int) -> None:
        current.value = number

    while part := connection.recv():
        name, numbers = part
        if name not in made:
            made[name] = next(kind for kind in kinds if kind.name == name)()
        connection.send(run_part(made[name], seed, numbers, on_input))
