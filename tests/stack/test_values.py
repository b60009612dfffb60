"""Settings, messages and stages."""

import pytest

from api.timing import Stages
from common.config import ApiConfig, WorkerConfig
from common.errors import ConfigError
from common.messages import (
    Classification,
    Prediction,
    WorkerInfo,
    WorkerStatus,
    pack,
    unpack_reply,
    unpack_status,
)

PREDICTION = Prediction(
    top=(Classification("cat", 0.75), Classification("dog", 0.25)),
    batch_size=2,
    queue_ms=5.0,
    decode_ms=2.0,
    infer_ms=10.0,
)


def test_empty_settings_use_the_defaults() -> None:
    empty = dict.fromkeys(("BATCH_SIZE", "DEVICE", "GPU_MEMORY_MB", "BROKER_URL"), "")
    config = WorkerConfig.read(empty)
    assert config == WorkerConfig.read({})
    assert (config.batch_size, config.device, config.gpu_memory_mb) == (1, "cpu", None)
    assert config.model_name == "efficientnet-lite0"


def test_settings_are_read() -> None:
    config = WorkerConfig.read({"BATCH_SIZE": "10", "DEVICE": "gpu", "GPU_MEMORY_MB": "512"})
    assert (config.batch_size, config.device, config.gpu_memory_mb) == (10, "gpu", 512)


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "ten", "¹", " 1"])
def test_an_invalid_number_is_reported_with_its_name(value: str) -> None:
    with pytest.raises(ConfigError, match="MAX_QUEUE: expected a whole number ≥ 1"):
        ApiConfig.read({"MAX_QUEUE": value})


def test_there_are_more_threads_than_slots() -> None:
    config = ApiConfig.read({"MAX_QUEUE": "10"})
    assert config.max_queue < config.slots < config.threads


def test_messages_survive_a_round_trip() -> None:
    info = WorkerInfo(id="a", device="cpu", model="m", batch_size=1)
    status = WorkerStatus(info=info, images=3, batches=2, infer_s=0.5)
    assert unpack_reply(pack(PREDICTION).encode()) == PREDICTION
    assert unpack_status(pack(status).encode()) == status


def test_the_header_contains_all_stages() -> None:
    stages = Stages.of(PREDICTION, 20.0)
    assert stages.header() == (
        "queue;dur=5.000, decode;dur=2.000, infer;dur=10.000, total;dur=20.000"
    )


def test_the_queue_time_is_limited_to_the_rest_of_the_total() -> None:
    assert Stages.of(PREDICTION, 15.0).queue == 3.0
    assert Stages.of(PREDICTION, 11.0).queue == 0.0
