"""From the bytes of a picture to what the network takes."""

import io
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from common.errors import ImageError

SIDE = 224
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
MEAN, SCALE = np.float32(127), np.float32(128)

Pixels = npt.NDArray[np.float32]

# What Pillow's decoders are known to raise on broken files; UnidentifiedImageError is an OSError.
UNDECODABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    Image.DecompressionBombError,
)


def decode(image: bytes) -> Pixels:
    """Turn a picture into the network's input, shape (3, SIDE, SIDE), about -1…1.

    The picture is turned upright, then its largest centred square is scaled. Raises ImageError.
    """
    try:
        with Image.open(io.BytesIO(image), formats=FORMATS) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            square = ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.BICUBIC)
    except UNDECODABLE as error:
        raise ImageError("The file cannot be read as a picture.") from error
    pixels = (np.asarray(square, dtype=np.float32) - MEAN) / SCALE
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))
