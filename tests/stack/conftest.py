"""Fixtures: one running service for tests that only ask, a fresh one for tests that break it."""

from collections.abc import Iterator

import pytest

from tests.support.stack_harness import Stack


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
