"""From the bytes of a picture to what the network takes."""

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
"""A picture takes 3 to 7 bytes of memory a pixel while it is decoded."""

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
"""What undoes each value of the EXIF tag Orientation (EXIF 2.3, 4.6.4 A)."""

# Pillow warns beyond the limit, and raises beyond twice the limit.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessor:
    """What a network takes."""

    side: int
    """Height and width in pixels."""
    mean: Sequence[float]
    """Subtracted from pixels of 0…255: one number, or one a channel."""
    std: Sequence[float]
    """Divides the difference: one number, or one a channel."""
    channels_last: bool = False
    """Whether pictures are (side, side, 3) instead of (3, side, side)."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one picture."""
        return (self.side, self.side, 3) if self.channels_last else (3, self.side, self.side)

    def __call__(self, image: bytes) -> Pixels:
        """Turn the file of a picture into the network's input, of `shape`.

        The largest centred square is scaled to what the network takes and turned upright; of an
        animation, the first frame. Raises ImageError.
        """
        with load(image, self.side) as picture:
            pixels = np.asarray(upright_square(picture, self.side), dtype=np.float32)
        mean, std = (np.array(it, dtype=np.float32) for it in (self.mean, self.std))
        pixels = (pixels - mean) / std
        return pixels if self.channels_last else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def load(image: bytes, least: int) -> Image.Image:
    """Decode a file. A JPEG may be smaller than it says, but no side less than `least` pixels.

    Raises ImageError.
    """
    try:
        picture = Image.open(io.BytesIO(image), formats=FORMATS)
        # Decoding at 1/2, 1/4 or 1/8 of the size is left to the JPEG library, which is quicker.
        picture.draft("RGB", (least, least))
        picture.load()
    except TOO_LARGE as error:
        most = MAX_PIXELS // 1_000_000
        raise ImageError(f"The picture has more than {most} megapixels.") from error
    except UNDECODABLE as error:
        raise ImageError(f"The file cannot be read as a picture ({KINDS}).") from error
    return picture


def upright_square(picture: Image.Image, side: int) -> Image.Image:
    """Return the largest centred square of a picture, scaled to `side` × `side`, turned upright."""
    crop = min(picture.size)
    left, top = (picture.width - crop) / 2, (picture.height - crop) / 2
    box = (left, top, left + crop, top + crop)
    square = _to_rgb(picture).resize((side, side), Image.Resampling.BICUBIC, box)
    turn = UPRIGHT.get(_orientation(picture))
    return square if turn is None else square.transpose(turn)


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):
        # Pillow would cut 16 bits off at 255 instead of scaling them. Can go with
        # https://github.com/python-pillow/Pillow/issues/3159.
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ORIENTATION, 1))
    except UNDECODABLE:
        return 1  # the pixels are good, and what the camera noted is not
