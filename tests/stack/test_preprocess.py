"""Conversion of image files to the network's input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from common.errors import ImageError
from model.preprocess import MAX_PIXELS, Preprocessor, load
from tests.support.stack_pictures import FORMATS, animated, encoded, photograph, sixteen_bit, turned

SIDE = 64
PREPROCESS = Preprocessor(side=SIDE, mean=(127,), std=(128,))

# Pillow's warnings about broken metadata are expected.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def difference(one: bytes, other: bytes) -> float:
    """Return the mean difference of two images: 0 if equal, 2 between black and white."""
    return float(np.abs(PREPROCESS(one) - PREPROCESS(other)).mean())


def test_pixels_are_normalised_with_channels_first() -> None:
    pixels = PREPROCESS(encoded(Image.new("RGB", (9, 7), (255, 127, 0)), "PNG"))
    assert pixels.shape == (3, SIDE, SIDE)
    assert pixels.dtype == np.float32
    assert [channel.mean() for channel in pixels] == pytest.approx([1.0, 0.0, -127 / 128])


def test_mean_std_and_channels_last_are_configurable() -> None:
    preprocess = Preprocessor(side=8, mean=(10, 20, 30), std=(2, 4, 5), channels_last=True)
    pixels = preprocess(encoded(Image.new("RGB", (9, 7), (20, 40, 60)), "PNG"))
    assert pixels.shape == (8, 8, 3)
    assert pixels[0, 0].tolist() == pytest.approx([5, 5, 6])


def test_the_largest_centred_square_is_used() -> None:
    picture = Image.new("RGB", (300, 100), "red")
    picture.paste("blue", (100, 0, 200, 100))
    pixels = PREPROCESS(encoded(picture, "PNG"))[:, :, 1:-1]
    assert pixels[2].min() > 0.9
    assert pixels[0].max() < -0.9


def test_a_large_jpeg_is_decoded_at_reduced_size_without_visible_difference() -> None:
    large = photograph("coffee").resize((1200, 800))
    jpeg = encoded(large, "JPEG", quality=95)
    assert load(jpeg, 224).size == (600, 400)
    assert difference(jpeg, encoded(large, "PNG")) < 0.02


@pytest.mark.parametrize(
    ("orientation", "undone"),
    [
        (1, None),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
    ],
)
def test_every_exif_orientation_is_turned_upright(
    orientation: int, undone: Image.Transpose | None
) -> None:
    upright = photograph("rocket")
    plain = encoded(upright, "JPEG", quality=95)
    if undone is None:
        assert difference(plain, encoded(upright, "PNG")) < 0.02
    else:
        assert difference(plain, turned(upright, orientation, undone)) < 0.02
        assert difference(plain, encoded(upright.transpose(undone), "PNG")) > 0.05


def test_broken_exif_data_is_ignored() -> None:
    plain = photograph("cat")
    with_exif = encoded(plain, "JPEG", quality=95, exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff\xff")
    assert difference(with_exif, encoded(plain, "PNG")) < 0.02


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK", "I;16"])
def test_every_colour_mode_is_decoded_correctly(mode: str) -> None:
    picture = photograph("palace")
    if mode == "I;16":
        changed = sixteen_bit(picture)
    elif mode == "CMYK":
        changed = encoded(picture.convert("CMYK"), "JPEG", quality=95)
    else:
        changed = encoded(picture.convert(mode), "PNG")
    gray = (PREPROCESS(changed).mean(axis=0), PREPROCESS(encoded(picture, "PNG")).mean(axis=0))
    # Gray conversion weights the channels and a mean does not; mode "1" differs most.
    assert np.abs(gray[0] - gray[1]).mean() < 0.15


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_of_an_animation_is_used(image_format: str) -> None:
    picture = photograph("flower")
    assert difference(animated(picture, image_format), encoded(picture, "PNG")) < 0.05


@pytest.mark.parametrize("size", [(1, 1), (20_000, 2), (2, 20_000), (3, 1)])
def test_images_of_extreme_shapes_are_decoded(size: tuple[int, int]) -> None:
    assert PREPROCESS(encoded(Image.new("RGB", size, "red"), "PNG"))[0].min() > 0.9


@pytest.mark.parametrize("size", [(7_100, 7_100), (11_000, 11_000)])
def test_a_decompression_bomb_is_rejected(size: tuple[int, int]) -> None:
    bomb = encoded(Image.new("1", size), "PNG")
    assert size[0] * size[1] > MAX_PIXELS > 1000 * len(bomb)
    with pytest.raises(ImageError, match="more than 50 megapixels"):
        PREPROCESS(bomb)


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_truncated_file_is_rejected(image_format: str) -> None:
    whole = encoded(photograph("cat").resize((80, 60)), image_format)
    with pytest.raises(ImageError, match="not a readable image"):
        PREPROCESS(whole[: len(whole) // 2])


def test_other_formats_are_rejected() -> None:
    with pytest.raises(ImageError):
        PREPROCESS(encoded(photograph("cat"), "TIFF"))


SMALL = {
    image_format: [
        encoded(picture, image_format)
        for mode in modes
        for picture in [photograph("cat").resize((40, 30)).convert(mode)]
    ]
    for image_format, modes in {
        "JPEG": ("RGB", "L", "CMYK"),
        "PNG": ("RGB", "RGBA", "P", "1"),
        "WEBP": ("RGB", "RGBA"),
        "GIF": ("P", "L"),
        "BMP": ("RGB", "1"),
    }.items()
}
SMALL["PNG"].append(sixteen_bit(photograph("cat").resize((40, 30))))
SMALL["GIF"].append(animated(photograph("cat").resize((40, 30)), "GIF"))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Generate an image file with some bytes changed, removed, duplicated or blanked."""
    file = bytearray(draw(st.sampled_from([file for files in SMALL.values() for file in files])))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(file) - 1))
        match draw(st.sampled_from(["change", "cut", "double", "blank"])):
            case "change":
                file[place] = draw(st.integers(0, 255))
            case "cut":
                del file[place : place + draw(st.integers(1, 40))]
            case "double":
                file[place:place] = file[place : place + draw(st.integers(1, 40))]
            case "blank":
                file[place : place + 4] = draw(st.sampled_from([b"\0" * 4, b"\xff" * 4]))
        if not file:
            break
    return bytes(file)


@settings(max_examples=600)
@given(damaged() | st.binary(max_size=300))
def test_any_bytes_give_an_image_or_an_error(file: bytes) -> None:
    try:
        pixels = PREPROCESS(file)
    except ImageError:
        return
    assert pixels.shape == PREPROCESS.shape
    assert np.abs(pixels).max() <= 1.01
