"""A worker's end of the job queue: live, take jobs, finish them, rescue those of the dead."""

import time
import uuid
from collections.abc import Iterable

from common import scripts
from common.broker import ALIVE_PREFIX, GROUP, REPLY_PREFIX, STREAM, Broker
from common.messages import Job, Reply, WorkerInfo, pack

LIFE_MS = 3_000
"""A worker that has not announced itself for this long is dead, and its jobs go to others."""
REPLY_LIFE_MS = 60_000
"""A reply that nobody fetches is forgotten after this."""
CONNECTIONS = 2
LONGEST_WAIT_MS = 1_000
"""The most that one command asks the broker to wait; longer waits are several commands."""

Entry = tuple[bytes, dict[bytes, bytes]]


class Inbox:
    """What one worker does with the queue. `announce` may be called from a second thread."""

    def __init__(self, url: str, info: WorkerInfo) -> None:
        """Nothing is sent yet: the worker lives from its first `announce` on."""
        self._broker = Broker(url, connections=CONNECTIONS, longest_wait_s=LONGEST_WAIT_MS / 1000)
        self._announce = self._broker.script(scripts.ANNOUNCE)
        self._finish = self._broker.script(scripts.FINISH)
        self._rescue = self._broker.script(scripts.RESCUE)
        self._info = info
        self.rename()

    def rename(self) -> None:
        """Go on as a new consumer.

        The old one dies, so that others rescue what it held: jobs that were delivered and not
        received because the connection broke, or because the process died and was started anew.
        """
        self._name = f"{self._info.id}.{uuid.uuid4().hex[:8]}"

    def announce(self) -> None:
        """Say that this worker lives and is ready, for the next LIFE_MS."""
        name = self._name  # once, as `rename` may come in between
        self._announce(ALIVE_PREFIX + name, LIFE_MS, pack(self._info), name)

    def leave(self) -> None:
        """Say that this worker is gone."""
        self._broker.call(lambda client: client.delete(ALIVE_PREFIX + self._name))

    def take(self, most: int, *, idle_ms: int, fill_ms: int) -> list[Job]:
        """Take waiting jobs.

        Waits `idle_ms` for the first job (LONGEST_WAIT_MS at most), then `fill_ms` for more,
        until there are `most`.
        """
        jobs = self._read(most, idle_ms)
        deadline = time.monotonic() + fill_ms / 1000
        while jobs and len(jobs) < most:
            left_ms = round((deadline - time.monotonic()) * 1000)
            if left_ms <= 0:
                break
            jobs += self._read(most - len(jobs), left_ms)
        return jobs

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

    def _read(self, most: int, wait_ms: int) -> list[Job]:
        block_ms = min(wait_ms, LONGEST_WAIT_MS)
        streams: list[tuple[bytes, list[Entry]]] | None = self._broker.call(
            lambda client: client.xreadgroup(
                GROUP, self._name, {STREAM: ">"}, count=most, block=block_ms
            )
        )
        return [_job(entry) for _, entries in streams or () for entry in entries]


def _job(entry: Entry, deliveries: int = 1) -> Job:
    entry_id, fields = entry
    return Job(
        id=entry_id.decode("ascii"),
        image=fields[b"image"],
        added_s=int(fields[b"added_us"]) / 1e6,
        deliveries=deliveries,
    )
