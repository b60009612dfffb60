"""Recovery when parts of the service die."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.support.stack_harness import Stack, image, until


def test_the_job_of_a_killed_worker_is_reclaimed(stack: Stack) -> None:
    stack.start_api()
    doomed = stack.start_ready_worker(BATCH_SIZE="8", BATCH_WAIT_MS="20000")
    post = stack.post_later(image("coffee"))
    until(lambda: stack.pending() == 1)
    doomed.kill()
    survivor = stack.start_ready_worker()
    assert post.result().json()["label"] == "espresso"
    assert "reclaimed job" in survivor.log_text()
    assert (stack.jobs(), stack.pending()) == (0, 0)
    with stack.broker.client() as client:
        assert client.keys("loadbench:reply:*") == []


def test_a_job_that_crashes_workers_fails_after_three_deliveries(stack: Stack) -> None:
    stack.start_api()
    first = stack.fake_worker("first")
    first.announce()
    post = stack.post_later(image("cat"))
    until(lambda: first.take(wait_ms=100))
    first.inbox.leave()
    for name in ("second", "third"):
        victim = stack.fake_worker(name)
        victim.announce()
        assert victim.inbox.reclaim()
        victim.inbox.leave()
    worker = stack.start_ready_worker()
    response = post.result()
    assert response.status_code == 500
    assert response.json() == {"error": "3 workers failed to process this image."}
    assert "gave up on job" in worker.log_text()
    assert stack.post(image("cat")).json()["label"] == "Egyptian cat"


def test_the_service_reconnects_to_a_restarted_broker(stack: Stack) -> None:
    stack.start_api()
    worker = stack.start_ready_worker()
    assert stack.post(image("cat")).status_code == 200
    stack.broker.stop()
    health = stack.health()
    assert (health.status_code, health.json()["ready"]) == (503, False)
    refused = stack.post(image("cat"))
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    stack.start_broker()
    until(lambda: stack.health().status_code == 200)
    assert stack.post(image("cat")).json()["label"] == "Egyptian cat"
    assert "lost connection to the broker" in worker.log_text()
    assert "reconnected to the broker" in worker.log_text()


def test_waiting_requests_fail_immediately_when_the_broker_dies(stack: Stack) -> None:
    stack.start_api()
    stack.fake_worker("idle").announce()
    post = stack.post_later(image("cat"))
    until(lambda: stack.jobs() == 1)
    stack.broker.stop()
    assert post.result(timeout=5).status_code == 503


def test_a_worker_waits_for_a_broker_that_starts_later(stack: Stack) -> None:
    stack.broker.stop()
    worker = stack.start_worker()
    until(lambda: "waiting for the broker" in worker.log_text())
    stack.start_api()
    assert stack.health().status_code == 503
    stack.start_broker()
    until(lambda: stack.health().status_code == 200)
    assert worker.process.poll() is None


def test_requests_to_a_hung_broker_fail_at_the_deadline(stack: Stack) -> None:
    stack.start_api(DEADLINE_MS="1500")
    worker = stack.fake_worker("idle")
    worker.announce()
    posts = [stack.post_later(image("cat"))]
    until(lambda: stack.jobs() == 1)
    with stack.hung_broker(), ThreadPoolExecutor(40) as crowd:
        posts += [crowd.submit(stack.post, image("cat")) for _ in range(40)]
        responses = [post.result() for post in posts]
    assert {response.status_code for response in responses} == {503}
    assert responses[0].json() == {"error": "The broker does not respond."}
    assert max(response.elapsed for response in responses) < timedelta(seconds=6)
    worker.announce()
    assert stack.health().status_code == 200


def test_no_request_is_lost_while_workers_are_killed(stack: Stack) -> None:
    stack.start_api()
    names = ("cat", "coffee", "rocket")
    workers = [stack.start_ready_worker(BATCH_SIZE="2") for _ in range(2)]
    expected = {name: stack.post(image(name)).json()["top"] for name in names}
    posts = [(name, stack.post_later(image(name))) for name in names * 80]
    for worker in workers:
        until(lambda: stack.pending() > 2)
        worker.kill()
        stack.start_ready_worker(BATCH_SIZE="2")
    for name, post in posts:
        assert post.result().json()["top"] == expected[name]
    assert (stack.jobs(), stack.pending()) == (0, 0)
    with stack.broker.client() as client:
        assert client.keys("loadbench:reply:*") == []
