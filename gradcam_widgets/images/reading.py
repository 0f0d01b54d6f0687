"""Whatever a person has of an image (path, bytes, PIL, array, tensor) to RGB uint8."""

from __future__ import annotations

import difflib
import io
import math
import os
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from gradcam_widgets._paths import expanded, is_folder
from gradcam_widgets.errors import ImageError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from numpy.typing import NDArray

ImageLike: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | Image.Image | NDArray[Any] | torch.Tensor"
)

MAX_PIXELS = 100_000_000
MAX_PIXELS_VARIABLE = "GRADCAM_WIDGETS_MAX_PIXELS"
MIN_SIDE = 8

_CHANNEL_COUNTS = (1, 3, 4)
_WHITE = 255
_MAX_NAME = 300
_PILLOW_LIMIT = threading.Lock()


def read_image(source: ImageLike, *, max_pixels: int | None = None) -> NDArray[np.uint8]:
    """Read an image from whatever a person has of it.

    Images are turned upright by their EXIF orientation, and what is transparent is laid on white. The
    file of an animation gives its first frame.

    Args:
        source: One of

            - the path of a file (a leading ``~`` is expanded), or the bytes of one;
            - a PIL image of any mode; I and I;16 are read as 0…65535, F as 0…1;
            - an array of axes (height, width), (height, width, channel), (channel, height, width), or one of
              these after a first axis of length 1, with 1, 3 or 4 channels: gray, RGB or RGBA. uint8 in
              0…255, uint16 in 0…65535, bool, or a float dtype in 0…1 (rounded to the nearest of 256 levels);
            - a tensor of the same axes, dtypes and ranges, on any device.
        max_pixels: The most pixels, height times width, that are accepted; without it the environment
            variable ``GRADCAM_WIDGETS_MAX_PIXELS`` decides, and without that 100 million. Of a file only the
            header is read before this is checked.

    Returns:
        Image (height, width, channel), uint8, RGB in 0…255: a C-contiguous array of its own.

    Raises:
        ImageError: The source is of another type, there is no such file, it is no image, or a damaged
            one; the image is enormous, or a side has less than 8 pixels; the shape, the dtype or the values
            of an array or tensor are none of those above; or the limit is not a positive whole number.
    """
    limit = _pixel_limit(max_pixels)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(source, limit)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        return _from_stream(io.BytesIO(data), f"The data given ({len(data):,} bytes)", limit)
    if isinstance(source, Image.Image):
        return _from_pil(source, f"The PIL image of mode {source.mode}", limit)
    if isinstance(source, np.ndarray):
        name = f"The array of shape {source.shape} and dtype {source.dtype}"
        return _from_values(_channels_last(source, name, first_preferred=False), name, limit)
    if hasattr(source, "requires_grad"):  # a tensor, told without importing torch
        name = f"The tensor of shape {tuple(source.shape)} and dtype {source.dtype}"
        values = _tensor_values(source, name)
        return _from_values(_channels_last(values, name, first_preferred=True), name, limit)
    raise ImageError(
        f"An object of type {type(source).__name__} is no image: give a path, the bytes of a file, "
        "a PIL image, an array or a tensor.",
    )


def _pixel_limit(max_pixels: int | None) -> int:
    if max_pixels is not None:
        if isinstance(max_pixels, int) and max_pixels >= 1:
            return max_pixels
        raise OptionError(f"max_pixels={max_pixels!r} is no limit: give a positive whole number of pixels.")
    text = os.environ.get(MAX_PIXELS_VARIABLE, "")
    if not text:
        return MAX_PIXELS
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise OptionError(
        f"The environment variable {MAX_PIXELS_VARIABLE} is {text!r}: "
        "set it to a positive whole number of pixels, such as 200000000, or unset it.",
    )


