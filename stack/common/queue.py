"""The API's end of the job queue: add a job, wait for its reply."""

from common import scripts
from common.broker import ALIVE_PREFIX, ANSWER_TIMEOUT_S, BELL_PREFIX, REPLY_PREFIX, Broker
from common.errors import DeadlineError, NoWorkerError, QueueFullError
from common.messages import Look, Reply, WorkerStatus, unpack_reply, unpack_status

SHORT_CONNECTIONS = 16
BELL_LIFE_MS = 3_000
GRACE_S = 0.5
"""A broker that has not answered this long after the longest wait hangs."""


class JobQueue:
    """Adds jobs and waits for replies; safe to use from many threads."""

    def __init__(self, url: str, *, max_queue: int, slots: int, longest_wait_s: float) -> None:
        """`slots`: how many threads may wait for a reply at once, `longest_wait_s` each."""
        self._max_queue = max_queue
        # Apart from the waiting ones, so that a broker that hangs is noticed soon.
        half_s = min(ANSWER_TIMEOUT_S, longest_wait_s) / 2
        short = Broker(url, connections=SHORT_CONNECTIONS, timeout_s=half_s, queue_s=half_s)
        self._waiting = Broker(url, connections=slots, timeout_s=longest_wait_s + GRACE_S)
        self._admit = short.script(scripts.ADMIT)
        self._withdraw = short.script(scripts.WITHDRAW)
        self._look = short.script(scripts.LOOK)

    def add(self, image: bytes, left_s: float) -> str:
        """Put a picture on the stream that has `left_s` to be answered, and return the job's id.

        Raises QueueFullError, NoWorkerError or BrokerError.
        """
        left_us = round(left_s * 1e6)
        match self._admit(ALIVE_PREFIX, BELL_PREFIX, BELL_LIFE_MS, self._max_queue, left_us, image):
            case b"full":
                raise QueueFullError("The queue is full.")
            case b"nobody":
                raise NoWorkerError("No worker is ready.")
            case job_id:
                return str(job_id, "ascii")

    def wait(self, job_id: str, timeout_s: float) -> Reply:
        """Wait for the reply to a job. When it does not come, take the job back.

        Raises DeadlineError or BrokerError.
        """
        popped: tuple[bytes, bytes] | None = self._waiting.call(
            lambda client: client.blpop([REPLY_PREFIX + job_id], timeout=timeout_s)
        )
        if popped is None:
            self._withdraw(job_id)
            raise DeadlineError("No reply came before the deadline.")
        return unpack_reply(popped[1])

    def look(self) -> Look:
        """Tell how many jobs there are and which workers live, each id once. Raises BrokerError."""
        waiting, held, told = self._look(ALIVE_PREFIX)
        workers: dict[str, WorkerStatus] = {}
        for text in told:
            status = unpack_status(text)
            workers[status.info.id] = status
        return Look(
            waiting=waiting, held=held, workers=tuple(workers[name] for name in sorted(workers))
        )
