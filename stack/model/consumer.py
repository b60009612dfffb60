"""Take jobs from the broker as capacity allows, and decode them while inference runs."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from common.errors import BrokerError, ImageError
from common.inbox import Inbox
from common.messages import Failure, Job, Reply
from model.batch import Preprocess, decode
from model.batcher import Batcher
from model.heartbeat import Heartbeat

MAX_DELIVERIES = 3
"""Maximum number of workers that try a job before it fails."""
RECLAIM_INTERVAL_S = 1.0
"""Seconds between checks for jobs of dead workers."""
IDLE_MS = 500
"""Maximum time in ms to wait for a job or for capacity."""

DEADLINE_PASSED = Failure(fault="late", reason="No reply came before the deadline.")

Send = Callable[[Sequence[tuple[Job, Reply]]], None]

log = logging.getLogger("worker")


class JobConsumer:
    """Takes jobs until the worker stops. Call `run` in a separate thread."""

    def __init__(
        self,
        inbox: Inbox,
        batcher: Batcher,
        preprocess: Preprocess,
        *,
        decode_threads: int,
        send: Send,
    ) -> None:
        """Create the consumer. `send` receives the replies to jobs that fail before inference."""
        self._inbox = inbox
        self._batcher = batcher
        self._preprocess = preprocess
        self._decoders = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")
        self._send = send
        self._next_reclaim_s = 0.0
        self._is_listening = False

    def run(self, heartbeat: Heartbeat, stopping: Callable[[], bool]) -> None:
        """Take and decode jobs until `stopping` returns True; then decode those already taken."""
        while not stopping():
            try:
                self._reclaim_when_due(stopping)
                if room := self._batcher.wait_for_room(IDLE_MS / 1000):
                    self._decode_all(self._take(room))
            except BrokerError as error:
                heartbeat.reconnect_after(error)
        self._decoders.shutdown()

    def wake(self) -> None:
        """Wake `run` if it is waiting for a wake-up, because the batcher has become empty."""
        if self._is_listening:
            try:
                self._inbox.wake()
            except BrokerError:
                return  # the waiting thread gets the same error

    def _take(self, room: int) -> list[Job]:
        """Take up to `room` jobs.

        An idle worker waits for any job. A busy worker takes only jobs that are already waiting. If
        there are none, it waits for a wake-up, which the broker sends only if all workers are busy.
        """
        if self._batcher.idle:
            return self._inbox.take(room, wait_ms=IDLE_MS)
        if jobs := self._inbox.take(room):
            return jobs
        self._is_listening = True
        # `wake` is called after the batcher becomes empty, so setting the flag before this check
        # ensures that no wake-up is missed.
        if not self._batcher.idle:
            self._inbox.listen(IDLE_MS)
        self._is_listening = False
        return []

    def _decode_all(self, jobs: Sequence[Job]) -> None:
        self._batcher.expect(len(jobs))
        for job in jobs:
            self._decoders.submit(self._decode, job)

    def _decode(self, job: Job) -> None:
        reply = DEADLINE_PASSED
        if time.time() < job.deadline_s:
            try:
                self._batcher.add(decode(job, self._preprocess))
            except ImageError as error:
                reply = Failure(fault="image", reason=str(error))
            except Exception as error:  # noqa: BLE001  # a bug in a decoder must not end the worker
                log.info("decoder error: %s: %s", type(error).__name__, error)
                reply = Failure(fault="service", reason="The decoder failed on this image.")
            else:
                return
        self._send([(job, reply)])
        if self._batcher.drop():
            self.wake()

    def _reclaim_when_due(self, stopping: Callable[[], bool]) -> None:
        if time.monotonic() < self._next_reclaim_s:
            return
        while not stopping() and (job := self._inbox.reclaim()):
            if job.deliveries > MAX_DELIVERIES:
                log.info("gave up on job %s after %d deliveries", job.id, MAX_DELIVERIES)
                reason = f"{MAX_DELIVERIES} workers failed to process this image."
                self._send([(job, Failure(fault="service", reason=reason))])
            else:
                log.info("reclaimed job %s from a dead worker", job.id)
                self._process_alone(job)
        self._next_reclaim_s = time.monotonic() + RECLAIM_INTERVAL_S

    def _process_alone(self, job: Job) -> None:
        """Process a job that may have crashed a worker, without risk to other jobs."""
        self._batcher.wait_until_empty()
        self._batcher.expect(1)
        self._decode(job)
        self._batcher.wait_until_empty()