def _from_file(source: str | os.PathLike[str], limit: int) -> NDArray[np.uint8]:
    given = os.fsdecode(source)
    name = f"'{given}'" if len(given) <= _MAX_NAME else f"'{given[:_MAX_NAME]}…'"
    if not given:
        raise ImageError("The path given is empty: give the path of an image file.")
    if given.startswith(("http://", "https://")):
        raise ImageError(f"{name} is an address, not a file: download it and give the path of the file.")
    path = Path(given)
    if path.parts[:1] == ("~",):
        path = expanded(path, ImageError)
    with _opened(path, name) as stream:
        return _from_stream(stream, name, limit)


def _opened(path: Path, name: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(_no_such_file(path)) from error
    except (IsADirectoryError, PermissionError) as error:
        if is_folder(path):
            raise ImageError(f"{name} is a folder: give one image file in it.") from error
        raise ImageError(f"{name} may not be read: change its permissions or give a copy.") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"{name} cannot be opened ({_reason(error)}): check the path.") from error


def _no_such_file(path: Path) -> str:
    folder = path.parent.absolute()
    if not is_folder(folder):
        return f"There is no folder '{folder}' to read '{path.name}' from: check the path."
    listable = os.access(folder, os.R_OK)
    names = {entry.name.casefold(): entry.name for entry in folder.iterdir()} if listable else {}
    close = [f"'{names[key]}'" for key in difflib.get_close_matches(path.name.casefold(), names)]
    advice = f"did you mean {' or '.join(close)}?" if close else "check the path."
    return f"There is no file '{path.name}' in the folder '{folder}': {advice}"


def _from_stream(stream: IO[bytes], name: str, limit: int) -> NDArray[np.uint8]:
    if stream.seek(0, os.SEEK_END) == 0:
        raise ImageError(f"{name} is empty: get the image again.")
    try:
        with _pillow_allows(sys.maxsize):
            image = Image.open(stream)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not an image that Pillow can read, or a damaged one: "
            "give a whole JPEG, PNG, GIF, WebP, BMP or TIFF file.",
        ) from error
    except Exception as error:
        raise _damaged(name, error) from error
    return _from_pil(image, name, limit)


def _from_pil(image: Image.Image, name: str, limit: int) -> NDArray[np.uint8]:
    _check_size(image.height, image.width, name, limit)
    # Decoders that meet damaged bytes raise nearly anything: OSError, SyntaxError, struct.error, KeyError.
    try:
        with _pillow_allows(image.height * image.width):
            upright = ImageOps.exif_transpose(image)
        values = _pil_values(upright)
    except Exception as error:
        raise _damaged(name, error) from error
    return _from_values(values, name, limit)


@contextmanager
def _pillow_allows(pixels: int) -> Iterator[None]:
    """Keep Pillow from objecting to an image of so many pixels: here `_check_size` decides."""
    with _PILLOW_LIMIT:
        allowed = Image.MAX_IMAGE_PIXELS is None or pixels <= Image.MAX_IMAGE_PIXELS
    if allowed:
        yield
        return
    # The limit is one for the process: without the lock two threads could restore each other's.
    with _PILLOW_LIMIT:
        usual = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def _pil_values(image: Image.Image) -> NDArray[Any]:
    if image.mode == "F":
        return np.asarray(image)[:, :, np.newaxis]
    if image.mode.startswith("I"):
        return _sixteen_bit_values(image)[:, :, np.newaxis]
    if image.mode == "La":  # Pillow has no way from here to RGBA
        image = image.convert("LA")
    return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))


def _sixteen_bit_values(image: Image.Image) -> NDArray[Any]:
    values = np.asarray(image)
    if values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max:
        values = values.astype(np.uint16)
    transparent = image.info.get("transparency")
    if transparent is None:
        return values
    return np.where(values == transparent, np.iinfo(np.uint16).max, values).astype(values.dtype)


