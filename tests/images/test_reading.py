from __future__ import annotations

import io
import re
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image, UnidentifiedImageError

from gradcam_widgets.errors import ImageError, OptionError
from gradcam_widgets.images.reading import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
COLORS = {"R": RED, "G": GREEN, "B": BLUE, "W": WHITE}

HEIGHT, WIDTH = 16, 32  # quadrants of whole JPEG blocks, rows != columns


def quadrants(top: str = "RG", bottom: str = "BW", height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    image = np.zeros((height, width, 3), np.uint8)
    half_height, half_width = height // 2, width // 2
    image[:half_height, :half_width] = COLORS[top[0]]
    image[:half_height, half_width:] = COLORS[top[1]]
    image[half_height:, :half_width] = COLORS[bottom[0]]
    image[half_height:, half_width:] = COLORS[bottom[1]]
    return image


def uniform(color: Sequence[int], height: int = 8, width: int = 10) -> NDArray[np.uint8]:
    return np.full((height, width, len(color)), color, np.uint8)


def encoded(image: Image.Image, file_format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def png(size: tuple[int, int], depth: int, color_type: int, rows: bytes, transparent: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, 0))
    key = chunk(b"tRNS", transparent) if transparent else b""
    return b"\x89PNG\r\n\x1a\n" + header + key + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def complaint(source: Any, **options: Any) -> str:
    with pytest.raises((ImageError, OptionError)) as caught:
        read_image(source, **options)
    message = str(caught.value)
    assert message[-1] in ".?"
    assert not re.search(r"[.?!] ", message), "an error is one sentence"
    return message


# What may be handed over


def test_path_string_bytes_and_pil_give_the_same_image(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(quadrants()), "PNG")
    path = tmp_path / "quadrants.png"
    path.write_bytes(data)
    for source in (path, str(path), data, bytearray(data), memoryview(data)):
        np.testing.assert_array_equal(read_image(source), quadrants())
    with Image.open(path) as image:
        np.testing.assert_array_equal(read_image(image), quadrants())


def test_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Image.fromarray(quadrants()).save(tmp_path / "quadrants.png")
    np.testing.assert_array_equal(read_image("~/quadrants.png"), quadrants())


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(quadrants(), id="same layout"),
        pytest.param(quadrants().transpose(2, 0, 1), id="view"),
        pytest.param(torch.from_numpy(quadrants()), id="tensor"),
        pytest.param(Image.fromarray(quadrants()), id="PIL"),
    ],
)
def test_result_is_a_contiguous_array_of_its_own(source: Any) -> None:
    image = read_image(source)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    image[...] = 7
    np.testing.assert_array_equal(read_image(source), quadrants())


def test_pil_image_is_left_as_it_was() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(encoded(Image.fromarray(quadrants()), "PNG", exif=exif)))
    np.testing.assert_array_equal(read_image(image), quadrants("BR", "WG", WIDTH, HEIGHT))
    assert image.size == (WIDTH, HEIGHT)
    assert image.getexif()[0x0112] == 6
    np.testing.assert_array_equal(np.asarray(image), quadrants())


