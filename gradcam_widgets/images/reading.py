"""Conversion of paths, bytes, PIL images, arrays and tensors to RGB uint8 arrays."""

from __future__ import annotations

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

from gradcam_widgets._choices import suggestion
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
    """Convert an image of any supported type to an RGB array.

    EXIF orientation is applied, transparent pixels are blended with white, and only the first frame of an animation
    is read.

    Args:
        source: One of

            - the path of a file (a leading `~` is expanded), or its contents as bytes;
            - a PIL image of any mode, with I and I;16 in 0…65535 and F in 0…1;
            - an array of shape `(H, W)`, `(H, W, C)` or `(C, H, W)`, optionally after a first axis of length 1, with 1,
              3 or 4 channels (gray, RGB or RGBA): uint8 in 0…255, uint16 in 0…65535, bool, or a float dtype in 0…1
              (rounded to the nearest of 256 levels);
            - a tensor of the same shapes, dtypes and ranges, on any device.
        max_pixels: Largest accepted number of pixels, checked before a file's pixels are decoded; by default the
            environment variable `GRADCAM_WIDGETS_MAX_PIXELS`, or else 100 million.

    Returns:
        New C-contiguous `(H, W, 3)` uint8 RGB array.

    Raises:
        ImageError: If the file does not exist, is damaged or is not an image; if the type, shape, dtype or range of
            the source is not supported; or if the image is too large or a side is under 8 pixels.
        OptionError: If the limit is not a positive integer.
    """
    limit = _pixel_limit(max_pixels)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(source, limit)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        return _from_stream(io.BytesIO(data), f"The data ({len(data):,} bytes)", limit)
    if isinstance(source, Image.Image):
        return _from_pil(source, f"The PIL image of mode {source.mode}", limit)
    if isinstance(source, np.ndarray):
        name = f"The array of shape {source.shape} and dtype {source.dtype}"
        return _from_values(_channels_last(source, name, first_preferred=False), name, limit)
    if hasattr(source, "requires_grad"):  # a tensor, recognized without importing torch
        name = f"The tensor of shape {tuple(source.shape)} and dtype {source.dtype}"
        values = _tensor_values(source, name)
        return _from_values(_channels_last(values, name, first_preferred=True), name, limit)
    raise ImageError(
        f"image must be a path, the bytes of a file, a PIL image, an array or a tensor, got {type(source).__name__}.",
    )


def _pixel_limit(max_pixels: int | None) -> int:
    if max_pixels is not None:
        if isinstance(max_pixels, int) and max_pixels >= 1:
            return max_pixels
        raise OptionError(f"max_pixels must be a positive integer, got {max_pixels!r}.")
    text = os.environ.get(MAX_PIXELS_VARIABLE, "")
    if not text:
        return MAX_PIXELS
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise OptionError(
        f"The environment variable {MAX_PIXELS_VARIABLE} must be a positive integer such as 200000000, got {text!r}.",
    )


def _from_file(source: str | os.PathLike[str], limit: int) -> NDArray[np.uint8]:
    text = os.fsdecode(source)
    name = f"'{text}'" if len(text) <= _MAX_NAME else f"'{text[:_MAX_NAME]}…'"
    if not text:
        raise ImageError("image must be the path of a file, got an empty path.")
    if text.startswith(("http://", "https://")):
        raise ImageError(f"Cannot read {name}: URLs are not supported; download the file and use its path.")
    path = Path(text)
    if path.parts[:1] == ("~",):
        path = expanded(path, ImageError)
    with _open(path, name) as stream:
        return _from_stream(stream, name, limit)


def _open(path: Path, name: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(_no_such_file(path)) from error
    except (IsADirectoryError, PermissionError) as error:
        if is_folder(path):
            raise ImageError(f"{name} is a folder: choose an image file in it.") from error
        raise ImageError(f"Cannot read {name}: permission denied; change its permissions or use a copy.") from error
    except (OSError, ValueError) as error:
        raise ImageError(f"Cannot open {name} ({_reason(error)}): check the path.") from error


def _no_such_file(path: Path) -> str:
    folder = path.parent.absolute()
    if not is_folder(folder):
        return f"There is no folder '{folder}' with a file '{path.name}': check the path."
    names = [entry.name for entry in folder.iterdir()] if os.access(folder, os.R_OK) else []
    hint = suggestion(path.name, names, "check the path.", show=lambda name: f"'{name}'")
    return f"There is no file '{path.name}' in the folder '{folder}': {hint}"


def _from_stream(stream: IO[bytes], name: str, limit: int) -> NDArray[np.uint8]:
    if stream.seek(0, os.SEEK_END) == 0:
        raise ImageError(f"{name} is empty: download or save the image again.")
    try:
        with _pillow_allows(sys.maxsize):
            image = Image.open(stream)
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name} is not an image supported by Pillow, or is damaged: "
            "use a complete JPEG, PNG, GIF, WebP, BMP or TIFF file.",
        ) from error
    except Exception as error:
        raise _damaged(name, error) from error
    return _from_pil(image, name, limit)


