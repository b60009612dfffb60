"""Another network in the place of ours: what is read off its file, and what is refused."""

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

OPEN = ("n", 3, 32, 32)


def classifier(folder: Path, **environment: str) -> Classifier:
    """Load the network and the labels of a folder."""
    paths = {"MODEL_PATH": f"{folder}/net.onnx", "LABELS_PATH": f"{folder}/labels.txt"}
    return Classifier(WorkerConfig.read(paths | environment))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with labels for three colours."""
    save_colour_labels(tmp_path / "labels.txt")
    return tmp_path


@pytest.mark.parametrize(
    ("shape", "environment"),
    [
        (OPEN, {}),
        (("n", 48, 48, 3), {}),
        (("n", 3, "height", "width"), {"INPUT_SIDE": "40"}),
        ((1, 3, 32, 32), {}),
        (OPEN, {"BATCH_SIZE": "4", "INPUT_MEAN": "124,116,104", "INPUT_STD": "58,57,57"}),
    ],
)
@pytest.mark.parametrize("softmax", [True, False])
def test_networks_of_other_shapes_are_fed_as_they_want(
    folder: Path, shape: tuple[int | str, ...], environment: dict[str, str], softmax: bool
) -> None:
    save_colour_network(folder / "net.onnx", shape, softmax=softmax)
    network = classifier(folder, **environment)
    picture = network.preprocess(encoded(Image.new("RGB", (50, 30), (0, 0, 255)), "PNG"))
    [top] = network.classify(picture[np.newaxis])
    assert top[0].label == "blue"
    assert sum(guess.score for guess in top) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize(
    ("shape", "environment", "words"),
    [
        (("n", 3, "height", "width"), {}, "INPUT_SIDE must be set"),
        (OPEN, {"INPUT_SIDE": "64"}, "INPUT_SIDE must be 32"),
        ((1, 3, 32, 32), {"BATCH_SIZE": "2"}, "exactly 1 at a time"),
        ((4, 3, 32, 32), {"BATCH_SIZE": "4"}, "exactly 4 at a time"),
        (("n", 3, 32, 64), {}, "squares"),
        (("n", 4, 32, 32), {}, "(N, 3, height, width)"),
    ],
)
def test_a_network_that_cannot_be_fed_is_refused(
    folder: Path, shape: tuple[int | str, ...], environment: dict[str, str], words: str
) -> None:
    save_colour_network(folder / "net.onnx", shape)
    with pytest.raises(ConfigError) as refused:
        classifier(folder, **environment)
    assert words in str(refused.value)


def test_a_missing_label_is_told_with_both_numbers_and_the_file(folder: Path) -> None:
    save_colour_network(folder / "net.onnx", OPEN)
    (folder / "labels.txt").write_text("red\ngreen\n\n")
    with pytest.raises(ConfigError, match=r"3 classes; .*labels\.txt has 2"):
        classifier(folder)


def test_a_model_that_is_no_file_is_told_from_one_that_is_not_there(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is none at .*/net\.onnx"):
        classifier(folder)
    (folder / "net.onnx").mkdir()
    with pytest.raises(ConfigError, match=r"not .*/net\.onnx: Is a directory"):
        classifier(folder)


def test_labels_in_another_encoding_are_refused(folder: Path) -> None:
    save_colour_network(folder / "net.onnx", OPEN)
    (folder / "labels.txt").write_bytes(b"gr\xfcn\nrot\nblau\n")
    with pytest.raises(ConfigError, match="LABELS_PATH must be a text in UTF-8"):
        classifier(folder)


def test_the_service_runs_another_network(stack: Stack, folder: Path) -> None:
    save_colour_network(folder / "net.onnx", OPEN)
    stack.start_api()
    stack.start_ready_worker(
        MODEL_PATH=f"{folder}/net.onnx", LABELS_PATH=f"{folder}/labels.txt", INPUT_STD="64"
    )
    answer = stack.post(encoded(Image.new("RGB", (50, 30), (0, 255, 0)), "PNG"), "image/png").json()
    assert answer["label"] == "green"
    assert [guess["label"] for guess in answer["top"][1:]] == ["blue", "red"]
    assert stack.health().json()["workers"][0]["model"] == "net"
