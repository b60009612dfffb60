"""Fixtures: a shared service for tests that only send requests, a fresh one for all others."""

from collections.abc import Iterator

import pytest

from tests.support.stack_harness import Stack


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A broker; the test starts the other processes."""
    stack = Stack()
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def service() -> Iterator[Stack]:
    """The whole service with one worker and a batch size of 4."""
    stack = Stack()
    try:
        stack.start_api()
        stack.start_ready_worker(BATCH_SIZE="4", BATCH_WAIT_MS="1000", WORKER_ID="one")
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="session")
def single() -> Iterator[Stack]:
    """The whole service with one worker and a batch size of 1."""
    stack = Stack()
    try:
        stack.start_api()
        stack.start_ready_worker()
        yield stack
    finally:
        stack.close()
