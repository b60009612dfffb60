"""The API's end of the job queue: add a job, wait for its reply."""

from common import scripts
from common.broker import ALIVE_PREFIX, REPLY_PREFIX, Broker
from common.errors import DeadlineError, NoWorkerError, QueueFullError
from common.messages import Reply, WorkerInfo, unpack_reply, unpack_worker

SHORT_CONNECTIONS = 16


class JobQueue:
    """Adds jobs and waits for replies; safe to use from many threads."""

    def __init__(self, url: str, *, max_queue: int, slots: int, longest_wait_s: float) -> None:
        """`slots`: how many threads may wait for a reply at once, `longest_wait_s` each."""
        self._max_queue = max_queue
        # Apart from the waiting ones, so that a broker that hangs is noticed at once.
        short = Broker(url, connections=SHORT_CONNECTIONS)
        self._waiting = Broker(url, connections=slots, longest_wait_s=longest_wait_s)
        self._admit = short.script(scripts.ADMIT)
        self._withdraw = short.script(scripts.WITHDRAW)
        self._roster = short.script(scripts.ROSTER)

    def add(self, image: bytes) -> str:
        """Put a picture on the stream and return the job's id.

        Raises QueueFullError, NoWorkerError or BrokerError.
        """
        match self._admit(ALIVE_PREFIX, self._max_queue, image):
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

    def workers(self) -> tuple[WorkerInfo, ...]:
        """Tell which workers live, each name once. Raises BrokerError."""
        infos: dict[str, WorkerInfo] = {}
        for text in self._roster(ALIVE_PREFIX):
            info = unpack_worker(text)
            infos[info.id] = info
        return tuple(infos[name] for name in sorted(infos))
