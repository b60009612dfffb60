"""Requests that the API rejects: status code and JSON error message."""

import requests

from tests.support.stack_harness import Stack, image, until


def error_message(response: requests.Response) -> str:
    """Return the error message of a response."""
    body = response.json()
    assert list(body) == ["error"]
    return str(body["error"])


def test_an_empty_body_is_rejected(single: Stack) -> None:
    response = single.post(b"")
    assert response.status_code == 400
    assert error_message(response) == "The image is empty."


def test_a_form_without_a_file_is_rejected(single: Stack) -> None:
    files = {"picture": ("cat.jpg", image("cat"))}
    response = requests.post(f"{single.url}/predict", files=files, timeout=20)
    assert response.status_code == 400
    assert "'file'" in error_message(response)


def test_another_content_type_is_rejected(single: Stack) -> None:
    response = single.post(b"{}", "application/json")
    assert response.status_code == 415
    assert "multipart/form-data" in error_message(response)


def test_other_paths_and_methods_are_rejected_with_json(single: Stack) -> None:
    missing = requests.get(f"{single.url}/nothing", timeout=20)
    wrong = requests.get(f"{single.url}/predict", timeout=20)
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert error_message(missing)
    assert error_message(wrong)


def test_the_service_is_unavailable_without_a_worker(stack: Stack) -> None:
    stack.start_api()
    health = stack.health()
    assert health.status_code == 503
    assert health.json() == {"ready": False, "workers": []}
    response = stack.post(image("cat"))
    assert response.status_code == 503
    assert error_message(response) == "No worker is ready."


def test_a_full_queue_and_a_passed_deadline_have_different_errors(stack: Stack) -> None:
    stack.start_api(MAX_QUEUE="2", DEADLINE_MS="2500")
    stack.fake_worker("idle").announce()
    waiting = [stack.post_later(image("cat")) for _ in range(2)]
    until(lambda: stack.jobs() == 2)
    full = stack.post(image("cat"))
    assert full.status_code == 503
    assert int(full.headers["Retry-After"]) >= 1
    assert error_message(full) == "The queue is full."
    expired = [post.result() for post in waiting]
    assert {response.status_code for response in expired} == {503}
    assert {error_message(response) for response in expired} == {
        "No reply came before the deadline."
    }
    assert stack.jobs() == 0
