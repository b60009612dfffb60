"""Valid and invalid images and requests: the service returns a prediction or a 4xx error."""

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
SUPPORTED = {
    "CMYK": encoded(COFFEE.convert("CMYK"), "JPEG"),
    "gray": encoded(COFFEE.convert("L"), "JPEG"),
    "16 bit": sixteen_bit(COFFEE),
    "palette": encoded(COFFEE.convert("P"), "PNG"),
    "transparent": encoded(COFFEE.convert("RGBA"), "PNG"),
    "animated GIF": animated(COFFEE, "GIF"),
    "animated WebP": animated(COFFEE, "WEBP"),
    "12 megapixels": encoded(COFFEE.resize((4000, 3000)), "JPEG"),
}
REJECTED = {
    "text": (b"this is not an image", 422),
    "empty": (b"", 400),
    "truncated": (image("palace")[:5000], 422),
    "30 MB": (bytes(30 * MB), 413),
    "decompression bomb": (encoded(Image.new("1", (11_000, 11_000)), "PNG"), 422),
    "TIFF": (encoded(COFFEE, "TIFF"), 422),
}


@pytest.fixture(autouse=True)
def still_working(single: Stack) -> Iterator[None]:
    """Check after each test that the worker runs and classifies correctly."""
    yield
    assert single.programs[-1].process.poll() is None
    assert single.post(image("cat")).json()["label"] == "Egyptian cat"


@pytest.mark.parametrize("kind", SUPPORTED)
def test_images_of_all_supported_kinds_are_classified(single: Stack, kind: str) -> None:
    response = single.post(SUPPORTED[kind])
    assert response.status_code == 200
    assert response.json()["label"] == "espresso"


@pytest.mark.parametrize("size", [(1, 1), (20_000, 2)])
def test_images_of_any_shape_are_classified(single: Stack, size: tuple[int, int]) -> None:
    assert single.post(encoded(Image.new("RGB", size), "PNG")).status_code == 200


@pytest.mark.parametrize("kind", REJECTED)
def test_invalid_images_are_rejected_with_an_error_message(single: Stack, kind: str) -> None:
    body, status = REJECTED[kind]
    response = single.post(body)
    assert response.status_code == status
    assert list(response.json()) == ["error"]
    assert response.json()["error"].endswith(".")


def test_requests_that_are_too_large_are_rejected_in_every_form(single: Stack) -> None:
    form = {"file": ("large.jpg", bytes(30 * MB), "image/jpeg")}
    chunks = (bytes(MB) for _ in range(30))
    url = f"{single.url}/predict"
    headers = {"Content-Type": "image/jpeg"}
    for response in (
        requests.post(url, files=form, timeout=20),
        requests.post(url, data=chunks, headers=headers, timeout=20),
    ):
        assert response.status_code == 413
        assert response.json() == {
            "error": "The request is too large: the limit is 16 MB and 1000 form fields."
        }


def test_a_body_that_is_not_valid_http_is_rejected(single: Stack) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(single.url).port or 0), 20) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/jpeg\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nno length\r\nabc"
        )
        assert client.recv(1000).startswith(b"HTTP/1.1 400 ")


def test_a_form_field_that_is_not_a_file_is_rejected_with_advice(single: Stack) -> None:
    value = {"file": (None, bytes(600_000))}
    response = requests.post(f"{single.url}/predict", files=value, timeout=20)
    assert response.status_code == 400
    assert "as a file" in response.json()["error"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_rejected_with_the_allowed_one(single: Stack, method: str) -> None:
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
def test_any_request_gets_a_prediction_or_a_4xx_error(
    single: Stack, content_type: str, body: bytes
) -> None:
    response = single.post(body, content_type)
    assert response.status_code in (200, 400, 413, 415, 422)
    assert list(response.json()) == ["error"] or response.json()["label"]
