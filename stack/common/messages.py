"""Messages between the API and the workers."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from common.config import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One image to classify."""

    id: str
    """Id of the entry in the broker's stream."""
    image: bytes
    """Contents of the image file."""
    added_s: float
    """Time at which the job was added, in seconds since the epoch of the broker's clock."""
    deadline_s: float
    """Time at which the request times out, by the same clock."""
    deliveries: int = 1
    """Number of deliveries to a worker, including this one."""


@dataclass(frozen=True, slots=True)
class Classification:
    """A class and its score."""

    label: str
    score: float
    """Confidence of the model, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The reply to a classified job."""

    top: tuple[Classification, ...]
    """The best classes, best first."""
    batch_size: int
    """Number of images in the batch."""
    queue_ms: float
    """Time from adding the job to the start of inference, minus `decode_ms`."""
    decode_ms: float
    infer_ms: float
    """Inference time of the whole batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The reply to a job that could not be classified."""

    fault: Literal["image", "service", "late"]
    """Cause of the failure: an invalid image, the service, or a deadline that has passed."""
    reason: str
    """Error message for the client."""


Reply = Prediction | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """Properties of a worker, as shown by /health."""

    id: str
    device: Device
    model: str
    batch_size: int
    ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerStatus:
    """A worker and its counters since it started."""

    info: WorkerInfo
    images: int = 0
    batches: int = 0
    infer_s: float = 0.0
    """Inference time in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    """Status of the queue and the workers at one moment."""

    waiting: int
    """Number of jobs waiting for a worker."""
    held: int
    """Number of jobs that workers have taken but not finished."""
    workers: tuple[WorkerStatus, ...]
    """Live workers, ordered by id."""


def pack(message: Reply | WorkerStatus) -> str:
    """Serialise a message for the broker."""
    return json.dumps(asdict(message), separators=(",", ":"))


def unpack_reply(text: bytes) -> Reply:
    """Deserialise a reply."""
    fields = json.loads(text)
    if "fault" in fields:
        return Failure(**fields)
    return Prediction(**fields | {"top": tuple(Classification(**each) for each in fields["top"])})


def unpack_status(text: bytes) -> WorkerStatus:
    """Deserialise a worker's status."""
    fields = json.loads(text)
    return WorkerStatus(**fields | {"info": WorkerInfo(**fields["info"])})