def _from_pil(image: Image.Image, name: str, limit: int) -> NDArray[np.uint8]:
    _check_size(image.height, image.width, name, limit)
    # Decoders raise many types for damaged files, among them OSError, SyntaxError, struct.error and KeyError.
    try:
        with _pillow_allows(image.height * image.width):
            upright = ImageOps.exif_transpose(image)
        values = _pil_values(upright)
    except Exception as error:
        raise _damaged(name, error) from error
    return _from_values(values, name, limit)


@contextmanager
def _pillow_allows(pixels: int) -> Iterator[None]:
    """Raise Pillow's limit to a number of pixels, as `_check_size` enforces the limit of this package."""
    with _PILLOW_LIMIT:
        allowed = Image.MAX_IMAGE_PIXELS is None or pixels <= Image.MAX_IMAGE_PIXELS
    if allowed:
        yield
        return
    # The limit is global: without the lock, a thread could restore the limit of another one.
    with _PILLOW_LIMIT:
        original = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = pixels
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = original


def _pil_values(image: Image.Image) -> NDArray[Any]:
    if image.mode == "F":
        return np.asarray(image)[:, :, np.newaxis]
    if image.mode.startswith("I"):
        return _sixteen_bit_values(image)[:, :, np.newaxis]
    if image.mode == "La":  # Pillow cannot convert it to RGBA directly
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
        on_cpu = tensor.detach().cpu()
        # NumPy has no bfloat16.
        values: NDArray[Any] = (on_cpu.float() if on_cpu.is_floating_point() else on_cpu).numpy()
    except (RuntimeError, TypeError) as error:
        raise ImageError(f"{name} has no readable values: use a dense tensor on a real device.") from error
    return values


def _channels_last(values: NDArray[Any], name: str, *, first_preferred: bool) -> NDArray[Any]:
    if values.ndim == 4:
        if len(values) != 1:
            raise ImageError(f"{name} is a batch of {len(values)}: choose one of its images, such as batch[0].")
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
        f"{name} is not an image: use shape (H, W), (H, W, C) or (C, H, W) with 1, 3 or 4 channels.",
    )


def _from_values(values: NDArray[Any], name: str, limit: int) -> NDArray[np.uint8]:
    height, width, _ = values.shape
    _check_size(height, width, name, limit)
    return _rgb(_levels(values, name))


def _check_size(height: int, width: int, name: str, limit: int) -> None:
    if min(height, width) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width} pixels wide and {height} high: use an image of at least {MIN_SIDE}×{MIN_SIDE} pixels.",
        )
    if height * width > limit:
        raise ImageError(
            f"{name} is {width:,} pixels wide and {height:,} high, more than {limit:,} pixels: "
            f"downsample it, or raise the limit with the environment variable {MAX_PIXELS_VARIABLE}.",
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
        return _levels_from_floats(values, name)
    if kind in "iu":
        low, high = int(values.min()), int(values.max())
        advice = "convert it to uint8" if low >= 0 and high <= _WHITE else "scale it to 0…255 and convert it to uint8"
        raise ImageError(f"{name} has integer values {low}…{high}: {advice}.")
    raise ImageError(f"{name} is not an image: use uint8 in 0…255 or floats in 0…1.")


def _levels_from_floats(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError(f"{name} has values {low:g}…{high:g}: use finite values in 0…1.")
    # Values that round to a gray level are accepted, as resizing may return 1.0000001.
    if round(low * _WHITE) < 0 or round(high * _WHITE) > _WHITE:
        if low < 0:
            advice = "it looks normalized; use the image before normalization, in 0…1"
        elif high <= _WHITE:
            advice = "for gray levels in 0…255, divide by 255 or convert to uint8"
        else:
            advice = "scale them to 0…1"
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
    return ImageError(f"{name} is damaged or truncated ({_reason(error)}): download, save or open the image again.")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text.rstrip(".") or type(error).__name__
