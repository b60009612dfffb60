"""Settings, messages and stages: values in, values out."""

import pytest

from api.timing import Stages
from common.config import ApiConfig, WorkerConfig
from common.errors import ConfigError
from common.messages import (
    Guess,
    Prediction,
    WorkerInfo,
    WorkerStatus,
    pack,
    unpack_reply,
    unpack_status,
)

PREDICTION = Prediction(
    top=(Guess("cat", 0.75), Guess("dog", 0.25)),
    batch_size=2,
    queue_ms=5.0,
    decode_ms=2.0,
    infer_ms=10.0,
)


def test_empty_settings_mean_the_defaults() -> None:
    empty = dict.fromkeys(("BATCH_SIZE", "DEVICE", "GPU_MEMORY_MB", "BROKER_URL"), "")
    config = WorkerConfig.read(empty)
    assert config == WorkerConfig.read({})
    assert (config.batch_size, config.device, config.gpu_memory_mb) == (1, "cpu", None)
    assert config.model_name == "efficientnet-lite0"


def test_settings_are_read() -> None:
    config = WorkerConfig.read({"BATCH_SIZE": "10", "DEVICE": "gpu", "GPU_MEMORY_MB": "512"})
    assert (config.batch_size, config.device, config.gpu_memory_mb) == (10, "gpu", 512)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "¹", " 1"])
def test_a_bad_number_is_named(value: str) -> None:
    with pytest.raises(ConfigError, match="MAX_QUEUE must be a whole number of at least 1"):
        ApiConfig.read({"MAX_QUEUE": value})


def test_threads_are_left_when_all_slots_wait() -> None:
    config = ApiConfig.read({"MAX_QUEUE": "10"})
    assert config.max_queue < config.slots < config.threads


def test_messages_survive_the_way() -> None:
    info = WorkerInfo(id="a", device="cpu", model="m", batch_size=1)
    status = WorkerStatus(info=info, images=3, batches=2, infer_s=0.5)
    assert unpack_reply(pack(PREDICTION).encode()) == PREDICTION
    assert unpack_status(pack(status).encode()) == status


def test_stages_are_put_into_the_header() -> None:
    stages = Stages.of(PREDICTION, 20.0)
    assert stages.header() == (
        "queue;dur=5.000, decode;dur=2.000, infer;dur=10.000, total;dur=20.000"
    )


def test_a_clock_that_jumped_cannot_make_waiting_longer_than_the_whole() -> None:
    assert Stages.of(PREDICTION, 15.0).queue == 3.0
    assert Stages.of(PREDICTION, 11.0).queue == 0.0
