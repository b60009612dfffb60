"""Collecting jobs into batches, and dropping expired jobs."""

import threading
import time

import numpy as np

from common.messages import Job
from model.batch import Decoded
from model.batcher import Batcher
from tests.support.stack_harness import Stack, image, until

LONG_S = 60.0


def job(*, expired: bool = False) -> Job:
    """Return a job before or after its deadline."""
    now = time.time()
    return Job(
        id="1-0", image=b"", added_s=now - 1, deadline_s=now + (-0.001 if expired else LONG_S)
    )


def decoded_job(since_s: float | None = None) -> Decoded:
    """Return a job with a decoded image."""
    return Decoded(job(), np.zeros(1, np.float32), 0.0, since_s or time.monotonic())


def filled(batcher: Batcher, jobs: int) -> Batcher:
    """Add decoded jobs to a batcher and return it."""
    batcher.expect(jobs)
    for _ in range(jobs):
        batcher.add(decoded_job())
    return batcher


def test_a_full_batch_is_returned_immediately() -> None:
    batcher = filled(Batcher(2, fill_s=LONG_S, ahead=4), 3)
    assert len(batcher.next()) == 2
    assert batcher.wait_for_room(0) == 3


def test_a_partly_filled_batch_waits_for_the_configured_time() -> None:
    batcher = filled(Batcher(2, fill_s=0.05, ahead=2), 1)
    [job] = batcher.next()
    assert time.monotonic() >= job.since_s + 0.05


def test_time_spent_waiting_during_inference_counts() -> None:
    batcher = Batcher(8, fill_s=LONG_S, ahead=8)
    batcher.expect(1)
    batcher.add(decoded_job(since_s=time.monotonic() - LONG_S))
    assert len(batcher.next()) == 1


def test_the_next_batch_is_prepared_during_inference() -> None:
    batcher = filled(Batcher(2, fill_s=0, ahead=2), 2)
    assert batcher.wait_for_room(0) == 0
    assert len(batcher.next()) == 2
    assert batcher.wait_for_room(0) == 2
    assert not filled(batcher, 2).done()
    assert len(batcher.next()) == 2
    assert batcher.done()


def test_remaining_jobs_are_returned_after_closing_without_waiting() -> None:
    batcher = filled(Batcher(4, fill_s=LONG_S, ahead=4), 1)
    batcher.expect(1)
    sizes: list[int] = []
    thread = threading.Thread(target=lambda: sizes.append(len(batcher.next())))
    thread.start()
    batcher.close()
    batcher.add(decoded_job())
    thread.join(10)
    assert sizes == [2]
    batcher.done()
    assert batcher.next() == []


def test_a_worker_can_wait_until_it_has_no_jobs() -> None:
    batcher = filled(Batcher(1, fill_s=0, ahead=1), 1)
    waiting = threading.Thread(target=batcher.wait_until_empty)
    waiting.start()
    batcher.next()
    batcher.done()
    waiting.join(10)
    assert not waiting.is_alive()


def test_removing_the_last_job_is_reported() -> None:
    batcher = filled(Batcher(1, fill_s=0, ahead=2), 1)
    batcher.expect(1)
    batcher.next()
    assert not batcher.drop()
    assert batcher.done()
    batcher.expect(1)
    assert batcher.drop()


def test_an_expired_job_is_neither_decoded_nor_classified(stack: Stack) -> None:
    stack.start_api(DEADLINE_MS="1000")
    stack.start_ready_worker(BATCH_SIZE="2", BATCH_WAIT_MS="1500")
    response = stack.post(image("cat"))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json() == {"error": "No reply came before the deadline."}
    until(lambda: stack.jobs() == 0)
    both = [stack.post_later(image("cat")) for _ in range(2)]
    assert {post.result().status_code for post in both} == {200}
    until(lambda: stack.metric("loadbench_worker_images_total") == 2)
    assert stack.metric("loadbench_worker_batches_total") == 1
