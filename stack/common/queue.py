"""The API's access to the job queue: add jobs and wait for their replies."""

from common import scripts
from common.broker import ALIVE_PREFIX, REPLY_PREFIX, RESPONSE_TIMEOUT_S, WAKEUP_PREFIX, Broker
from common.errors import DeadlineError, NoWorkerError, QueueFullError
from common.messages import QueueStatus, Reply, WorkerStatus, unpack_reply, unpack_status

SHORT_CONNECTIONS = 16
WAKEUP_TTL_MS = 3_000
GRACE_S = 0.5
"""Seconds after the longest wait before an unresponsive broker counts as hung."""


class JobQueue:
    """Adds jobs and waits for replies. Thread-safe."""

    def __init__(
        self, url: str, *, max_queue: int, slots: int, longest_wait_s: float, password: str = ""
    ) -> None:
        """Create the queue; it connects on first use.

        Args:
            url: URL of the broker.
            max_queue: Maximum number of waiting jobs.
            slots: Maximum number of threads that wait for a reply.
            longest_wait_s: Maximum seconds that a thread waits for a reply.
            password: Password of the broker. Empty for none.
        """
        self._max_queue = max_queue
        # Short commands do not share connections with blocking ones, so a hung broker is detected
        # early.
        half_s = min(RESPONSE_TIMEOUT_S, longest_wait_s) / 2
        short = Broker(
            url,
            password=password,
            connections=SHORT_CONNECTIONS,
            timeout_s=half_s,
            queue_s=half_s,
        )
        self._waiting = Broker(
            url, password=password, connections=slots, timeout_s=longest_wait_s + GRACE_S
        )
        self._admit = short.script(scripts.ADMIT)
        self._withdraw = short.script(scripts.WITHDRAW)
        self._status = short.script(scripts.STATUS)

    def add(self, image: bytes, left_s: float) -> str:
        """Add a job for an image, with `left_s` seconds until its deadline, and return its id.

        Raises QueueFullError, NoWorkerError or BrokerError.
        """
        left_us = round(left_s * 1e6)
        settings = (ALIVE_PREFIX, WAKEUP_PREFIX, WAKEUP_TTL_MS, self._max_queue)
        match self._admit(*settings, left_us, image):
            case b"full":
                raise QueueFullError("The queue is full.")
            case b"no worker":
                raise NoWorkerError("No worker is ready.")
            case job_id:
                return str(job_id, "ascii")

    def wait(self, job_id: str, timeout_s: float) -> Reply:
        """Wait for the reply to a job; withdraw the job on a timeout.

        Raises DeadlineError or BrokerError.
        """
        popped: tuple[bytes, bytes] | None = self._waiting.call(
            lambda client: client.blpop([REPLY_PREFIX + job_id], timeout=timeout_s)
        )
        if popped is None:
            self._withdraw(job_id)
            raise DeadlineError("No reply came before the deadline.")
        return unpack_reply(popped[1])

    def status(self) -> QueueStatus:
        """Return the status of the queue and of each live worker. Raises BrokerError."""
        waiting, held, statuses = self._status(ALIVE_PREFIX)
        workers: dict[str, WorkerStatus] = {}
        for text in statuses:
            status = unpack_status(text)
            workers[status.info.id] = status
        return QueueStatus(
            waiting=waiting, held=held, workers=tuple(workers[name] for name in sorted(workers))
        )
