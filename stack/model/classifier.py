"""The network on ONNX Runtime: a batch of pictures in, the best classes of each out."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    NotImplemented,  # noqa: A004  # its name there
    RuntimeException,
)

from common.config import WorkerConfig
from common.errors import ConfigError, DeviceError
from common.messages import Guess
from model.network import read_signature
from model.preprocess import Pixels, Preprocessor

# What is measured here must be the model, and nothing of it is anybody else's business.
ort.disable_telemetry_events()

BEST = 5
CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
UNLOADABLE = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotImplemented)
"""What ONNX Runtime raises on a file that is no network which this version can run."""
NO_DEVICE = (EPFail, RuntimeException)


class Classifier:
    """One session, what to feed it, and the names of its outputs."""

    def __init__(self, config: WorkerConfig) -> None:
        """Load the model onto the device and run it once at both ends of the batch sizes.

        Raises DeviceError, or ConfigError when the files cannot be used or do not fit each other.
        """
        self._session = _session(config)
        self._signature = read_signature(self._session, config)
        self._labels = _labels(config.labels_path)
        outputs = self._warm_up(1)
        if outputs.shape[1] != len(self._labels):
            raise ConfigError(
                f"LABELS_PATH must have a line for each of the network's {outputs.shape[1]} "
                f"classes; {config.labels_path} has {len(self._labels)}"
            )
        if config.batch_size > 1:
            self._warm_up(config.batch_size)
        # A network that ends in a softmax needs no second one.
        self._are_scores = bool(np.all(outputs >= 0) and np.allclose(outputs.sum(), 1, 1e-3))

    @property
    def preprocess(self) -> Preprocessor:
        """Makes from a picture's file what the network takes."""
        return self._signature.preprocess

    def classify(self, batch: Pixels) -> list[tuple[Guess, ...]]:
        """Run a batch of shape (N, *preprocess.shape); N tuples of the BEST classes, best first."""
        outputs = self._outputs(batch)
        return [self._best(row) for row in (outputs if self._are_scores else _softmax(outputs))]

    def _warm_up(self, size: int) -> Pixels:
        try:
            outputs = self._outputs(np.zeros((size, *self.preprocess.shape), np.float32))
        except (*UNLOADABLE, *NO_DEVICE, MemoryError) as error:
            raise ConfigError(
                f"MODEL_PATH cannot be run with BATCH_SIZE={size} on pictures of "
                f"{self.preprocess.side} × {self.preprocess.side}: {error}"
            ) from error
        if outputs.ndim != 2 or outputs.shape[0] != size:
            raise ConfigError(
                f"MODEL_PATH must give (N, classes) outputs; for N={size} it gives {outputs.shape}"
            )
        return outputs

    def _outputs(self, batch: Pixels) -> Pixels:
        names = [self._signature.output]
        outputs: Pixels = self._session.run(names, {self._signature.input: batch})[0]
        return outputs

    def _best(self, scores: Pixels) -> tuple[Guess, ...]:
        order = np.argsort(scores)[::-1][:BEST]
        return tuple(Guess(self._labels[index], round(float(scores[index]), 4)) for index in order)


def _softmax(logits: Pixels) -> Pixels:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: Pixels = powers / powers.sum(axis=1, keepdims=True)
    return scores


def _labels(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"LABELS_PATH must be a text in UTF-8: {path} is not") from error


def _session(config: WorkerConfig) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = config.model_threads
    options.inter_op_num_threads = 1
    # Threads that spin take cores from the other workers, and adding workers would look useless.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return _on_device(config, options)
    except UNLOADABLE as error:
        raise ConfigError(f"MODEL_PATH cannot be loaded: {error}") from error


def _on_device(config: WorkerConfig, options: Any) -> Any:
    if config.device == "cpu":
        return ort.InferenceSession(str(config.model_path), options, providers=[CPU])
    if CUDA not in ort.get_available_providers():
        raise DeviceError("DEVICE=gpu, but this ONNX Runtime was built without CUDA")
    ort.preload_dlls()
    providers = [(CUDA, _cuda_options(config.gpu_memory_mb)), CPU]
    try:
        session = ort.InferenceSession(str(config.model_path), options, providers=providers)
    except NO_DEVICE as error:
        raise DeviceError(f"DEVICE=gpu, but CUDA did not start: {error}") from error
    # Where CUDA does not start, ONNX Runtime goes on without it and does not raise. Can go with
    # https://github.com/microsoft/onnxruntime/issues/23372.
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
