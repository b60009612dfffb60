"""One job decoded, and one batch of them through the network."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.messages import Failure, Guess, Job, Prediction, Reply
from model.preprocess import Pixels

Preprocess = Callable[[bytes], Pixels]
Classify = Callable[[Pixels], Sequence[tuple[Guess, ...]]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A job whose picture is ready for the network."""

    job: Job
    pixels: Pixels
    decode_ms: float
    since_s: float
    """When it became ready, by the monotonic clock."""


def decode(job: Job, preprocess: Preprocess) -> Decoded:
    """Prepare a job's picture. Raises ImageError."""
    started = time.perf_counter()
    pixels = preprocess(job.image)
    # The file is not needed any more, and may be larger than the pixels.
    return Decoded(replace(job, image=b""), pixels, _since_ms(started), time.monotonic())


def infer(batch: Sequence[Decoded], classify: Classify) -> list[tuple[Job, Reply]]:
    """Run the network once."""
    # The broker stamped the jobs, so only the clock on the wall can be compared with it.
    started_s = time.time()
    started = time.perf_counter()
    tops = classify(_together([one.pixels for one in batch]))
    infer_ms = _since_ms(started)

    def reply(one: Decoded, top: tuple[Guess, ...]) -> Reply:
        if math.isnan(top[0].score):
            return Failure(fault="service", reason="The network gave no numbers for this picture.")
        return Prediction(
            top=top,
            batch_size=len(batch),
            queue_ms=max(0.0, (started_s - one.job.added_s) * 1000 - one.decode_ms),
            decode_ms=one.decode_ms,
            infer_ms=infer_ms,
        )

    return [(one.job, reply(one, top)) for one, top in zip(batch, tops, strict=True)]


def _together(pictures: list[Pixels]) -> Pixels:
    # A picture alone need not be copied, which costs a hundredth of what a small network does.
    return np.stack(pictures) if len(pictures) > 1 else pictures[0][np.newaxis]


def _since_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000
