"""What the API refuses, and how: a status, and one sentence as JSON."""

import requests

from tests.support.stack_harness import Stack, image, until


def sentence(response: requests.Response) -> str:
    """The one sentence of a refusal."""
    answer = response.json()
    assert list(answer) == ["error"]
    return str(answer["error"])


def test_an_empty_body_is_refused(single: Stack) -> None:
    response = single.post(b"")
    assert response.status_code == 400
    assert sentence(response) == "The picture is empty."


def test_a_form_without_a_file_is_refused(single: Stack) -> None:
    files = {"picture": ("cat.jpg", image("cat"))}
    response = requests.post(f"{single.url}/predict", files=files, timeout=20)
    assert response.status_code == 400
    assert "'file'" in sentence(response)


def test_another_content_type_is_refused(single: Stack) -> None:
    response = single.post(b"{}", "application/json")
    assert response.status_code == 415
    assert "multipart/form-data" in sentence(response)


def test_other_paths_and_methods_are_refused_in_json(single: Stack) -> None:
    missing = requests.get(f"{single.url}/nothing", timeout=20)
    wrong = requests.get(f"{single.url}/predict", timeout=20)
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert sentence(missing)
    assert sentence(wrong)


def test_without_a_worker_nothing_is_ready(stack: Stack) -> None:
    stack.start_api()
    health = stack.health()
    assert health.status_code == 503
    assert health.json() == {"ready": False, "workers": []}
    response = stack.post(image("cat"))
    assert response.status_code == 503
    assert sentence(response) == "No worker is ready."


def test_a_full_queue_and_a_passed_deadline_are_told_apart(stack: Stack) -> None:
    stack.start_api(MAX_QUEUE="2", DEADLINE_MS="2500")
    stack.fake_worker("idle").announce()
    waiting = [stack.post_later(image("cat")) for _ in range(2)]
    until(lambda: stack.jobs() == 2)
    full = stack.post(image("cat"))
    assert full.status_code == 503
    assert int(full.headers["Retry-After"]) >= 1
    assert sentence(full) == "The queue is full."
    late = [post.result() for post in waiting]
    assert {response.status_code for response in late} == {503}
    assert {sentence(response) for response in late} == {"No reply came before the deadline."}
    assert stack.jobs() == 0
