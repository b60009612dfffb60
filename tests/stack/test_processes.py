"""Exit codes and error lines of the service's processes."""

import shutil
import signal

import pytest

from tests.support.stack_harness import Program, Stack, image, until


def wait_for_exit(program: Program) -> tuple[int, list[str]]:
    """Wait for a process to exit; return its exit code and log lines."""
    return program.process.wait(20), program.log_text().splitlines()


def test_a_terminated_worker_finishes_its_batch(stack: Stack) -> None:
    stack.start_api()
    worker = stack.start_ready_worker(BATCH_SIZE="8", BATCH_WAIT_MS="700")
    post = stack.post_later(image("coffee"))
    until(lambda: stack.pending() == 1)
    assert worker.end() == 0
    assert post.result().json()["label"] == "espresso"
    assert stack.health().json() == {"ready": False, "workers": []}
    assert worker.log_text().count("\n") == 1


def test_a_worker_without_a_broker_can_be_terminated(stack: Stack) -> None:
    worker = stack.start_ready_worker()
    stack.broker.stop()
    until(lambda: "lost connection to the broker" in worker.log_text())
    assert worker.end() == 0


def test_the_api_can_be_terminated(stack: Stack) -> None:
    api = stack.start_api()
    assert api.end() == 0
    assert api.log_text() == "ready: threads=528 max_queue=256\n"


def test_a_missing_gpu_is_reported_on_one_line(stack: Stack) -> None:
    code, lines = wait_for_exit(stack.start_worker(DEVICE="gpu"))
    assert code == 3
    assert len(lines) == 1
    assert "DEVICE=gpu" in lines[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BATCH_SIZE", "0"),
        ("BATCH_SIZE", "many"),
        ("BATCH_SIZE", "9" * 5000),
        ("BATCH_SIZE", "10000000"),
        ("HEARTBEAT_FILE", "no-such-folder/heartbeat"),
        ("INPUT_MEAN", "1,2"),
        ("INPUT_STD", "0"),
        ("INPUT_STD", "nan"),
        ("DECODE_THREADS", "0"),
        ("LABELS_PATH", "/"),
        ("BATCH_WAIT_MS", "-1"),
        ("MODEL_THREADS", "1.5"),
        ("DEVICE", "tpu"),
        ("BROKER_URL", "http://127.0.0.1"),
        ("BROKER_URL", "redis://127.0.0.1:port"),
        ("MODEL_PATH", "no-such-file.onnx"),
    ],
)
def test_an_invalid_worker_setting_is_reported_on_one_line(
    stack: Stack, name: str, value: str
) -> None:
    code, lines = wait_for_exit(stack.start_worker(**{name: value}))
    assert code == 2
    assert len(lines) == 1
    assert name in lines[0]


def test_a_worker_exits_if_its_heartbeat_file_fails(stack: Stack) -> None:
    folder = stack.folder / "heartbeats"
    folder.mkdir()
    worker = stack.start_ready_worker(HEARTBEAT_FILE=str(folder / "heartbeat"))
    shutil.rmtree(folder)
    code, lines = wait_for_exit(worker)
    assert (code, len(lines)) == (1, 2)
    assert "FileNotFoundError" in lines[1]


def test_labels_that_do_not_match_the_model_are_reported(stack: Stack) -> None:
    labels = stack.folder / "labels.txt"
    labels.write_text("cat\ndog\n")
    code, lines = wait_for_exit(stack.start_worker(LABELS_PATH=str(labels)))
    assert (code, len(lines)) == (2, 1)


def test_an_invalid_model_file_is_reported_on_one_line(stack: Stack) -> None:
    model = stack.folder / "model.onnx"
    model.write_bytes(b"not a model")
    code, lines = wait_for_exit(stack.start_worker(MODEL_PATH=str(model)))
    assert (code, len(lines)) == (2, 1)


def test_an_invalid_api_setting_is_reported_on_one_line(stack: Stack) -> None:
    api = stack.start_program(["gunicorn", "-c", "python:api.gunicorn_conf"], {"MAX_QUEUE": "-3"})
    code, lines = wait_for_exit(api)
    assert (code, len(lines)) == (2, 1)
    assert lines[0].startswith("MAX_QUEUE")


def test_an_interrupted_worker_exits_cleanly(stack: Stack) -> None:
    worker = stack.start_ready_worker()
    worker.process.send_signal(signal.SIGINT)
    assert worker.process.wait(20) == 0