# Kinds of files


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG"])
@pytest.mark.parametrize(
    ("orientation", "top", "bottom", "turned"),
    [
        (1, "RG", "BW", False),
        (2, "GR", "WB", False),
        (3, "WB", "GR", False),
        (4, "BW", "RG", False),
        (5, "RB", "GW", True),
        (6, "BR", "WG", True),
        (7, "WG", "BR", True),
        (8, "GW", "RB", True),
    ],
)
def test_exif_orientation(file_format: str, orientation: int, top: str, bottom: str, *, turned: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if file_format == "JPEG" else {}
    data = encoded(Image.fromarray(quadrants()), file_format, exif=exif, **options)
    expected = quadrants(top, bottom, *((WIDTH, HEIGHT) if turned else (HEIGHT, WIDTH)))
    image = read_image(data)
    assert image.shape == expected.shape
    np.testing.assert_allclose(image.astype(int), expected, atol=3 if file_format == "JPEG" else 0)


@pytest.mark.parametrize(
    ("mode", "stored", "seen"),
    [
        ("1", 1, WHITE),
        ("1", 0, BLACK),
        ("L", 100, (100, 100, 100)),
        ("LA", (100, 51), (224, 224, 224)),  # 100 * 0.2 + 255 * 0.8
        ("RGB", (255, 0, 0), RED),
        ("RGBA", (200, 100, 0, 51), (244, 224, 204)),  # 40 + 204, 20 + 204, 0 + 204
        ("RGBA", (10, 10, 10, 100), (159, 159, 159)),  # (10 * 100 + 255 * 155) / 255 = 158.9
        ("RGBA", (12, 34, 56, 0), WHITE),
        ("RGBA", (12, 34, 56, 255), (12, 34, 56)),
        ("I;16", 257 * 77, (77, 77, 77)),
    ],
)
def test_png_modes(mode: str, stored: Any, seen: tuple[int, int, int]) -> None:
    data = encoded(Image.new(mode, (10, 8), stored), "PNG")
    np.testing.assert_array_equal(read_image(data), uniform(seen))


CMYK = [
    ((0, 0, 0, 0), WHITE),
    ((0, 0, 0, 255), BLACK),
    ((255, 0, 0, 0), (0, 255, 255)),
    ((0, 255, 255, 0), RED),
    ((51, 0, 0, 102), (122, 153, 153)),  # 255 * 0.8 * 0.6 = 122.4 and 255 * 0.6 = 153
]


@pytest.mark.parametrize(("stored", "seen"), CMYK)
def test_cmyk(stored: tuple[int, int, int, int], seen: tuple[int, int, int]) -> None:
    data = encoded(Image.new("CMYK", (10, 8), stored), "TIFF")
    np.testing.assert_array_equal(read_image(data), uniform(seen))


@pytest.mark.parametrize(("stored", "seen"), CMYK)
def test_cmyk_jpeg_of_adobe_stores_inverted_inks(
    stored: tuple[int, int, int, int],
    seen: tuple[int, int, int],
) -> None:
    data = encoded(Image.new("CMYK", (10, 8), stored), "JPEG", quality=100)
    assert b"Adobe" in data
    np.testing.assert_allclose(read_image(data).astype(int), uniform(seen), atol=2)


@pytest.mark.parametrize(
    ("transparency", "left", "right"),
    [
        (None, (200, 100, 0), BLUE),
        (1, (200, 100, 0), WHITE),
        (bytes([51, 255]), (244, 224, 204), BLUE),
    ],
)
def test_palette(transparency: int | bytes | None, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    palette = Image.new("P", (16, 8), 0)
    palette.putpalette([200, 100, 0, *BLUE])
    palette.paste(1, (8, 0, 16, 8))
    options = {} if transparency is None else {"transparency": transparency}
    image = read_image(encoded(palette, "PNG", **options))
    np.testing.assert_array_equal(image, np.hstack([uniform(left, 8, 8), uniform(right, 8, 8)]))


@pytest.mark.parametrize(
    ("depth", "color_type", "row", "key", "right"),
    [
        pytest.param(8, 0, b"\x40" * 8 + b"\x90" * 8, b"\0\x40", (0x90,) * 3, id="gray"),
        pytest.param(8, 2, b"\1\2\3" * 8 + b"\4\5\6" * 8, b"\0\1\0\2\0\3", (4, 5, 6), id="RGB"),
        pytest.param(16, 0, b"\x12\x34" * 8 + b"\x90\x90" * 8, b"\x12\x34", (0x90,) * 3, id="16-bit gray"),
    ],
)
def test_transparent_color_key(depth: int, color_type: int, row: bytes, key: bytes, right: tuple[int, ...]) -> None:
    image = read_image(png((16, 8), depth, color_type, (b"\0" + row) * 8, key))
    np.testing.assert_array_equal(image, np.hstack([uniform(WHITE, 8, 8), uniform(right, 8, 8)]))


def test_sixteen_bit_rgb_png() -> None:
    pixel = struct.pack(">HHH", 257 * 10, 257 * 20, 257 * 250)
    image = read_image(png((10, 8), 16, 2, (b"\0" + pixel * 10) * 8))
    np.testing.assert_array_equal(image, uniform((10, 20, 250)))


def test_an_animation_gives_its_first_or_its_current_frame() -> None:
    frames = [Image.new("RGB", (10, 8), color) for color in (RED, BLUE)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_image(data), uniform(RED))
    shown = Image.open(io.BytesIO(data))
    shown.seek(1)
    np.testing.assert_array_equal(read_image(shown), uniform(BLUE))


# PIL modes that hold more than eight bits


@pytest.mark.parametrize(
    ("stored", "level"),
    [(0, 0), (128, 0), (129, 1), (257, 1), (385, 1), (386, 2), (65535, 255)],
)
@pytest.mark.parametrize("mode", ["I", "I;16", "I;16B"])
def test_pil_sixteen_bit_steps(mode: str, stored: int, level: int) -> None:
    np.testing.assert_array_equal(read_image(Image.new(mode, (10, 8), stored)), uniform((level,) * 3))


@pytest.mark.parametrize("stored", [-1, 65536])
def test_pil_whole_numbers_beyond_sixteen_bits_are_refused(stored: int) -> None:
    message = complaint(Image.new("I", (10, 8), stored))
    assert "mode I" in message
    assert f"{stored}…{stored}" in message


def test_pil_floats() -> None:
    np.testing.assert_array_equal(read_image(Image.new("F", (10, 8), 0.2)), uniform((51, 51, 51)))
    assert "mode F has values 51…51" in complaint(Image.new("F", (10, 8), 51.0))


@pytest.mark.parametrize("mode", ["La", "PA", "RGBa", "RGBX", "HSV", "YCbCr", "LAB"])
def test_rare_pil_modes_are_read(mode: str) -> None:
    assert read_image(Image.new(mode, (10, 8))).shape == (8, 10, 3)


# Arrays and tensors


def layouts(image: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    channels_first = np.ascontiguousarray(image.transpose(2, 0, 1))
    return {
        "HWC": image,
        "CHW": channels_first,
        "1CHW": channels_first[np.newaxis],
        "1HWC": image[np.newaxis],
        "Fortran": np.asfortranarray(image),
        "every second": np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)[::2, ::2],
    }


@pytest.mark.parametrize("layout", layouts(quadrants()))
@pytest.mark.parametrize("tensor", [False, True])
def test_layouts(layout: str, tensor: bool) -> None:
    array = layouts(quadrants())[layout]
    image = read_image(torch.tensor(array) if tensor else array)
    np.testing.assert_array_equal(image, quadrants())
    assert image.flags.c_contiguous


@pytest.mark.parametrize("tensor", [False, True])
@pytest.mark.parametrize("shape", [(8, 10), (8, 10, 1), (1, 8, 10), (1, 1, 8, 10)])
def test_gray_layouts(shape: tuple[int, ...], tensor: bool) -> None:
    column = np.arange(80, dtype=np.uint8).reshape(8, 10)
    array = column.reshape(shape)
    expected = np.stack([column, column, column], axis=2)
    np.testing.assert_array_equal(read_image(torch.tensor(array) if tensor else array), expected)


@pytest.mark.parametrize("channels_first", [False, True])
def test_alpha_of_an_array_is_laid_on_white(channels_first: bool) -> None:
    array = uniform((200, 100, 0, 51))
    image = read_image(np.ascontiguousarray(array.transpose(2, 0, 1)) if channels_first else array)
    np.testing.assert_array_equal(image, uniform((244, 224, 204)))
    assert image.flags.c_contiguous


def test_if_both_layouts_fit_arrays_are_channels_last() -> None:
    assert "20 pixels wide and 3 high" in complaint(np.zeros((3, 20, 4), np.uint8))
    assert "4 pixels wide and 20 high" in complaint(torch.zeros((3, 20, 4), dtype=torch.uint8))


@pytest.mark.parametrize(
    "shape",
    [(), (8,), (8, 10, 2), (2, 8, 10), (8, 10, 5), (1, 1, 1, 8, 10), (1, 8, 10, 2), (0, 8, 10, 3)],
)
@pytest.mark.parametrize("tensor", [False, True])
def test_other_shapes_are_named(shape: tuple[int, ...], tensor: bool) -> None:
    message = complaint(torch.zeros(shape) if tensor else np.zeros(shape))
    assert f"of shape {shape}" in message


def test_batch_is_refused() -> None:
    assert "batch of 2: choose one of its images" in complaint(np.zeros((2, 3, 8, 10)))


@pytest.mark.parametrize(
    ("dtype", "value", "level"),
    [
        (np.uint8, 200, 200),
        (np.uint16, 128, 0),
        (np.uint16, 129, 1),
        (np.uint16, 65535, 255),
        (">u2", 386, 2),
        (np.bool_, False, 0),
        (np.bool_, True, 255),
        (np.float16, 0.25, 64),  # 63.75
        (np.float32, 0.2, 51),
        (np.float64, 0.75, 191),  # 191.25
        (">f8", 1.0, 255),
        (np.float64, 1 + 1e-7, 255),
        (np.float64, 255.4999999 / 255, 255),  # in float32 that product would round to 256
        (np.float32, -1e-7, 0),
    ],
)
def test_array_dtypes(dtype: Any, value: float, level: int) -> None:
    image = read_image(np.full((8, 10, 3), value, dtype))
    np.testing.assert_array_equal(image, uniform((level, level, level)))


@pytest.mark.parametrize(
    ("dtype", "value", "level"),
    [
        (torch.uint8, 200, 200),
        (torch.bool, True, 255),
        (torch.float16, 0.25, 64),
        (torch.bfloat16, 0.75, 191),
        (torch.float32, 0.2, 51),
        (torch.float64, 1.0, 255),
    ],
)
def test_tensor_dtypes(dtype: torch.dtype, value: float, level: int) -> None:
    image = read_image(torch.full((3, 8, 10), value, dtype=dtype))
    np.testing.assert_array_equal(image, uniform((level, level, level)))


def test_tensor_that_requires_grad() -> None:
    tensor = torch.full((3, 8, 10), 0.2, requires_grad=True)
    np.testing.assert_array_equal(read_image(tensor), uniform((51, 51, 51)))
    assert tensor.requires_grad
    assert tensor.grad is None


def test_tensor_made_in_inference_mode() -> None:
    with torch.inference_mode():
        image = read_image(torch.full((3, 8, 10), 0.2))
    np.testing.assert_array_equal(image, uniform((51, 51, 51)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_tensor_on_a_gpu() -> None:
    tensor = torch.full((3, 8, 10), 0.2, device="cuda")
    np.testing.assert_array_equal(read_image(tensor), uniform((51, 51, 51)))
    assert tensor.is_cuda


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros((3, 8, 10), device="meta"), torch.zeros((3, 8, 10)).to_sparse()],
    ids=["meta", "sparse"],
)
def test_tensor_without_plain_values_is_refused(tensor: torch.Tensor) -> None:
    assert "use a dense tensor" in complaint(tensor)


@pytest.mark.parametrize(
    ("low", "high", "dtype", "said"),
    [
        (-2.1, 2.6, np.float32, ["float32", "-2.1…2.6", "looks normalized", "before normalization"]),
        (-0.01, 1.0, np.float32, ["-0.01…1", "looks normalized"]),
        (0.0, 1.01, np.float64, ["float64", "0…1.01"]),
        (0.0, 255.0, np.float32, ["0…255", "divide by 255"]),
        (0.0, 65535.0, np.float32, ["scale them to 0…1"]),
        (0.0, np.nan, np.float32, ["nan", "finite"]),
        (0.0, np.inf, np.float32, ["0…inf", "finite"]),
        (-np.inf, 1.0, np.float16, ["-inf…1", "finite"]),
        (0, 255, np.int64, ["int64", "0…255", "convert it to uint8"]),
        (-1, 300, np.int16, ["int16", "-1…300", "scale it to 0…255"]),
        (0, 1, np.complex64, ["complex64"]),
        (0, 1, np.object_, ["object"]),
    ],
)
def test_values_and_dtypes_that_are_no_gray_levels(low: float, high: float, dtype: Any, said: list[str]) -> None:
    array = np.zeros((8, 10, 3), dtype)
    array[0, 0, 0], array[5, 6, 1] = low, high
    message = complaint(array)
    for words in said:
        assert words in message


def test_normalized_tensor_is_recognized() -> None:
    tensor = torch.linspace(-2.1, 2.6, 240).reshape(3, 8, 10)
    message = complaint(tensor)
    assert "torch.float32 has values -2.1…2.6: it looks normalized" in message


# Size


@pytest.mark.parametrize(("height", "width"), [(7, 8), (8, 7), (0, 8)])
def test_too_small(height: int, width: int) -> None:
    assert f"{width} pixels wide and {height} high" in complaint(np.zeros((height, width, 3), np.uint8))


def test_smallest() -> None:
    assert read_image(np.zeros((8, 8, 3), np.uint8)).shape == (8, 8, 3)


def test_small_file_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (7, 8)).save(tmp_path / "tiny.png")
    assert f"'{tmp_path / 'tiny.png'}' is 7 pixels wide" in complaint(tmp_path / "tiny.png")


def test_enormous_file_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    path.write_bytes(png((20_000, 20_000), 1, 0, b""))
    usual = Image.MAX_IMAGE_PIXELS
    message = complaint(path)
    assert "wall.png' is 20,000 pixels wide and 20,000 high, more than 100,000,000 pixels" in message
    assert "GRADCAM_WIDGETS_MAX_PIXELS" in message
    assert "GRADCAM_WIDGETS_MAX_PIXELS" in message
    assert usual == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    "source",
    [quadrants(), Image.fromarray(quadrants()), torch.tensor(quadrants())],
    ids=["array", "PIL", "tensor"],
)
def test_limit_by_argument(source: Any) -> None:
    assert read_image(source, max_pixels=HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)
    assert "more than 511 pixels" in complaint(source, max_pixels=HEIGHT * WIDTH - 1)


