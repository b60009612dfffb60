"""A network in an ONNX file, and what it takes and gives, as far as the file says."""

from dataclasses import dataclass
from typing import Any

from common.config import CHANNELS, WorkerConfig
from common.errors import ConfigError
from model.preprocess import Preprocessor

FLOAT = "tensor(float)"
LAYOUTS = {1: False, 3: True}
"""At which axis the colours are, and whether that is called channels last."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What to feed a network."""

    input: str
    """Name of its input."""
    output: str
    """Name of its first output."""
    preprocess: Preprocessor


def read_signature(session: Any, config: WorkerConfig) -> Signature:
    """Read the signature off a session of ONNX Runtime. Raises ConfigError: it is no classifier."""
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type != FLOAT:
        told = ", ".join(f"{it.name}: {it.type}" for it in inputs)
        raise ConfigError(f"MODEL_PATH must have one input, of 32-bit floats; it has {told}")
    shape = inputs[0].shape
    axis = next((axis for axis in LAYOUTS if len(shape) == 4 and shape[axis] == CHANNELS), None)
    if axis is None:
        raise ConfigError(
            f"MODEL_PATH must take (N, 3, height, width) or (N, height, width, 3), not {shape}"
        )
    _check_batch(shape[0], config.batch_size)
    sides = [size for place, size in enumerate(shape) if place not in (0, axis)]
    preprocess = Preprocessor(
        side=_side(sides, config.input_side),
        mean=config.input_mean,
        std=config.input_std,
        channels_last=LAYOUTS[axis],
    )
    return Signature(inputs[0].name, session.get_outputs()[0].name, preprocess)


def _check_batch(fixed: Any, batch_size: int) -> None:
    """Only an axis of open size takes batches that are not full."""
    if isinstance(fixed, int) and not fixed == batch_size == 1:
        raise ConfigError(
            f"MODEL_PATH takes exactly {fixed} at a time: "
            "export it with an open batch axis, or one of 1 with BATCH_SIZE=1"
        )


def _side(sides: list[Any], wanted: int | None) -> int:
    fixed = {side for side in sides if isinstance(side, int)}
    if len(fixed) > 1:
        raise ConfigError(f"MODEL_PATH must take squares, not {sides}")
    if not fixed:
        if wanted is None:
            raise ConfigError("INPUT_SIDE must be set: the network takes pictures of any size")
        return wanted
    [side] = fixed
    if wanted not in (None, side):
        raise ConfigError(f"INPUT_SIDE must be {side} for this network, or unset")
    return int(side)
