"""Taking jobs and reclaiming those of dead workers, with a real broker but without a network."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

import common.inbox
import model.consumer
from common.errors import BrokerError, ImageError
from common.messages import Failure, Job, Reply
from model.batcher import Batcher
from model.consumer import DEADLINE_PASSED, JobConsumer
from model.heartbeat import Heartbeat
from model.preprocess import Pixels
from tests.support.stack_harness import FakeWorker, Stack, until


@dataclass
class ConsumerHarness:
    """A worker that takes jobs in a thread; the test plays the part of the network."""

    stack: Stack
    batcher: Batcher
    worker: FakeWorker
    decoded: list[bytes] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    """Set to let decoding continue."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start taking jobs."""
        self.heartbeat = Heartbeat(
            self.worker.inbox,
            self.worker.status,
            None,
            stopping=self.stopping.is_set,
            failed=lambda _: None,
        )
        consumer = JobConsumer(
            self.worker.inbox, self.batcher, self.decode, decode_threads=1, send=self.send
        )
        self.thread = threading.Thread(
            target=consumer.run, args=[self.heartbeat, self.stopping.is_set]
        )
        self.thread.start()

    def decode(self, image: bytes) -> Pixels:
        """Act as a decoder that fails on some images."""
        assert self.release.wait(20)
        self.decoded.append(image)
        if image == b"no image":
            raise ImageError("Not an image.")
        if image == b"bug":
            raise RuntimeError("a bug in a decoder")
        return np.zeros(1, np.float32)

    def send(self, pairs: Sequence[tuple[Job, Reply]]) -> None:
        """Record the replies and finish their jobs."""
        self.replies += [reply for _, reply in pairs]
        self.worker.inbox.finish(pairs)

    def waits_in(self, command: str) -> bool:
        """Return whether the worker is blocked in a command of the broker."""
        with self.stack.broker.client() as client:
            return any(
                connection["cmd"] == command and "b" in connection["flags"]
                for connection in client.client_list()
            )

    def close(self) -> None:
        """Stop the worker, even if it is waiting."""
        self.stopping.set()
        self.release.set()
        self.batcher.close()
        self.stack.broker.stop()
        self.thread.join(20)


@pytest.fixture
def harness(stack: Stack) -> Iterator[ConsumerHarness]:
    """A registered worker that has not started taking jobs."""
    harness = ConsumerHarness(stack, Batcher(1, fill_s=0, ahead=2), stack.fake_worker("a"))
    harness.worker.announce()
    yield harness
    harness.close()


def test_jobs_that_cannot_be_decoded_get_an_error_reply(harness: ConsumerHarness) -> None:
    queue = harness.stack.queue()
    for image, left_s in ((b"bug", 9), (b"no image", 9), (b"late", 0)):
        queue.add(image, left_s)
    harness.release.set()
    harness.start()
    until(lambda: len(harness.replies) == 3)
    assert harness.replies == [
        Failure(fault="service", reason="The decoder failed on this image."),
        Failure(fault="image", reason="Not an image."),
        DEADLINE_PASSED,
    ]
    assert harness.decoded == [b"bug", b"no image"]
    until(lambda: harness.batcher.idle)
    assert harness.stack.jobs() == 0


def test_a_worker_without_jobs_waits_for_the_next_job(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common.inbox, "MAX_WAIT_MS", 60_000)
    monkeypatch.setattr(model.consumer, "IDLE_MS", 60_000)
    harness = ConsumerHarness(stack, Batcher(1, fill_s=0, ahead=2), stack.fake_worker("a"))
    harness.worker.announce()
    harness.start()
    try:
        until(lambda: harness.waits_in("xreadgroup"))
        stack.queue().add(b"no image", 60)
        until(lambda: harness.waits_in("blpop"))
        harness.release.set()
        assert until(lambda: harness.waits_in("xreadgroup"))
    finally:
        harness.close()


def test_jobs_of_a_dead_worker_are_processed_one_at_a_time(harness: ConsumerHarness) -> None:
    queue, dead = harness.stack.queue(), harness.stack.fake_worker("dead")
    dead.announce()
    for image in (b"1", b"2"):
        queue.add(image, 60)
    assert len(dead.take(2)) == 2
    dead.inbox.leave()
    queue.add(b"its own", 60)
    harness.release.set()
    harness.start()

    for number in range(3):
        harness.batcher.next()
        # New jobs are still waiting in the stream, and no other job is decoded.
        assert queue.status().waiting == (1 if number < 2 else 0)
        assert harness.decoded == [b"1", b"2", b"its own"][: number + 1]
        harness.batcher.done()


def test_a_reconnected_worker_is_a_new_consumer(harness: ConsumerHarness) -> None:
    queue = harness.stack.queue()
    queue.add(b"delivered and not received", 9)
    harness.worker.take()
    harness.start()
    harness.heartbeat.reconnect_after(BrokerError("the connection broke"))
    assert [status.info.id for status in queue.status().workers] == ["a"]
    harness.release.set()
    [job] = harness.batcher.next()
    assert harness.decoded == [b"delivered and not received"]
    assert job.job.deliveries == 2
    harness.batcher.done()
