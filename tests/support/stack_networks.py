"""Create small ONNX models, in addition to the model included with the service."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

COLOURS = ("red", "green", "blue")


def save_colour_network(
    path: Path,
    shape: Sequence[int | str],
    *,
    softmax: bool = True,
    element: int = TensorProto.FLOAT,
) -> Path:
    """Save a model that detects the dominant colour of a picture.

    Args:
        path: File to write.
        shape: Input shape, NHWC or NCHW. Dynamic dimensions are given by name.
        softmax: Whether the model ends with a softmax.
        element: Data type of the input.
    """
    spatial_axes = [1, 2] if shape[3] == len(COLOURS) else [2, 3]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [shape[0], 3])]
    inputs = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)]
    mean = "mean" if softmax else "scores"
    nodes = [helper.make_node("ReduceMean", ["picture"], [mean], axes=spatial_axes, keepdims=0)]
    if softmax:
        nodes.append(helper.make_node("Softmax", ["mean"], ["scores"], axis=1))
    graph = helper.make_graph(nodes, "colours", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def save_colour_labels(path: Path) -> Path:
    """Save the labels of the colour model."""
    path.write_text("\n".join(COLOURS) + "\n")
    return path
