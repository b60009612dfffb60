"""A worker's end of the job queue: live, take jobs, finish them, rescue those of the dead."""

import uuid
from collections.abc import Iterable

from common import scripts
from common.broker import (
    ALIVE_PREFIX,
    ANSWER_TIMEOUT_S,
    BELL_PREFIX,
    GROUP,
    REPLY_PREFIX,
    STREAM,
    Broker,
)
from common.messages import Job, Reply, WorkerStatus, pack

LIFE_MS = 3_000
"""A worker that has not announced itself for this long is dead, and its jobs go to others."""
REPLY_LIFE_MS = 60_000
"""A reply that nobody fetches is forgotten after this."""
CONNECTIONS = 4
MAX_WAIT_MS = 500
"""The most that one command asks the broker to wait."""

Entry = tuple[bytes, dict[bytes, bytes]]


class Inbox:
    """What one worker does with the queue, from as many threads as it has connections."""

    def __init__(self, url: str, worker_id: str) -> None:
        """Nothing is sent yet: the worker lives from its first `announce` on."""
        self._broker = Broker(
            url, connections=CONNECTIONS, timeout_s=MAX_WAIT_MS / 1000 + ANSWER_TIMEOUT_S
        )
        self._announce = self._broker.script(scripts.ANNOUNCE)
        self._finish = self._broker.script(scripts.FINISH)
        self._rescue = self._broker.script(scripts.RESCUE)
        self._ring = self._broker.script(scripts.RING)
        self._id = worker_id
        self._name = self._former = self._new_name()

    def rename(self) -> None:
        """Go on as a new consumer from the next `announce` on.

        The old one dies with it, so that others rescue what it held: jobs that were delivered and
        not received because the connection broke. What this worker holds of them itself is answered
        by whoever is the first.
        """
        self._former, self._name = self._name, self._new_name()

    def announce(self, status: WorkerStatus) -> None:
        """Say that this worker lives and is ready, for the next LIFE_MS."""
        name, former = self._name, self._former  # once, as `rename` may come in between
        self._announce(ALIVE_PREFIX, LIFE_MS, pack(status), name, former)

    def leave(self) -> None:
        """Say that this worker is gone."""
        self._broker.call(lambda client: client.delete(ALIVE_PREFIX + self._name))

    def take(self, most: int, *, wait_ms: int = 0) -> list[Job]:
        """Take waiting jobs; where there are none, wait for the first (MAX_WAIT_MS at most)."""
        block_ms = min(wait_ms, MAX_WAIT_MS) or None
        streams: list[tuple[bytes, list[Entry]]] | None = self._broker.call(
            lambda client: client.xreadgroup(
                GROUP, self._name, {STREAM: ">"}, count=most, block=block_ms
            )
        )
        return [_job(entry) for _, entries in streams or () for entry in entries]

    def listen(self, wait_ms: int) -> None:
        """Wait, while others may be idle, until this worker is asked to take one more job.

        Unlike `take`, this takes no job away from a worker that could start with it now.
        """
        wait_s = min(wait_ms, MAX_WAIT_MS) / 1000
        self._broker.call(lambda client: client.blpop([self._bell], timeout=wait_s))

    def ring(self) -> None:
        """End the `listen` of another thread, now or when it begins."""
        self._ring(self._bell, LIFE_MS)

    def finish(self, replies: Iterable[tuple[Job, Reply]]) -> int:
        """End jobs and send their replies; returns how many had not been ended before."""
        pairs = [part for job, reply in replies for part in (job.id, pack(reply))]
        return int(self._finish(REPLY_PREFIX, REPLY_LIFE_MS, *pairs))

    def rescue(self) -> Job | None:
        """Claim one job of a dead worker, if there is any."""
        claimed = self._rescue(ALIVE_PREFIX, self._name)
        if claimed is None:
            return None
        deliveries, entry_id, flat = claimed
        return _job((entry_id, dict(zip(flat[::2], flat[1::2], strict=True))), deliveries)

    def _new_name(self) -> str:
        return f"{self._id}.{uuid.uuid4().hex[:8]}"

    @property
    def _bell(self) -> str:
        return BELL_PREFIX + self._name


def _job(entry: Entry, deliveries: int = 1) -> Job:
    entry_id, fields = entry
    return Job(
        id=entry_id.decode("ascii"),
        image=fields[b"image"],
        added_s=int(fields[b"added_us"]) / 1e6,
        deadline_s=int(fields[b"deadline_us"]) / 1e6,
        deliveries=deliveries,
    )