def test_limit_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCAM_WIDGETS_MAX_PIXELS", "511")
    assert "more than 511 pixels" in complaint(quadrants())
    assert read_image(quadrants(), max_pixels=512).shape == (HEIGHT, WIDTH, 3)
    monkeypatch.setenv("GRADCAM_WIDGETS_MAX_PIXELS", "512")
    assert read_image(quadrants()).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("text", ["many", "-5", "0", "1e9", "1.5"])
def test_bad_limit_in_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADCAM_WIDGETS_MAX_PIXELS", text)
    message = complaint(quadrants())
    assert f"GRADCAM_WIDGETS_MAX_PIXELS must be a positive integer such as 200000000, got {text!r}." in message


@pytest.mark.parametrize("limit", [0, -1, 1e9, "many"])
def test_bad_limit_argument(limit: Any) -> None:
    assert f"max_pixels must be a positive integer, got {limit!r}." == complaint(quadrants(), max_pixels=limit)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "GIF"])
@pytest.mark.parametrize("pillow_limit", [100, 300])  # Pillow raises from twice its limit on, and warns below
def test_pillow_limit_neither_fires_nor_changes(
    file_format: str,
    pillow_limit: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encoded(Image.fromarray(quadrants()), file_format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pillow_limit)
    assert read_image(data).shape == (HEIGHT, WIDTH, 3)
    assert pillow_limit == Image.MAX_IMAGE_PIXELS
    complaint(data[: len(data) // 2])
    assert pillow_limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.slow
def test_one_thread_does_not_restore_the_limit_under_another(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.fromarray(quadrants()), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    pillow_open = Image.open
    first_inside, second_inside, first_done = threading.Event(), threading.Event(), threading.Event()

    def open_slowly(stream: IO[bytes]) -> Image.Image:
        if first_inside.is_set():
            second_inside.set()
            first_done.wait(10)
        else:
            first_inside.set()
            second_inside.wait(0.2)
        return pillow_open(stream)

    def read_first() -> NDArray[np.uint8]:
        try:
            return read_image(data)
        finally:
            first_done.set()

    monkeypatch.setattr(Image, "open", open_slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(read_first)
        first_inside.wait(10)
        second = pool.submit(read_image, data)
    np.testing.assert_array_equal(first.result(), second.result())
    assert Image.MAX_IMAGE_PIXELS == 100


# What is no image


def test_missing_file_with_a_close_name(tmp_path: Path) -> None:
    (tmp_path / "Elephant.JPG").touch()
    (tmp_path / "readme.txt").touch()
    message = complaint(tmp_path / "elefant.jpg")
    assert f"no file 'elefant.jpg' in the folder '{tmp_path}'" in message
    assert "did you mean 'Elephant.JPG'?" in message
    assert "readme" not in message


def test_missing_file_without_a_close_name(tmp_path: Path) -> None:
    assert "did you mean" not in complaint(tmp_path / "elephant.jpg")


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (None, FileNotFoundError),
        (b"<html>", UnidentifiedImageError),
        (b"P5 8 8", ValueError),
        (b"P5 8 8 255 ", OSError),
    ],
)
def test_errors_keep_their_cause(content: bytes | None, cause: type[Exception], tmp_path: Path) -> None:
    path = tmp_path / "cat.pgm"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((ImageError, OptionError)) as caught:
        read_image(path)
    assert isinstance(caught.value.__cause__, cause)


def test_missing_folder(tmp_path: Path) -> None:
    assert f"no folder '{tmp_path / 'photos'}'" in complaint(tmp_path / "photos" / "elephant.jpg")


def test_folder(tmp_path: Path) -> None:
    assert f"'{tmp_path}' is a folder" in complaint(tmp_path)


@pytest.mark.parametrize("given", ["", "https://example.org/cat.jpg", "cat\0.jpg", "a" * 5000])
def test_paths_that_cannot_be_opened(given: str) -> None:
    assert len(complaint(given)) < 500


@pytest.mark.parametrize("as_path", [True, False])
def test_not_an_image(as_path: bool, tmp_path: Path) -> None:
    data = b"<html>not found</html>"
    (tmp_path / "cat.jpg").write_bytes(data)
    message = complaint(tmp_path / "cat.jpg" if as_path else data)
    assert "is not an image" in message
    assert ("cat.jpg" if as_path else "22 bytes") in message


@pytest.mark.parametrize("as_path", [True, False])
def test_empty(as_path: bool, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").touch()
    message = complaint(tmp_path / "cat.jpg" if as_path else b"")
    assert "is empty" in message
    assert ("cat.jpg" if as_path else "0 bytes") in message


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "BMP"])
def test_truncated(file_format: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encoded(Image.fromarray(noise), file_format)
    path = tmp_path / "cat.img"
    path.write_bytes(data[: len(data) // 2])
    message = complaint(path)
    assert "cat.img' is damaged or truncated" in message


def test_closed_pil_image(tmp_path: Path) -> None:
    Image.fromarray(quadrants()).save(tmp_path / "cat.png")
    with Image.open(tmp_path / "cat.png") as image:
        pass
    assert "PIL image of mode RGB" in complaint(image)


@pytest.mark.parametrize(
    ("source", "name"),
    [(None, "NoneType"), (3, "int"), ([[0.0]], "list"), (io.BytesIO(), "BytesIO")],
)
def test_other_types_are_named(source: Any, name: str) -> None:
    message = complaint(source)
    assert message.endswith(f"an array or a tensor, got {name}.")
