"""Successful responses of `POST /predict` and `GET /health`."""

import re

import pytest
import requests

from tests.support.stack_harness import Stack, image


@pytest.mark.parametrize(
    ("name", "label", "min_score"),
    [
        ("cat", "Egyptian cat", 0.3),
        ("coffee", "espresso", 0.9),
        ("rocket", "missile", 0.2),
        ("flower", "daisy", 0.15),
        ("palace", "palace", 0.2),
    ],
)
def test_the_photographs_are_classified_correctly(
    single: Stack, name: str, label: str, min_score: float
) -> None:
    answer = single.post(image(name)).json()
    assert answer["label"] == label
    assert answer["score"] >= min_score
    scores = [each["score"] for each in answer["top"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert answer["top"][0] == {"label": label, "score": answer["score"]}
    assert answer["batch_size"] == 1


def test_a_form_and_a_raw_body_give_the_same_prediction(single: Stack) -> None:
    files = {"file": ("cat.jpg", image("cat"), "image/jpeg")}
    form = requests.post(f"{single.url}/predict", files=files, timeout=20)
    assert form.json()["top"] == single.post(image("cat")).json()["top"]


def test_the_stages_do_not_exceed_the_total(single: Stack) -> None:
    response = single.post(image("coffee"))
    header = response.headers["Server-Timing"]
    stages = {name: float(dur) for name, dur in re.findall(r"(\w+);dur=([0-9.]+)", header)}
    assert list(stages) == ["queue", "decode", "infer", "total"]
    assert stages["queue"] + stages["decode"] + stages["infer"] <= stages["total"] + 0.01
    assert all(dur > 0 for dur in stages.values())
    assert response.json()["timings_ms"] == stages


def test_concurrent_jobs_share_a_batch(service: Stack) -> None:
    posts = [service.post_later(image("rocket")) for _ in range(4)]
    answers = [post.result().json() for post in posts]
    assert {answer["batch_size"] for answer in answers} == {4}
    assert {answer["label"] for answer in answers} == {"missile"}


def test_an_invalid_image_does_not_affect_other_images_in_its_batch(service: Stack) -> None:
    good = [service.post_later(image("coffee")) for _ in range(3)]
    bad = service.post_later(image("coffee")[:300])
    assert bad.result().status_code == 422
    answers = [post.result().json() for post in good]
    assert {(answer["label"], answer["batch_size"]) for answer in answers} == {("espresso", 3)}


def test_health_lists_the_workers(service: Stack) -> None:
    response = service.health()
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "workers": [
            {
                "id": "one",
                "device": "cpu",
                "model": "efficientnet-lite0",
                "batch_size": 4,
                "ready": True,
            }
        ],
    }
