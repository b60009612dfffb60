"""Custom networks: what is read from the ONNX file, and what is rejected."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.config import WorkerConfig
from common.errors import ConfigError
from model.classifier import Classifier
from tests.support.stack_harness import Stack
from tests.support.stack_networks import save_colour_labels, save_colour_network
from tests.support.stack_pictures import encoded

DYNAMIC_BATCH = ("n", 3, 32, 32)


def classifier(folder: Path, **environment: str) -> Classifier:
    """Load the network and the labels in a folder."""
    paths = {"MODEL_PATH": f"{folder}/net.onnx", "LABELS_PATH": f"{folder}/labels.txt"}
    return Classifier(WorkerConfig.read(paths | environment))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the labels of three colours."""
    save_colour_labels(tmp_path / "labels.txt")
    return tmp_path


@pytest.mark.parametrize(
    ("shape", "environment"),
    [
        (DYNAMIC_BATCH, {}),
        (("n", 48, 48, 3), {}),
        (("n", 3, "height", "width"), {"INPUT_SIDE": "40"}),
        ((1, 3, 32, 32), {}),
        (DYNAMIC_BATCH, {"BATCH_SIZE": "4", "INPUT_MEAN": "124,116,104", "INPUT_STD": "58,57,57"}),
    ],
)
@pytest.mark.parametrize("softmax", [True, False])
def test_networks_with_other_input_shapes_are_supported(
    folder: Path, shape: tuple[int | str, ...], environment: dict[str, str], softmax: bool
) -> None:
    save_colour_network(folder / "net.onnx", shape, softmax=softmax)
    network = classifier(folder, **environment)
    picture = network.preprocess(encoded(Image.new("RGB", (50, 30), (0, 0, 255)), "PNG"))
    [top] = network.classify(picture[np.newaxis])
    assert top[0].label == "blue"
    assert sum(each.score for each in top) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    ("shape", "environment", "message"),
    [
        (("n", 3, "height", "width"), {}, "INPUT_SIDE is required"),
        (DYNAMIC_BATCH, {"INPUT_SIDE": "64"}, "INPUT_SIDE must be 32"),
        ((1, 3, 32, 32), {"BATCH_SIZE": "2"}, "fixed batch size of 1."),
        ((4, 3, 32, 32), {"BATCH_SIZE": "4"}, "fixed batch size of 4."),
        (("n", 3, 32, 64), {}, "square input"),
        (("n", 4, 32, 32), {}, "(N, 3, height, width)"),
    ],
)
def test_an_unsupported_network_is_rejected(
    folder: Path, shape: tuple[int | str, ...], environment: dict[str, str], message: str
) -> None:
    save_colour_network(folder / "net.onnx", shape)
    with pytest.raises(ConfigError) as caught:
        classifier(folder, **environment)
    assert message in str(caught.value)


def test_a_wrong_number_of_labels_is_reported_with_both_numbers_and_the_file(folder: Path) -> None:
    save_colour_network(folder / "net.onnx", DYNAMIC_BATCH)
    (folder / "labels.txt").write_text("red\ngreen\n\n")
    with pytest.raises(ConfigError, match=r"3 classes; .*labels\.txt has 2"):
        classifier(folder)


def test_a_missing_model_and_an_unreadable_one_have_different_errors(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"file not found: .*/net\.onnx"):
        classifier(folder)
    (folder / "net.onnx").mkdir()
    with pytest.raises(ConfigError, match=r"cannot read .*/net\.onnx: Is a directory"):
        classifier(folder)


def test_labels_in_another_encoding_are_rejected(folder: Path) -> None:
    save_colour_network(folder / "net.onnx", DYNAMIC_BATCH)
    (folder / "labels.txt").write_bytes(b"gr\xfcn\nrot\nblau\n")
    with pytest.raises(ConfigError, match=r"LABELS_PATH: .*labels\.txt is not UTF-8 text"):
        classifier(folder)


def test_the_service_runs_a_custom_network(stack: Stack, folder: Path) -> None:
    save_colour_network(folder / "net.onnx", DYNAMIC_BATCH)
    stack.start_api()
    stack.start_ready_worker(
        MODEL_PATH=f"{folder}/net.onnx", LABELS_PATH=f"{folder}/labels.txt", INPUT_STD="64"
    )
    answer = stack.post(encoded(Image.new("RGB", (50, 30), (0, 255, 0)), "PNG"), "image/png").json()
    assert answer["label"] == "green"
    assert [each["label"] for each in answer["top"][1:]] == ["blue", "red"]
    assert stack.health().json()["workers"][0]["model"] == "net"
