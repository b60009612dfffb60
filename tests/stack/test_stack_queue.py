"""The job queue on a real broker, without the API and without a model."""

import pytest

from common.errors import BrokerError, DeadlineError, NoWorkerError, QueueFullError
from common.inbox import Inbox
from common.messages import Failure, Job
from stack_harness import Stack, until

DONE = Failure(fault="service", reason="first")
AGAIN = Failure(fault="service", reason="second")


def take(inbox: Inbox, most: int = 1) -> list[Job]:
    """Take what is there."""
    return inbox.take(most, idle_ms=500, fill_ms=0)


def alive(stack: Stack, name: str) -> Inbox:
    """A worker that lives."""
    inbox = stack.fake_worker(name)
    inbox.announce()
    return inbox


def dead(stack: Stack, name: str) -> Inbox:
    """A worker that is gone, and what it held is left."""
    inbox = alive(stack, name)
    inbox.leave()
    return inbox


def test_a_job_goes_round(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    job_id = queue.add(b"picture")
    [job] = take(worker)
    assert (job.id, job.image, job.deliveries) == (job_id, b"picture", 1)
    assert worker.finish([(job, DONE)]) == 1
    assert queue.wait(job_id, 1) == DONE
    assert (stack.jobs(), stack.pending()) == (0, 0)


def test_a_job_is_answered_once(stack: Stack) -> None:
    queue, slow, quick = stack.queue(), alive(stack, "slow"), alive(stack, "quick")
    job_id = queue.add(b"picture")
    [held] = take(slow)
    slow.leave()
    rescued = until(quick.rescue)
    assert rescued.id == held.id
    assert quick.finish([(rescued, DONE)]) == 1
    assert slow.finish([(held, AGAIN)]) == 0
    assert queue.wait(job_id, 1) == DONE
    with pytest.raises(DeadlineError):
        queue.wait(job_id, 0.1)


def test_only_waiting_jobs_count_against_the_limit(stack: Stack) -> None:
    queue, worker = stack.queue(max_queue=2), alive(stack, "a")
    queue.add(b"1")
    assert len(take(worker)) == 1
    queue.add(b"2")
    queue.add(b"3")
    with pytest.raises(QueueFullError):
        queue.add(b"4")
    [second] = take(worker)
    worker.finish([(second, DONE)])
    queue.add(b"4")


def test_without_a_living_worker_no_job_is_taken(stack: Stack) -> None:
    queue = stack.queue()
    with pytest.raises(NoWorkerError):
        queue.add(b"picture")
    dead(stack, "a")
    with pytest.raises(NoWorkerError):
        queue.add(b"picture")


def test_a_worker_that_is_silent_dies(stack: Stack) -> None:
    queue = stack.queue()
    alive(stack, "a")
    assert [info.id for info in queue.workers()] == ["a"]
    until(lambda: not queue.workers(), timeout_s=5)


def test_the_living_keep_their_jobs(stack: Stack) -> None:
    queue, busy, idle = stack.queue(), alive(stack, "busy"), alive(stack, "idle")
    queue.add(b"picture")
    take(busy)
    assert idle.rescue() is None


def test_rescued_jobs_come_alone_and_count_their_deliveries(stack: Stack) -> None:
    queue, first = stack.queue(), alive(stack, "first")
    ids = [queue.add(b"1"), queue.add(b"2")]
    assert len(take(first, 2)) == 2
    first.leave()
    second = alive(stack, "second")
    jobs = [until(second.rescue), until(second.rescue)]
    assert [(job.id, job.deliveries) for job in jobs] == [(ids[0], 2), (ids[1], 2)]
    assert second.rescue() is None


def test_a_renamed_worker_rescues_its_own(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    job_id = queue.add(b"picture")
    take(worker)
    worker.leave()
    worker.rename()
    worker.announce()
    assert until(worker.rescue).id == job_id
    assert [info.id for info in queue.workers()] == ["a"]


def test_a_batch_is_filled_up_while_there_is_time(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    queue.add(b"1")
    batch = stack.threads.submit(worker.take, 2, idle_ms=1000, fill_ms=5000)
    until(lambda: stack.pending() == 1)
    queue.add(b"2")
    assert [job.image for job in batch.result()] == [b"1", b"2"]


def test_a_job_nobody_took_is_withdrawn_at_its_deadline(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    with pytest.raises(DeadlineError):
        queue.wait(queue.add(b"picture"), 0.05)
    assert stack.jobs() == 0
    taken = queue.add(b"picture")
    take(worker)
    with pytest.raises(DeadlineError):
        queue.wait(taken, 0.05)
    assert (stack.jobs(), stack.pending()) == (1, 1)


def test_a_broker_that_lost_its_data_is_used_again(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    with stack.broker.client() as client:
        client.flushall()
    assert worker.rescue() is None
    assert queue.workers() == ()
    worker.announce()
    job_id = queue.add(b"picture")
    assert [job.id for job in take(worker)] == [job_id]


def test_a_broker_that_is_gone_is_told(stack: Stack) -> None:
    queue = stack.queue()
    stack.broker.stop()
    with pytest.raises(BrokerError):
        queue.add(b"picture")
    with pytest.raises(BrokerError):
        queue.workers()
    stack.start_broker()
    assert queue.workers() == ()
