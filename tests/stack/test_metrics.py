"""Metrics exposed at `GET /metrics`."""

import requests

from tests.support.stack_harness import Stack, image, until


def test_requests_batches_and_workers_are_counted(stack: Stack) -> None:
    stack.start_api()
    stack.start_ready_worker(BATCH_SIZE="2", BATCH_WAIT_MS="1000", WORKER_ID="one")
    both = [stack.post_later(image("cat")) for _ in range(2)]
    answers = [post.result().json() for post in both]
    assert stack.post(b"no image").status_code == 422
    assert stack.metric("loadbench_requests_total", status="200") == 2
    assert stack.metric("loadbench_requests_total", status="422") == 1
    assert stack.metric("loadbench_request_seconds_count") == 2
    assert stack.metric("loadbench_batch_size_sum") == 4
    reported_s = sum(answer["timings_ms"]["infer"] for answer in answers) / 1000
    counted_s = stack.metric("loadbench_stage_seconds_sum", stage="infer")
    assert counted_s is not None
    assert abs(counted_s - reported_s) < 0.001
    assert stack.metric("loadbench_workers") == 1
    until(lambda: stack.metric("loadbench_worker_images_total", worker="one") == 2)
    assert stack.metric("loadbench_worker_batches_total", worker="one") == 1


def test_queue_metrics_show_the_current_queue(stack: Stack) -> None:
    stack.start_api(DEADLINE_MS="5000")
    worker = stack.fake_worker("idle")
    worker.announce()
    waiting = [stack.post_later(image("cat")) for _ in range(3)]
    until(lambda: stack.jobs() == 3)
    worker.take()
    assert stack.metric("loadbench_queue_length") == 2
    assert stack.metric("loadbench_jobs_held") == 1
    stack.broker.stop()
    assert {post.result().status_code for post in waiting} == {503}
    assert stack.metric("loadbench_requests_total", status="503") == 3


def test_other_metrics_are_exposed_without_a_broker(stack: Stack) -> None:
    stack.start_api()
    assert stack.metric("loadbench_broker_up") == 1
    stack.broker.stop()
    assert stack.metric("loadbench_broker_up") == 0
    assert stack.metric("loadbench_workers") is None
    response = requests.get(f"{stack.url}/metrics", timeout=20)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
