"""Create pictures in various formats from the photographs."""

import io
from typing import Any

import numpy as np
from PIL import Image

from tests.support.stack_harness import image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


def photograph(name: str) -> Image.Image:
    """Open one of the photographs."""
    return Image.open(io.BytesIO(image(name)))


def encoded(picture: Image.Image, form: str, **options: Any) -> bytes:
    """Return a picture encoded in an image format."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def animated(picture: Image.Image, form: str) -> bytes:
    """Return an animation with the picture as its first frame."""
    other = Image.new("RGB", picture.size, "green")
    return encoded(picture, form, save_all=True, append_images=[other, other])


def sixteen_bit(picture: Image.Image) -> bytes:
    """Return a greyscale PNG with 16 bits per pixel."""
    return encoded(Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) << 8), "PNG")


def turned(picture: Image.Image, orientation: int, transpose: Image.Transpose) -> bytes:
    """Return a transposed JPEG with an EXIF orientation, as written by a rotated camera."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture.transpose(transpose), "JPEG", quality=95, exif=exif.tobytes())
