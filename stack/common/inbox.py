"""A worker's access to the job queue.

Register the worker, take and finish jobs, and reclaim jobs of dead workers.
"""

import uuid
from collections.abc import Iterable

from common import scripts
from common.broker import (
    ALIVE_PREFIX,
    GROUP,
    REPLY_PREFIX,
    RESPONSE_TIMEOUT_S,
    STREAM,
    WAKEUP_PREFIX,
    Broker,
)
from common.messages import Job, Reply, WorkerStatus, pack

HEARTBEAT_TTL_MS = 3_000
"""Time in ms after which a worker without a heartbeat counts as dead."""
REPLY_TTL_MS = 60_000
"""Time in ms after which an unread reply expires."""
CONNECTIONS = 4
MAX_WAIT_MS = 500
"""Maximum time in ms that one command blocks in the broker."""

Entry = tuple[bytes, dict[bytes, bytes]]


class Inbox:
    """One worker's access to the queue, for at most CONNECTIONS threads at a time."""

    def __init__(self, url: str, worker_id: str, *, password: str = "") -> None:
        """Create the inbox without connecting; the first `announce` registers the worker."""
        self._broker = Broker(
            url,
            password=password,
            connections=CONNECTIONS,
            timeout_s=MAX_WAIT_MS / 1000 + RESPONSE_TIMEOUT_S,
        )
        self._announce = self._broker.script(scripts.ANNOUNCE)
        self._finish = self._broker.script(scripts.FINISH)
        self._reclaim = self._broker.script(scripts.RECLAIM)
        self._wake = self._broker.script(scripts.WAKE)
        self._id = worker_id
        self._name = self._previous_name = self._new_name()

    def rename(self) -> None:
        """Register as a new consumer with the next `announce`.

        The old consumer then counts as dead, so that its jobs are reclaimed, including those that
        were lost on a broken connection. If this worker still has some of them, only the first
        reply to each job is sent.
        """
        self._previous_name, self._name = self._name, self._new_name()

    def announce(self, status: WorkerStatus) -> None:
        """Register this worker as ready for the next HEARTBEAT_TTL_MS."""
        name, previous = self._name, self._previous_name  # read once: `rename` may run meanwhile
        self._announce(ALIVE_PREFIX, HEARTBEAT_TTL_MS, pack(status), name, previous)

    def leave(self) -> None:
        """Unregister this worker."""
        self._broker.call(lambda client: client.delete(ALIVE_PREFIX + self._name))

    def take(self, max_jobs: int, *, wait_ms: int = 0) -> list[Job]:
        """Take up to `max_jobs` waiting jobs.

        If there are none, wait up to `wait_ms` for the first, but at most MAX_WAIT_MS.
        """
        block_ms = min(wait_ms, MAX_WAIT_MS) or None
        streams: list[tuple[bytes, list[Entry]]] | None = self._broker.call(
            lambda client: client.xreadgroup(
                GROUP, self._name, {STREAM: ">"}, count=max_jobs, block=block_ms
            )
        )
        return [_job(entry) for _, entries in streams or () for entry in entries]

    def listen(self, wait_ms: int) -> None:
        """Wait for a wake-up, which the broker sends only if all workers are busy.

        Unlike `take`, this never takes a job that an idle worker could start immediately.
        """
        wait_s = min(wait_ms, MAX_WAIT_MS) / 1000
        self._broker.call(lambda client: client.blpop([self._wakeup_key], timeout=wait_s))

    def wake(self) -> None:
        """End the current or next `listen` of another thread."""
        self._wake(self._wakeup_key, HEARTBEAT_TTL_MS)

    def finish(self, replies: Iterable[tuple[Job, Reply]]) -> int:
        """Finish jobs and send their replies; return the number not finished before."""
        pairs = [part for job, reply in replies for part in (job.id, pack(reply))]
        return int(self._finish(REPLY_PREFIX, REPLY_TTL_MS, *pairs))

    def reclaim(self) -> Job | None:
        """Claim and return one job of a dead worker, or return None if there is none."""
        claimed = self._reclaim(ALIVE_PREFIX, self._name)
        if claimed is None:
            return None
        deliveries, entry_id, flat = claimed
        return _job((entry_id, dict(zip(flat[::2], flat[1::2], strict=True))), deliveries)

    def _new_name(self) -> str:
        return f"{self._id}.{uuid.uuid4().hex[:8]}"

    @property
    def _wakeup_key(self) -> str:
        return WAKEUP_PREFIX + self._name


def _job(entry: Entry, deliveries: int = 1) -> Job:
    entry_id, fields = entry
    return Job(
        id=entry_id.decode("ascii"),
        image=fields[b"image"],
        added_s=int(fields[b"added_us"]) / 1e6,
        deadline_s=int(fields[b"deadline_us"]) / 1e6,
        deliveries=deliveries,
    )
