"""How a worker takes jobs, and those of dead workers, on a real broker and without a network."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

import common.inbox
import model.intake
from common.errors import BrokerError, ImageError
from common.messages import Failure, Job, Reply
from model.batcher import Batcher
from model.intake import LATE, Intake
from model.preprocess import Pixels
from model.presence import Presence
from tests.support.stack_harness import FakeWorker, Stack, until


@dataclass
class Taking:
    """A worker that takes jobs in a thread, and whose network is the test."""

    stack: Stack
    batcher: Batcher
    worker: FakeWorker
    decoded: list[bytes] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    """Decoding waits for it."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to take jobs."""
        self.presence = Presence(
            self.worker.inbox,
            self.worker.status,
            None,
            stopping=self.stopping.is_set,
            failed=lambda _: None,
        )
        intake = Intake(
            self.worker.inbox, self.batcher, self.decode, decode_threads=1, send=self.send
        )
        self.thread = threading.Thread(
            target=intake.run, args=[self.presence, self.stopping.is_set]
        )
        self.thread.start()

    def decode(self, image: bytes) -> Pixels:
        """Stand for a decoder that some pictures are too much for."""
        assert self.release.wait(20)
        self.decoded.append(image)
        if image == b"no picture":
            raise ImageError("No picture.")
        if image == b"bug":
            raise RuntimeError("a bug in a decoder")
        return np.zeros(1, np.float32)

    def send(self, pairs: Sequence[tuple[Job, Reply]]) -> None:
        """Take the replies."""
        self.replies += [reply for _, reply in pairs]
        self.worker.inbox.finish(pairs)

    def waits_in(self, command: str) -> bool:
        """Whether the broker keeps it waiting in a command."""
        with self.stack.broker.client() as client:
            return any(it["cmd"] == command and "b" in it["flags"] for it in client.client_list())

    def close(self) -> None:
        """End it, whatever it waits for."""
        self.stopping.set()
        self.release.set()
        self.batcher.close()
        self.stack.broker.stop()
        self.thread.join(20)


@pytest.fixture
def taking(stack: Stack) -> Iterator[Taking]:
    """A worker that lives and has not begun."""
    taking = Taking(stack, Batcher(1, fill_s=0, ahead=2), stack.fake_worker("a"))
    taking.worker.announce()
    yield taking
    taking.close()


def test_what_cannot_be_decoded_is_answered(taking: Taking) -> None:
    queue = taking.stack.queue()
    for image, left_s in ((b"bug", 9), (b"no picture", 9), (b"late", 0)):
        queue.add(image, left_s)
    taking.release.set()
    taking.start()
    until(lambda: len(taking.replies) == 3)
    assert taking.replies == [
        Failure(fault="service", reason="The picture made the decoder fail."),
        Failure(fault="image", reason="No picture."),
        LATE,
    ]
    assert taking.decoded == [b"bug", b"no picture"]
    until(lambda: taking.batcher.idle)
    assert taking.stack.jobs() == 0


def test_a_worker_left_without_a_job_waits_for_the_next_itself(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common.inbox, "MAX_WAIT_MS", 60_000)
    monkeypatch.setattr(model.intake, "IDLE_MS", 60_000)
    taking = Taking(stack, Batcher(1, fill_s=0, ahead=2), stack.fake_worker("a"))
    taking.worker.announce()
    taking.start()
    try:
        until(lambda: taking.waits_in("xreadgroup"))
        stack.queue().add(b"no picture", 60)
        until(lambda: taking.waits_in("blpop"))
        taking.release.set()
        assert until(lambda: taking.waits_in("xreadgroup"))
    finally:
        taking.close()


def test_the_jobs_of_a_dead_worker_are_done_alone(taking: Taking) -> None:
    queue, dead = taking.stack.queue(), taking.stack.fake_worker("dead")
    dead.announce()
    for image in (b"1", b"2"):
        queue.add(image, 60)
    assert len(dead.take(2)) == 2
    dead.inbox.leave()
    queue.add(b"its own", 60)
    taking.release.set()
    taking.start()

    for number in range(3):
        taking.batcher.next()
        # What is new still waits on the stream, and nothing else is decoded.
        assert queue.look().waiting == (1 if number < 2 else 0)
        assert taking.decoded == [b"1", b"2", b"its own"][: number + 1]
        taking.batcher.done()


def test_after_the_broker_a_worker_is_another_consumer(taking: Taking) -> None:
    queue = taking.stack.queue()
    queue.add(b"delivered and not received", 9)
    taking.worker.take()
    taking.start()
    taking.presence.return_after(BrokerError("the connection broke"))
    assert [status.info.id for status in queue.look().workers] == ["a"]
    taking.release.set()
    [job] = taking.batcher.next()
    assert taking.decoded == [b"delivered and not received"]
    assert job.job.deliveries == 2
    taking.batcher.done()