def _tensor_values(tensor: torch.Tensor, name: str) -> NDArray[Any]:
    try:
        plain = tensor.detach().cpu()
        # NumPy knows no bfloat16.
        values: NDArray[Any] = (plain.float() if plain.is_floating_point() else plain).numpy()
    except (RuntimeError, TypeError) as error:
        raise ImageError(f"{name} has no values that can be read: give a plain dense tensor.") from error
    return values


def _channels_last(values: NDArray[Any], name: str, *, first_preferred: bool) -> NDArray[Any]:
    if values.ndim == 4:
        if len(values) != 1:
            raise ImageError(f"{name} is a batch of {len(values)}: give one of them, such as batch[0].")
        values = values[0]
    if values.ndim == 2:
        return values[:, :, np.newaxis]
    if values.ndim == 3:
        last = values.shape[2] in _CHANNEL_COUNTS
        first = values.shape[0] in _CHANNEL_COUNTS
        if first and (first_preferred or not last):
            return np.moveaxis(values, 0, 2)
        if last:
            return values
    raise ImageError(
        f"{name} is no image: give (height, width), (height, width, channel) or (channel, height, width) "
        "with 1, 3 or 4 channels.",
    )


def _from_values(values: NDArray[Any], name: str, limit: int) -> NDArray[np.uint8]:
    height, width, _ = values.shape
    _check_size(height, width, name, limit)
    return _rgb(_levels(values, name))


def _check_size(height: int, width: int, name: str, limit: int) -> None:
    if min(height, width) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width} pixels wide and {height} high: "
            f"give an image of at least {MIN_SIDE} pixels on each side.",
        )
    if height * width > limit:
        raise ImageError(
            f"{name} is {width:,} pixels wide and {height:,} high, more than {limit:,} pixels in all: "
            f"make it smaller, or raise the limit by the environment variable {MAX_PIXELS_VARIABLE}.",
        )


def _levels(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    kind, size = values.dtype.kind, values.dtype.itemsize
    if kind == "u" and size == 1:
        return values
    if kind == "u" and size == 2:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind == "b":
        return (values.astype(np.uint16) * _WHITE).astype(np.uint8)
    if kind == "f":
        return _levels_of_floats(values, name)
    if kind in "iu":
        low, high = int(values.min()), int(values.max())
        advice = "convert it to uint8" if low >= 0 and high <= _WHITE else "bring it into 0…255"
        raise ImageError(f"{name} has whole values {low}…{high}: {advice} and give it as uint8.")
    raise ImageError(f"{name} holds no gray levels: give uint8 in 0…255 or floats in 0…1.")


def _levels_of_floats(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(f"{name} has values {low:g}…{high:g}: give finite ones in 0…1.")
    # Resizing leaves values such as 1.0000001: what still rounds to a gray level is one.
    if round(low * _WHITE) < 0 or round(high * _WHITE) > _WHITE:
        if low < 0:
            advice = "it looks normalized; give the image before normalization, in 0…1"
        elif high <= _WHITE:
            advice = "if these are gray levels in 0…255, divide by 255 or give them as uint8"
        else:
            advice = "bring them into 0…1"
        raise ImageError(f"{name} has values {low:.3g}…{high:.3g}: {advice}.")
    levels: NDArray[np.float32] = np.rint(values.astype(np.float32) * np.float32(_WHITE))
    return levels.clip(0, _WHITE).astype(np.uint8)


def _rgb(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    channels = levels.shape[2]
    if channels == 4:
        return _on_white(levels)
    if channels == 1:
        return np.repeat(levels, 3, axis=2)
    return np.array(levels, order="C")


def _on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    color = rgba[:, :, :3].astype(np.uint16)
    alpha = rgba[:, :, 3:].astype(np.uint16)
    mixed = (color * alpha + _WHITE * (_WHITE - alpha) + _WHITE // 2) // _WHITE
    return mixed.astype(np.uint8, order="C")


def _damaged(name: str, error: Exception) -> ImageError:
    return ImageError(f"{name} is damaged or cut off ({_reason(error)}): get or open the image again.")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.rstrip(".") or type(error).__name__
