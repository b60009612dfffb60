"""Decode single jobs, and run inference on batches of them."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.messages import Classification, Failure, Job, Prediction, Reply
from model.preprocess import Pixels

Preprocess = Callable[[bytes], Pixels]
Classify = Callable[[Pixels], Sequence[tuple[Classification, ...]]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A job whose image is decoded and ready for inference."""

    job: Job
    pixels: Pixels
    decode_ms: float
    since_s: float
    """Time at which the job became ready, in seconds of the monotonic clock."""


def decode(job: Job, preprocess: Preprocess) -> Decoded:
    """Decode the image of a job. Raises ImageError."""
    started = time.perf_counter()
    pixels = preprocess(job.image)
    # Drop the file: it is no longer needed and may be larger than the pixels.
    return Decoded(replace(job, image=b""), pixels, _since_ms(started), time.monotonic())


def infer(batch: Sequence[Decoded], classify: Classify) -> list[tuple[Job, Reply]]:
    """Run inference on a batch and return the reply to each job."""
    # The jobs have timestamps of the broker, so compare them with the wall clock.
    started_s = time.time()
    started = time.perf_counter()
    tops = classify(_stack([item.pixels for item in batch]))
    infer_ms = _since_ms(started)

    def reply(item: Decoded, top: tuple[Classification, ...]) -> Reply:
        if math.isnan(top[0].score):
            return Failure(fault="service", reason="The model output for this image is NaN.")
        return Prediction(
            top=top,
            batch_size=len(batch),
            queue_ms=max(0.0, (started_s - item.job.added_s) * 1000 - item.decode_ms),
            decode_ms=item.decode_ms,
            infer_ms=infer_ms,
        )

    return [(item.job, reply(item, top)) for item, top in zip(batch, tops, strict=True)]


def _stack(images: list[Pixels]) -> Pixels:
    # Do not copy a single image: that would take 1 % of the inference time of a small model.
    return np.stack(images) if len(images) > 1 else images[0][np.newaxis]


def _since_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000
