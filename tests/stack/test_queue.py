"""The job queue with a real broker, without API and model."""

import pytest

from common.errors import BrokerError, DeadlineError, NoWorkerError, QueueFullError
from common.messages import Failure
from common.queue import JobQueue
from tests.support.stack_harness import FakeWorker, Stack, until

DONE = Failure(fault="service", reason="first")
AGAIN = Failure(fault="service", reason="second")


def registered(stack: Stack, name: str) -> FakeWorker:
    """Return a live worker."""
    worker = stack.fake_worker(name)
    worker.announce()
    return worker


def unregistered(stack: Stack, name: str) -> FakeWorker:
    """Return a worker that has unregistered, leaving its jobs behind."""
    worker = registered(stack, name)
    worker.inbox.leave()
    return worker


def worker_ids(queue: JobQueue) -> list[str]:
    """Return the ids of the live workers."""
    return [status.info.id for status in queue.status().workers]


def wakeups(stack: Stack) -> dict[str, int]:
    """Return the number of pending wake-ups of each worker."""
    prefix = "loadbench:wakeup:"
    with stack.broker.client() as client:
        keys = [key.decode() for key in client.keys(f"{prefix}*")]
        return {key.removeprefix(prefix).split(".")[0]: client.llen(key) for key in keys}


def test_a_job_is_processed_and_answered(stack: Stack) -> None:
    queue, worker = stack.queue(), registered(stack, "a")
    job_id = queue.add(b"image", 9)
    [job] = worker.take()
    assert (job.id, job.image, job.deliveries) == (job_id, b"image", 1)
    assert worker.finish(job, DONE) == 1
    with stack.broker.client() as client:
        assert 0 < client.pttl(f"loadbench:reply:{job_id}") <= 60_000
    assert queue.wait(job_id, 1) == DONE
    assert (stack.jobs(), stack.pending()) == (0, 0)


def test_a_job_is_answered_once(stack: Stack) -> None:
    queue, slow, quick = stack.queue(), registered(stack, "slow"), registered(stack, "quick")
    job_id = queue.add(b"image", 9)
    [held] = slow.take()
    slow.inbox.leave()
    reclaimed = until(quick.inbox.reclaim)
    assert reclaimed.id == held.id
    assert quick.finish(reclaimed, DONE) == 1
    assert slow.finish(held, AGAIN) == 0
    assert queue.wait(job_id, 1) == DONE
    with pytest.raises(DeadlineError):
        queue.wait(job_id, 0.1)


def test_only_waiting_jobs_count_towards_the_limit(stack: Stack) -> None:
    queue, worker = stack.queue(max_queue=2), registered(stack, "a")
    queue.add(b"1", 9)
    assert len(worker.take()) == 1
    queue.add(b"2", 9)
    queue.add(b"3", 9)
    with pytest.raises(QueueFullError):
        queue.add(b"4", 9)
    [second] = worker.take()
    worker.finish(second, DONE)
    queue.add(b"4", 9)


def test_jobs_are_rejected_without_a_live_worker(stack: Stack) -> None:
    queue = stack.queue()
    with pytest.raises(NoWorkerError):
        queue.add(b"image", 9)
    unregistered(stack, "a")
    with pytest.raises(NoWorkerError):
        queue.add(b"image", 9)


def test_a_worker_without_a_heartbeat_counts_as_dead(stack: Stack) -> None:
    queue = stack.queue()
    registered(stack, "a")
    assert worker_ids(queue) == ["a"]
    until(lambda: not worker_ids(queue), timeout_s=5)


def test_jobs_of_live_workers_are_not_reclaimed(stack: Stack) -> None:
    queue, busy, idle = stack.queue(), registered(stack, "busy"), registered(stack, "idle")
    queue.add(b"image", 9)
    busy.take()
    assert idle.inbox.reclaim() is None


def test_jobs_are_reclaimed_one_at_a_time_and_count_their_deliveries(stack: Stack) -> None:
    queue, first = stack.queue(), registered(stack, "first")
    ids = [queue.add(b"1", 9), queue.add(b"2", 9)]
    assert len(first.take(2)) == 2
    first.inbox.leave()
    second = registered(stack, "second")
    jobs = [until(second.inbox.reclaim), until(second.inbox.reclaim)]
    assert [(job.id, job.deliveries) for job in jobs] == [(ids[0], 2), (ids[1], 2)]
    assert second.inbox.reclaim() is None


