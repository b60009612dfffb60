"""The job queue on a real broker, without the API and without a model."""

import pytest

from common.errors import BrokerError, DeadlineError, NoWorkerError, QueueFullError
from common.messages import Failure
from common.queue import JobQueue
from tests.support.stack_harness import FakeWorker, Stack, until

DONE = Failure(fault="service", reason="first")
AGAIN = Failure(fault="service", reason="second")


def alive(stack: Stack, name: str) -> FakeWorker:
    """A worker that lives."""
    worker = stack.fake_worker(name)
    worker.announce()
    return worker


def dead(stack: Stack, name: str) -> FakeWorker:
    """A worker that is gone, and what it held is left."""
    worker = alive(stack, name)
    worker.inbox.leave()
    return worker


def names(queue: JobQueue) -> list[str]:
    """Who lives."""
    return [status.info.id for status in queue.look().workers]


def bells(stack: Stack) -> dict[str, int]:
    """How often each worker has been asked and has not listened."""
    prefix = "loadbench:bell:"
    with stack.broker.client() as client:
        keys = [key.decode() for key in client.keys(f"{prefix}*")]
        return {key.removeprefix(prefix).split(".")[0]: client.llen(key) for key in keys}


def test_a_job_goes_round(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    job_id = queue.add(b"picture", 9)
    [job] = worker.take()
    assert (job.id, job.image, job.deliveries) == (job_id, b"picture", 1)
    assert worker.finish(job, DONE) == 1
    with stack.broker.client() as client:
        assert 0 < client.pttl(f"loadbench:reply:{job_id}") <= 60_000
    assert queue.wait(job_id, 1) == DONE
    assert (stack.jobs(), stack.pending()) == (0, 0)


def test_a_job_is_answered_once(stack: Stack) -> None:
    queue, slow, quick = stack.queue(), alive(stack, "slow"), alive(stack, "quick")
    job_id = queue.add(b"picture", 9)
    [held] = slow.take()
    slow.inbox.leave()
    rescued = until(quick.inbox.rescue)
    assert rescued.id == held.id
    assert quick.finish(rescued, DONE) == 1
    assert slow.finish(held, AGAIN) == 0
    assert queue.wait(job_id, 1) == DONE
    with pytest.raises(DeadlineError):
        queue.wait(job_id, 0.1)


def test_only_waiting_jobs_count_against_the_limit(stack: Stack) -> None:
    queue, worker = stack.queue(max_queue=2), alive(stack, "a")
    queue.add(b"1", 9)
    assert len(worker.take()) == 1
    queue.add(b"2", 9)
    queue.add(b"3", 9)
    with pytest.raises(QueueFullError):
        queue.add(b"4", 9)
    [second] = worker.take()
    worker.finish(second, DONE)
    queue.add(b"4", 9)


def test_without_a_living_worker_no_job_is_taken(stack: Stack) -> None:
    queue = stack.queue()
    with pytest.raises(NoWorkerError):
        queue.add(b"picture", 9)
    dead(stack, "a")
    with pytest.raises(NoWorkerError):
        queue.add(b"picture", 9)


def test_a_worker_that_is_silent_dies(stack: Stack) -> None:
    queue = stack.queue()
    alive(stack, "a")
    assert names(queue) == ["a"]
    until(lambda: not names(queue), timeout_s=5)


def test_the_living_keep_their_jobs(stack: Stack) -> None:
    queue, busy, idle = stack.queue(), alive(stack, "busy"), alive(stack, "idle")
    queue.add(b"picture", 9)
    busy.take()
    assert idle.inbox.rescue() is None


def test_rescued_jobs_come_alone_and_count_their_deliveries(stack: Stack) -> None:
    queue, first = stack.queue(), alive(stack, "first")
    ids = [queue.add(b"1", 9), queue.add(b"2", 9)]
    assert len(first.take(2)) == 2
    first.inbox.leave()
    second = alive(stack, "second")
    jobs = [until(second.inbox.rescue), until(second.inbox.rescue)]
    assert [(job.id, job.deliveries) for job in jobs] == [(ids[0], 2), (ids[1], 2)]
    assert second.inbox.rescue() is None


def test_a_renamed_worker_rescues_its_own(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    job_id = queue.add(b"picture", 9)
    worker.take()
    worker.inbox.rename()
    worker.announce()
    assert until(worker.inbox.rescue).id == job_id
    assert names(queue) == ["a"]


def test_a_busy_worker_is_asked_for_one_more(stack: Stack) -> None:
    queue, busy = stack.queue(), alive(stack, "busy")
    queue.add(b"1", 9)
    assert len(busy.take()) == 1
    queue.add(b"2", 9)
    queue.add(b"3", 9)
    assert bells(stack) == {"busy": 1}
    busy.inbox.listen(500)
    assert bells(stack) == {}
    assert [job.image for job in busy.take(2)] == [b"2", b"3"]


def test_the_worker_with_the_fewest_jobs_is_asked(stack: Stack) -> None:
    queue, laden, light = stack.queue(), alive(stack, "laden"), alive(stack, "light")
    for number in range(3):
        queue.add(bytes([number]), 9)
    assert (len(laden.take(2)), len(light.take(1))) == (2, 1)
    queue.add(b"more", 9)
    assert bells(stack) == {"light": 1}


def test_what_an_idle_worker_can_start_with_is_not_offered_to_a_busy_one(stack: Stack) -> None:
    queue, busy, idle = stack.queue(), alive(stack, "busy"), alive(stack, "idle")
    queue.add(b"1", 9)
    assert len(busy.take()) == 1
    queue.add(b"2", 9)
    assert bells(stack) == {}
    assert [job.image for job in idle.take()] == [b"2"]


def test_a_worker_can_call_its_own_thread_back(stack: Stack) -> None:
    worker = alive(stack, "a")
    worker.inbox.ring()
    worker.inbox.ring()
    assert bells(stack) == {"a": 1}
    worker.inbox.listen(500)
    assert bells(stack) == {}


def test_a_job_says_when_nobody_waits_for_it_any_more(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    queue.add(b"picture", 9)
    [job] = worker.take()
    assert job.deadline_s - job.added_s == pytest.approx(9)


def test_a_look_counts_what_waits_and_what_is_held(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    for number in range(3):
        queue.add(bytes([number]), 9)
    assert len(worker.take()) == 1
    look = queue.look()
    assert (look.waiting, look.held) == (2, 1)


def test_a_job_nobody_took_is_withdrawn_at_its_deadline(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    with pytest.raises(DeadlineError):
        queue.wait(queue.add(b"picture", 9), 0.05)
    assert stack.jobs() == 0
    taken = queue.add(b"picture", 9)
    worker.take()
    with pytest.raises(DeadlineError):
        queue.wait(taken, 0.05)
    assert (stack.jobs(), stack.pending()) == (1, 1)


def test_a_broker_that_lost_its_data_is_used_again(stack: Stack) -> None:
    queue, worker = stack.queue(), alive(stack, "a")
    with stack.broker.client() as client:
        client.flushall()
    assert worker.inbox.rescue() is None
    assert names(queue) == []
    worker.announce()
    job_id = queue.add(b"picture", 9)
    assert [job.id for job in worker.take()] == [job_id]


def test_a_broker_that_is_gone_is_told(stack: Stack) -> None:
    queue = stack.queue()
    stack.broker.stop()
    with pytest.raises(BrokerError):
        queue.add(b"picture", 9)
    with pytest.raises(BrokerError):
        queue.look()
    stack.start_broker()
    assert names(queue) == []
