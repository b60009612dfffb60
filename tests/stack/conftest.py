"""Fixtures: one running service for tests that only ask, a fresh one for tests that break it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "stack")]

from stack_harness import Stack  # noqa: E402  # found only on the path set above


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A broker, and what the test starts around it."""
    stack = Stack()
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def service() -> Iterator[Stack]:
    """The whole service with one worker that makes batches."""
    stack = Stack()
    try:
        stack.start_api()
        stack.start_ready_worker(BATCH_SIZE="4", BATCH_WAIT_MS="1000", WORKER_ID="one")
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="session")
def single() -> Iterator[Stack]:
    """The whole service with one worker that takes one picture at a time."""
    stack = Stack()
    try:
        stack.start_api()
        stack.start_ready_worker()
        yield stack
    finally:
        stack.close()