def test_a_renamed_worker_reclaims_its_own_jobs(stack: Stack) -> None:
    queue, worker = stack.queue(), registered(stack, "a")
    job_id = queue.add(b"image", 9)
    worker.take()
    worker.inbox.rename()
    worker.announce()
    assert until(worker.inbox.reclaim).id == job_id
    assert worker_ids(queue) == ["a"]


def test_a_busy_worker_is_woken_to_take_one_more_job(stack: Stack) -> None:
    queue, busy = stack.queue(), registered(stack, "busy")
    queue.add(b"1", 9)
    assert len(busy.take()) == 1
    queue.add(b"2", 9)
    queue.add(b"3", 9)
    assert wakeups(stack) == {"busy": 1}
    busy.inbox.listen(500)
    assert wakeups(stack) == {}
    assert [job.image for job in busy.take(2)] == [b"2", b"3"]


def test_the_worker_with_the_fewest_jobs_is_woken(stack: Stack) -> None:
    queue, loaded, light = stack.queue(), registered(stack, "loaded"), registered(stack, "light")
    for number in range(3):
        queue.add(bytes([number]), 9)
    assert (len(loaded.take(2)), len(light.take(1))) == (2, 1)
    queue.add(b"more", 9)
    assert wakeups(stack) == {"light": 1}


def test_a_busy_worker_is_not_woken_while_another_is_idle(stack: Stack) -> None:
    queue, busy, idle = stack.queue(), registered(stack, "busy"), registered(stack, "idle")
    queue.add(b"1", 9)
    assert len(busy.take()) == 1
    queue.add(b"2", 9)
    assert wakeups(stack) == {}
    assert [job.image for job in idle.take()] == [b"2"]


def test_a_worker_can_wake_its_own_thread(stack: Stack) -> None:
    worker = registered(stack, "a")
    worker.inbox.wake()
    worker.inbox.wake()
    assert wakeups(stack) == {"a": 1}
    worker.inbox.listen(500)
    assert wakeups(stack) == {}


def test_a_job_has_the_deadline_of_its_request(stack: Stack) -> None:
    queue, worker = stack.queue(), registered(stack, "a")
    queue.add(b"image", 9)
    [job] = worker.take()
    assert job.deadline_s - job.added_s == pytest.approx(9)


def test_the_status_counts_waiting_and_held_jobs(stack: Stack) -> None:
    queue, worker = stack.queue(), registered(stack, "a")
    for number in range(3):
        queue.add(bytes([number]), 9)
    assert len(worker.take()) == 1
    status = queue.status()
    assert (status.waiting, status.held) == (2, 1)


def test_an_untaken_job_is_withdrawn_at_its_deadline(stack: Stack) -> None:
    queue, worker = stack.queue(), registered(stack, "a")
    with pytest.raises(DeadlineError):
        queue.wait(queue.add(b"image", 9), 0.05)
    assert stack.jobs() == 0
    taken = queue.add(b"image", 9)
    worker.take()
    with pytest.raises(DeadlineError):
        queue.wait(taken, 0.05)
    assert (stack.jobs(), stack.pending()) == (1, 1)


def test_the_queue_recovers_from_a_broker_that_lost_its_data(stack: Stack) -> None:
    queue, worker = stack.queue(), registered(stack, "a")
    with stack.broker.client() as client:
        client.flushall()
    assert worker.inbox.reclaim() is None
    assert worker_ids(queue) == []
    worker.announce()
    job_id = queue.add(b"image", 9)
    assert [job.id for job in worker.take()] == [job_id]


def test_an_unreachable_broker_is_an_error(stack: Stack) -> None:
    queue = stack.queue()
    stack.broker.stop()
    with pytest.raises(BrokerError):
        queue.add(b"image", 9)
    with pytest.raises(BrokerError):
        queue.status()
    stack.start_broker()
    assert worker_ids(queue) == []
