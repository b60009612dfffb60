"""Pictures and requests of every kind against the running service: an answer, or a 4xx."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.stack_harness import Stack, image
from tests.support.stack_pictures import animated, encoded, photograph, sixteen_bit

MB = 1024 * 1024
COFFEE = photograph("coffee")
READABLE = {
    "CMYK": encoded(COFFEE.convert("CMYK"), "JPEG"),
    "gray": encoded(COFFEE.convert("L"), "JPEG"),
    "16 bit": sixteen_bit(COFFEE),
    "palette": encoded(COFFEE.convert("P"), "PNG"),
    "transparent": encoded(COFFEE.convert("RGBA"), "PNG"),
    "animated GIF": animated(COFFEE, "GIF"),
    "animated WebP": animated(COFFEE, "WEBP"),
    "12 megapixels": encoded(COFFEE.resize((4000, 3000)), "JPEG"),
}
REFUSED = {
    "text": (b"this is not a picture", 422),
    "nothing": (b"", 400),
    "broken off": (image("palace")[:5000], 422),
    "30 MB": (bytes(30 * MB), 413),
    "a bomb": (encoded(Image.new("1", (11_000, 11_000)), "PNG"), 422),
    "TIFF": (encoded(COFFEE, "TIFF"), 422),
}


@pytest.fixture(autouse=True)
def still_right(single: Stack) -> Iterator[None]:
    """Whatever is sent: afterwards the worker lives, and is right."""
    yield
    assert single.programs[-1].process.poll() is None
    assert single.post(image("cat")).json()["label"] == "Egyptian cat"


@pytest.mark.parametrize("kind", READABLE)
def test_a_picture_of_any_kind_is_recognised(single: Stack, kind: str) -> None:
    response = single.post(READABLE[kind])
    assert response.status_code == 200
    assert response.json()["label"] == "espresso"


@pytest.mark.parametrize("size", [(1, 1), (20_000, 2)])
def test_a_picture_of_any_shape_is_answered(single: Stack, size: tuple[int, int]) -> None:
    assert single.post(encoded(Image.new("RGB", size), "PNG")).status_code == 200


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_picture_is_refused_in_a_sentence(single: Stack, kind: str) -> None:
    body, status = REFUSED[kind]
    response = single.post(body)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert response.json()["error"].endswith(".")


def test_what_is_too_large_is_refused_however_it_comes(single: Stack) -> None:
    form = {"file": ("large.jpg", bytes(30 * MB), "image/jpeg")}
    in_pieces = (bytes(MB) for _ in range(30))
    url = f"{single.url}/predict"
    told = {"Content-Type": "image/jpeg"}
    for response in (
        requests.post(url, files=form, timeout=20),
        requests.post(url, data=in_pieces, headers=told, timeout=20),
    ):
        assert response.status_code == 413
        assert response.json() == {
            "error": "The request is too large: 16 MB and 1000 fields are the most."
        }


def test_a_body_that_is_not_http_is_refused(single: Stack) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(single.url).port or 0), 20) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/jpeg\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nno length\r\nabc"
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_picture_that_is_not_sent_as_a_file_is_told_how(single: Stack) -> None:
    value = {"file": (None, bytes(600_000))}
    response = requests.post(f"{single.url}/predict", files=value, timeout=20)
    assert response.status_code == 400
    assert "as a file" in response.json()["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_told_the_right_one(single: Stack, method: str) -> None:
    response = requests.request(method, f"{single.url}/predict", timeout=20)
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


CONTENT_TYPES = st.sampled_from(
    [
        "image/jpeg",
        "image/",
        "application/octet-stream",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        ";",
        "",
    ]
) | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip)
BEGINNINGS = (
    image("cat"),
    b"--x\r\n",
    b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n',
)
BODIES = st.builds(
    lambda whole, cut, tail: whole[:cut] + tail,
    st.sampled_from(BEGINNINGS),
    st.integers(0, 70_000),
    st.binary(max_size=200),
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONTENT_TYPES, BODIES)
def test_whatever_is_sent_gets_an_answer_or_a_4xx(
    single: Stack, content_type: str, body: bytes
) -> None:
    response = single.post(body, content_type)
    assert response.status_code in (200, 400, 413, 415, 422)
    assert list(response.json()) == ["error"] or response.json()["label"]
