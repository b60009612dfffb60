"""How jobs come in: taken from the broker as there is room, decoded beside the network."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from common.errors import BrokerError, ImageError
from common.inbox import Inbox
from common.messages import Failure, Job, Reply
from model.batch import Preprocess, decode
from model.batcher import Batcher
from model.presence import Presence

MAX_DELIVERIES = 3
RESCUE_S = 1.0
IDLE_MS = 500

LATE = Failure(fault="late", reason="No reply came before the deadline.")

Send = Callable[[Sequence[tuple[Job, Reply]]], None]

log = logging.getLogger("worker")


class Intake:
    """Takes jobs until the worker is asked to stop. `run` is for a thread of its own."""

    def __init__(
        self,
        inbox: Inbox,
        batcher: Batcher,
        preprocess: Preprocess,
        *,
        decode_threads: int,
        send: Send,
    ) -> None:
        """`send` takes the replies to jobs that do not reach the network."""
        self._inbox = inbox
        self._batcher = batcher
        self._preprocess = preprocess
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._send = send
        self._next_rescue_s = 0.0
        self._listening = False

    def run(self, presence: Presence, stopping: Callable[[], bool]) -> None:
        """Take and decode jobs; when asked to stop, those in hand are still decoded."""
        while not stopping():
            try:
                self._rescue_when_due(stopping)
                if room := self._batcher.wait_for_room(IDLE_MS / 1000):
                    self._decode_all(self._take(room))
            except BrokerError as error:
                presence.return_after(error)
        self._decoders.shutdown()

    def wake(self) -> None:
        """Say that the batcher holds nothing any more, so that `run` need not wait to be asked."""
        if self._listening:
            try:
                self._inbox.ring()
            except BrokerError:
                return  # the thread that listens finds out too

    def _take(self, room: int) -> list[Job]:
        """Take jobs: whatever comes while this worker holds none, else only what nobody else takes.

        The broker relies on that: it rings for a job only where every worker holds one.
        """
        if self._batcher.idle:
            return self._inbox.take(room, wait_ms=IDLE_MS)
        if jobs := self._inbox.take(room):
            return jobs
        self._listening = True
        # Whoever empties the batcher looks at `_listening` after it, so one of the two sees the
        # other.
        if not self._batcher.idle:
            self._inbox.listen(IDLE_MS)
        self._listening = False
        return []

    def _decode_all(self, jobs: Sequence[Job]) -> None:
        self._batcher.expect(len(jobs))
        for job in jobs:
            self._decoders.submit(self._decode, job)

    def _decode(self, job: Job) -> None:
        reply = LATE
        if time.time() < job.deadline_s:
            try:
                self._batcher.add(decode(job, self._preprocess))
            except ImageError as error:
                reply = Failure(fault="image", reason=str(error))
            except Exception as error:  # noqa: BLE001  # a decoder's bug is not a reason to die
                log.info("a picture made the decoder fail: %s: %s", type(error).__name__, error)
                reply = Failure(fault="service", reason="The picture made the decoder fail.")
            else:
                return
        self._send([(job, reply)])
        if self._batcher.drop():
            self.wake()

    def _rescue_when_due(self, stopping: Callable[[], bool]) -> None:
        if time.monotonic() < self._next_rescue_s:
            return
        while not stopping() and (job := self._inbox.rescue()):
            if job.deliveries > MAX_DELIVERIES:
                log.info("gave up on job %s: taken %d times", job.id, MAX_DELIVERIES)
                reason = f"{MAX_DELIVERIES} workers took this picture, and none finished it."
                self._send([(job, Failure(fault="service", reason=reason))])
            else:
                log.info("took over job %s from a dead worker", job.id)
                self._do_alone(job)
        self._next_rescue_s = time.monotonic() + RESCUE_S

    def _do_alone(self, job: Job) -> None:
        """Do a job that may have killed a worker, with nothing beside it that could die with it."""
        self._batcher.wait_until_empty()
        self._batcher.expect(1)
        self._decode(job)
        self._batcher.wait_until_empty()
