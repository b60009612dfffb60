"""Convert image files to the input of a model."""

import io
import struct
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from common.errors import ImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
KINDS = "JPEG, PNG, WebP, GIF or BMP"
MAX_PIXELS = 50_000_000
"""Maximum number of pixels; decoding takes 3 to 7 bytes of memory per pixel."""

Pixels = npt.NDArray[np.float32]

# Errors that Pillow's decoders raise on broken files; UnidentifiedImageError is an OSError.
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
)
TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)

ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that undoes each value of the EXIF tag Orientation (EXIF 2.3, 4.6.4 A)."""

# Pillow warns above this limit and raises above twice the limit; the filter turns both into errors.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessor:
    """Converts image files to the input that a model expects."""

    side: int
    """Height and width in pixels."""
    mean: Sequence[float]
    """Mean to subtract from pixel values of 0 to 255. One number, or one per channel."""
    std: Sequence[float]
    """Standard deviation to divide by. One number, or one per channel."""
    channels_last: bool = False
    """Whether the shape is (side, side, 3) instead of (3, side, side)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one image."""
        return (self.side, self.side, 3) if self.channels_last else (3, self.side, self.side)

    def __call__(self, image: bytes) -> Pixels:
        """Convert an image file to the model's input, an array of `shape`.

        Crops the largest centred square, scales it to `side` and applies the EXIF orientation.
        Uses the first frame of an animation. Raises ImageError if the image cannot be used.
        """
        with load(image, self.side) as picture:
            pixels = np.asarray(upright_square(picture, self.side), dtype=np.float32)
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        pixels = (pixels - mean) / std
        return pixels if self.channels_last else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def load(image: bytes, min_side: int) -> Image.Image:
    """Decode an image file.

    A JPEG may be decoded at a reduced size, with no side shorter than `min_side` pixels. Raises
    ImageError if the file is too large or not a readable image.
    """
    try:
        picture = Image.open(io.BytesIO(image), formats=FORMATS)
        # The JPEG library can decode at 1/2, 1/4 or 1/8 of the size, which is faster.
        picture.draft("RGB", (min_side, min_side))
        picture.load()
    except TOO_LARGE as error:
        megapixels = MAX_PIXELS // 1_000_000
        raise ImageError(f"The image has more than {megapixels} megapixels.") from error
    except UNDECODABLE as error:
        raise ImageError(f"The file is not a readable image ({KINDS}).") from error
    return picture


def upright_square(picture: Image.Image, side: int) -> Image.Image:
    """Crop the largest centred square, scale it to `side` × `side` and turn it upright."""
    crop = min(picture.size)
    left, top = (picture.width - crop) / 2, (picture.height - crop) / 2
    box = (left, top, left + crop, top + crop)
    square = _to_rgb(picture).resize((side, side), Image.Resampling.BICUBIC, box)
    turn = UPRIGHT.get(_orientation(picture))
    return square if turn is None else square.transpose(turn)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        # Pillow clips 16-bit values at 255 instead of scaling them. Remove this work-around when
        # https://github.com/python-pillow/Pillow/issues/3159 is fixed.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except UNDECODABLE:
        return 1  # the EXIF data is broken, but the pixels are readable
