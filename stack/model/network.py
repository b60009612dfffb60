"""Input and output of an ONNX model, read from its file."""

from dataclasses import dataclass
from typing import Any

from common.config import CHANNELS, WorkerConfig
from common.errors import ConfigError
from model.preprocess import Preprocessor

FLOAT = "tensor(float)"
LAYOUTS = {1: False, 3: True}
"""Whether the layout is channels-last, by axis of the colour channels."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Names of a model's input and output, and its preprocessing."""

    input: str
    """Name of the input."""
    output: str
    """Name of the first output."""
    preprocess: Preprocessor


def read_signature(session: Any, config: WorkerConfig) -> Signature:
    """Read the signature of an ONNX Runtime session.

    Raises ConfigError if the model is not a supported image classifier.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != FLOAT:
        found = ", ".join(f"{tensor.name}: {tensor.type}" for tensor in inputs)
        raise ConfigError(f"MODEL_PATH: expected a model with one float32 input, got {found}")
    shape = inputs[0].shape
    axis = next((axis for axis in LAYOUTS if len(shape) == 4 and shape[axis] == CHANNELS), None)
    if axis is None:
        raise ConfigError(
            "MODEL_PATH: expected an input of shape (N, 3, height, width) or "
            f"(N, height, width, 3), got {shape}"
        )
    _check_batch(shape[0], config.batch_size)
    sides = [size for index, size in enumerate(shape) if index not in (0, axis)]
    preprocess = Preprocessor(
        side=_side(sides, config.input_side),
        mean=config.input_mean,
        std=config.input_std,
        channels_last=LAYOUTS[axis],
    )
    return Signature(inputs[0].name, session.get_outputs()[0].name, preprocess)


def _check_batch(fixed: Any, batch_size: int) -> None:
    """Check that the batch axis is dynamic, which partly filled batches require."""
    if isinstance(fixed, int) and not fixed == batch_size == 1:
        raise ConfigError(
            f"MODEL_PATH: the model has a fixed batch size of {fixed}. Export it with a dynamic "
            "batch axis, or with a batch size of 1 and set BATCH_SIZE=1"
        )


def _side(sides: list[Any], configured: int | None) -> int:
    fixed = {side for side in sides if isinstance(side, int)}
    if len(fixed) > 1:
        raise ConfigError(f"MODEL_PATH: expected a square input, got height and width {sides}")
    if not fixed:
        if configured is None:
            raise ConfigError("INPUT_SIDE is required: the model accepts images of any size")
        return configured
    [side] = fixed
    if configured not in (None, side):
        raise ConfigError(f"INPUT_SIDE must be {side} for this model, or unset")
    return int(side)
