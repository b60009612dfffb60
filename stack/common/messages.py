"""What the API and the workers say to each other through the broker."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from common.config import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One picture to classify."""

    id: str
    """The broker's id of the entry on the stream."""
    image: bytes
    added_s: float
    """When the job came onto the stream, by the broker's clock, in seconds since the epoch."""
    deadline_s: float
    """By the same clock, when nobody waits for the reply any more."""
    deliveries: int = 1
    """How often a worker was given the job, this time included."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and how sure the network is of it, in 0…1."""

    label: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A job that was classified."""

    top: tuple[Guess, ...]
    """The best classes, the best first."""
    batch_size: int
    """How many pictures shared the run of the network."""
    queue_ms: float
    """From the stream to the start of the run, less `decode_ms`."""
    decode_ms: float
    infer_ms: float
    """The whole batch's run, undivided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A job that could not be classified."""

    fault: Literal["image", "service", "late"]
    """Whose fault it is: the picture's, or ours; late: its deadline had passed."""
    reason: str
    """One sentence for the client."""


Reply = Prediction | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """What a worker tells about itself while it lives."""

    id: str
    device: Device
    model: str
    batch_size: int
    ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """A worker, and what it has done since it started."""

    info: WorkerInfo
    images: int = 0
    batches: int = 0
    infer_s: float = 0.0
    """How long the network ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The service at one moment."""

    waiting: int
    """Jobs that no worker has taken."""
    held: int
    """Jobs that a worker has taken and not finished."""
    workers: tuple[WorkerStatus, ...]
    """The living ones, by id."""


def pack(message: Reply | WorkerStatus) -> str:
    """Turn a message into text for the broker."""
    return json.dumps(asdict(message), separators=(",", ":"))


def unpack_reply(text: bytes) -> Reply:
    """The reverse of `pack` for replies."""
    fields = json.loads(text)
    if "fault" in fields:
        return Failure(**fields)
    return Prediction(**fields | {"top": tuple(Guess(**guess) for guess in fields["top"])})


def unpack_status(text: bytes) -> WorkerStatus:
    """The reverse of `pack` for a worker's status."""
    fields = json.loads(text)
    return WorkerStatus(**fields | {"info": WorkerInfo(**fields["info"])})
