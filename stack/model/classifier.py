"""The network on ONNX Runtime: a batch of pictures in, the best classes of each out."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from common.config import WorkerConfig
from common.errors import ConfigError, DeviceError
from common.messages import Guess
from model.preprocess import SIDE, Pixels

# What is measured here must be the model, and nothing of it is anybody else's business.
ort.disable_telemetry_events()

BEST = 5
CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


class Classifier:
    """One session and the names of its outputs."""

    def __init__(self, config: WorkerConfig) -> None:
        """Load the model onto the device and run it once at both ends of the batch sizes.

        Raises DeviceError, or ConfigError when the files do not fit each other.
        """
        self._session = _session(config)
        self._input = self._session.get_inputs()[0].name
        self._labels = _labels(config.labels_path)
        for size in {1, config.batch_size}:
            outputs = self._logits(np.zeros((size, 3, SIDE, SIDE), np.float32)).shape[1]
        if outputs != len(self._labels):
            raise ConfigError(
                f"LABELS_PATH has {len(self._labels)} labels, and the model {outputs} outputs"
            )

    def classify(self, batch: Pixels) -> list[tuple[Guess, ...]]:
        """Run a batch of shape (N, 3, SIDE, SIDE); N tuples of the BEST classes, best first."""
        return [self._best(row) for row in _softmax(self._logits(batch))]

    def _logits(self, batch: Pixels) -> Pixels:
        logits: Pixels = self._session.run(None, {self._input: batch})[0]
        return logits

    def _best(self, scores: Pixels) -> tuple[Guess, ...]:
        order = np.argsort(scores)[::-1][:BEST]
        return tuple(Guess(self._labels[index], round(float(scores[index]), 4)) for index in order)


def _softmax(logits: Pixels) -> Pixels:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: Pixels = powers / powers.sum(axis=1, keepdims=True)
    return scores


def _labels(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _session(config: WorkerConfig) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = config.model_threads
    options.inter_op_num_threads = 1
    # Threads that spin take cores from the other workers, and adding workers would look useless.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if config.device == "cpu":
        return ort.InferenceSession(str(config.model_path), options, providers=[CPU])
    return _gpu_session(config, options)


def _gpu_session(config: WorkerConfig, options: Any) -> Any:
    if CUDA not in ort.get_available_providers():
        raise DeviceError("DEVICE=gpu, but this ONNX Runtime was built without CUDA")
    ort.preload_dlls()
    providers = [(CUDA, _cuda_options(config.gpu_memory_mb)), CPU]
    session = ort.InferenceSession(str(config.model_path), options, providers=providers)
    # Where CUDA does not start, ONNX Runtime goes on without it and does not raise.
    if session.get_providers()[0] != CUDA:
        raise DeviceError("DEVICE=gpu, but CUDA did not start: no GPU, driver or cuDNN")
    return session


def _cuda_options(memory_mb: int | None) -> dict[str, str]:
    options = {
        # The arena takes what is asked for, not the next power of two.
        "arena_extend_strategy": "kSameAsRequested",
        # An exhaustive search would be repeated for every new size of batch.
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    if memory_mb is not None:
        options["gpu_mem_limit"] = str(memory_mb * 1024 * 1024)
    return options
