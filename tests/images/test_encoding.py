from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from gradcam_widgets.images.encoding import encode_jpeg, encode_png, shrink
from gradcam_widgets.images.reading import MIN_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def noise(rows: int, columns: int) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def smooth(rows: int, columns: int) -> NDArray[np.uint8]:
    """Return waves of three colors, as a photograph rather than noise."""
    down, across = np.mgrid[0:rows, 0:columns] / 9
    waves = [np.sin(down + across), np.cos(down - across), np.sin(across)]
    return np.rint(127.5 + 100 * np.stack(waves, axis=-1)).astype(np.uint8)


def by_pillow(image: NDArray[np.uint8], quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def tables(content: bytes) -> dict[int, list[int]]:
    """Return by what a JPEG's coefficients were divided: its quality."""
    opened: Any = Image.open(io.BytesIO(content))
    assert opened.format == "JPEG"
    return {number: list(table) for number, table in opened.quantization.items()}


# -- shrinking


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_a_shrunk_pixel_is_the_mean_of_those_it_stands_for(factor: int) -> None:
    image = noise(10 * factor, 12 * factor)
    expected = image.reshape(10, factor, 12, factor, 3).mean(axis=(1, 3))
    assert expected.std() > 5
    found = shrink(image, 12)
    assert found.shape == (10, 12, 3)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_fine_stripes_become_gray() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, 1::4] = stripes[:, 2::4] = 200
    found = shrink(stripes, 16)
    assert stripes.mean() == 100
    assert (found == 100).all()


@pytest.mark.parametrize(
    ("shape", "max_side", "expected"),
    [
        ((600, 800), 400, (300, 400)),
        ((800, 600), 400, (400, 300)),
        ((100, 333), 100, (30, 100)),
        ((20, 2000), 100, (MIN_SIDE, 100)),  # not one row
        ((2000, 9), 50, (50, MIN_SIDE)),
    ],
)
def test_the_longer_side_is_brought_down(shape: tuple[int, int], max_side: int, expected: tuple[int, int]) -> None:
    assert MIN_SIDE == 8
    assert shrink(noise(*shape), max_side).shape[:2] == expected


@pytest.mark.parametrize("max_side", [40, 41, 4000])
def test_a_small_image_stays(max_side: int) -> None:
    image = noise(30, 40)
    assert shrink(image, max_side) is image


# -- files


def test_a_jpeg_has_the_tables_of_quality_90() -> None:
    image = smooth(48, 64)
    expected = tables(by_pillow(image, 90))
    assert expected != tables(by_pillow(image, 89)) != tables(by_pillow(image, 40))
    assert tables(encode_jpeg(image)) == expected


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_a_jpeg_has_the_tables_of_the_quality_asked_for(quality: int) -> None:
    image = smooth(48, 64)
    assert tables(encode_jpeg(image, quality)) == tables(by_pillow(image, quality))


def test_a_jpeg_is_close_to_its_image() -> None:
    image = smooth(48, 64)
    assert image.std() > 60
    opened = Image.open(io.BytesIO(encode_jpeg(image)))
    assert opened.mode == "RGB"
    assert np.abs(np.asarray(opened, np.int16) - image).mean() < 2


def test_a_png_is_its_image_bit_by_bit() -> None:
    image = noise(9, 13)
    opened = Image.open(io.BytesIO(encode_png(image)))
    assert opened.format == "PNG"
    assert np.array_equal(np.asarray(opened), image)
