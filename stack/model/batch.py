"""One batch of jobs: decode each, run the network once, reply to each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import ImageError
from common.messages import Failure, Guess, Job, Prediction, Reply
from model.preprocess import Pixels, decode

Classify = Callable[[Pixels], Sequence[tuple[Guess, ...]]]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A job whose picture is ready for the network."""

    job: Job
    pixels: Pixels
    decode_ms: float


def answer(jobs: Sequence[Job], classify: Classify) -> list[tuple[Job, Reply]]:
    """Reply to every job. A picture that cannot be decoded fails alone."""
    decoded: list[Decoded] = []
    replies: list[tuple[Job, Reply]] = []
    for job in jobs:
        try:
            decoded.append(_decode(job))
        except ImageError as error:
            replies.append((job, Failure(fault="image", reason=str(error))))
    if decoded:
        replies += _infer(decoded, classify)
    return replies


def _decode(job: Job) -> Decoded:
    started = time.perf_counter()
    pixels = decode(job.image)
    return Decoded(job, pixels, _since_ms(started))


def _infer(decoded: Sequence[Decoded], classify: Classify) -> list[tuple[Job, Reply]]:
    # The broker stamped the jobs, so only the clock on the wall can be compared with it.
    started_s = time.time()
    started = time.perf_counter()
    tops = classify(np.stack([one.pixels for one in decoded]))
    infer_ms = _since_ms(started)
    return [
        (
            one.job,
            Prediction(
                top=top,
                batch_size=len(decoded),
                queue_ms=max(0.0, (started_s - one.job.added_s) * 1000 - one.decode_ms),
                decode_ms=one.decode_ms,
                infer_ms=infer_ms,
            ),
        )
        for one, top in zip(decoded, tops, strict=True)
    ]


def _since_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000
