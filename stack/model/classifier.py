"""Image classification with ONNX Runtime."""

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
    NotImplemented,  # noqa: A004  # the name in ONNX Runtime
    RuntimeException,
)

from common.config import WorkerConfig
from common.errors import ConfigError, DeviceError
from common.messages import Classification
from model.network import read_signature
from model.preprocess import Pixels, Preprocessor

# Telemetry would distort the measurement, and send usage data to a third party.
ort.disable_telemetry_events()

TOP_CLASSES = 5
"""Number of classes in a prediction."""
CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
UNLOADABLE = (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotImplemented)
"""Errors that ONNX Runtime raises for a file that it cannot run."""
NO_DEVICE = (EPFail, RuntimeException)
"""Errors that ONNX Runtime raises for an unusable device."""


class Classifier:
    """A loaded model with its preprocessing and class labels."""

    def __init__(self, config: WorkerConfig) -> None:
        """Load the model onto the device and warm it up with the smallest and largest batch.

        Raises DeviceError if the device is unusable, and ConfigError if a file is invalid or the
        model does not match the labels.
        """
        self._session = _session(config)
        self._signature = read_signature(self._session, config)
        self._labels = _labels(config.labels_path)
        outputs = self._warm_up(1)
        if outputs.shape[1] != len(self._labels):
            raise ConfigError(
                f"LABELS_PATH: expected one line for each of the model's {outputs.shape[1]} "
                f"classes; {config.labels_path} has {len(self._labels)}"
            )
        if config.batch_size > 1:
            self._warm_up(config.batch_size)
        # Apply a softmax only if the model does not end in one.
        self._are_scores = bool(np.all(outputs >= 0) and np.allclose(outputs.sum(), 1, 1e-3))

    @property
    def preprocess(self) -> Preprocessor:
        """Converter from image files to the model's input."""
        return self._signature.preprocess

    def classify(self, batch: Pixels) -> list[tuple[Classification, ...]]:
        """Classify a batch of shape (N, *preprocess.shape).

        Returns the TOP_CLASSES best classes of each image, best first.
        """
        outputs = self._outputs(batch)
        return [self._top(row) for row in (outputs if self._are_scores else _softmax(outputs))]

    def _warm_up(self, size: int) -> Pixels:
        try:
            outputs = self._outputs(np.zeros((size, *self.preprocess.shape), np.float32))
        except (*UNLOADABLE, *NO_DEVICE, MemoryError) as error:
            raise ConfigError(
                f"MODEL_PATH: cannot run the model with BATCH_SIZE={size} on images of "
                f"{self.preprocess.side} × {self.preprocess.side} pixels: {error}"
            ) from error
        if outputs.ndim != 2 or outputs.shape[0] != size:
            raise ConfigError(
                f"MODEL_PATH: expected an output of shape ({size}, classes), got {outputs.shape}"
            )
        return outputs

    def _outputs(self, batch: Pixels) -> Pixels:
        names = [self._signature.output]
        outputs: Pixels = self._session.run(names, {self._signature.input: batch})[0]
        return outputs

    def _top(self, scores: Pixels) -> tuple[Classification, ...]:
        order = np.argsort(scores)[::-1][:TOP_CLASSES]
        return tuple(
            Classification(self._labels[index], round(float(scores[index]), 4)) for index in order
        )


def _softmax(logits: Pixels) -> Pixels:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: Pixels = powers / powers.sum(axis=1, keepdims=True)
    return scores


def _labels(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ConfigError(f"LABELS_PATH: {path} is not UTF-8 text") from error


def _session(config: WorkerConfig) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = config.model_threads
    options.inter_op_num_threads = 1
    # Spinning threads would take CPU from the other workers, so that scaling up would not help.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return _on_device(config, options)
    except UNLOADABLE as error:
        raise ConfigError(f"MODEL_PATH: cannot load the model: {error}") from error


def _on_device(config: WorkerConfig, options: Any) -> Any:
    if config.device == "cpu":
        return ort.InferenceSession(str(config.model_path), options, providers=[CPU])
    if CUDA not in ort.get_available_providers():
        raise DeviceError(
            "DEVICE=gpu: this build of ONNX Runtime does not support CUDA. Install the packages of "
            "requirements-gpu.txt, or set DEVICE=cpu"
        )
    ort.preload_dlls()
    providers = [(CUDA, _cuda_options(config.gpu_memory_mb)), CPU]
    try:
        session = ort.InferenceSession(str(config.model_path), options, providers=providers)
    except NO_DEVICE as error:
        raise DeviceError(f"DEVICE=gpu: cannot initialise CUDA: {error}") from error
    # If CUDA fails to initialise, ONNX Runtime continues on the CPU without an error. Remove this
    # check when https://github.com/microsoft/onnxruntime/issues/23372 is fixed.
    if session.get_providers()[0] != CUDA:
        raise DeviceError("DEVICE=gpu: cannot initialise CUDA: GPU, driver or cuDNN is missing")
    return session


def _cuda_options(memory_mb: int | None) -> dict[str, str]:
    options = {
        # Extend the arena by the requested size, not to the next power of two.
        "arena_extend_strategy": "kSameAsRequested",
        # An exhaustive search would be repeated for every new batch size.
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    if memory_mb is not None:
        options["gpu_mem_limit"] = str(memory_mb * 1024 * 1024)
    return options
