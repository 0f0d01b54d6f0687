"""Images as the bytes of files, and in a size fit to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .reading import MIN_SIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray


def shrink(image: NDArray[np.uint8], max_side: int) -> NDArray[np.uint8]:
    """Bring the longer side of a large image down to so many pixels, at least 8 a side; a small one stays.

    Args:
        image: Axes (row, column, RGB), uint8.
        max_side: In pixels.
    """
    scale = max_side / max(image.shape[:2])
    if scale >= 1:
        return image
    rows, columns = (max(MIN_SIDE, round(side * scale)) for side in image.shape[:2])
    return cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode an image, axes (row, column, RGB), uint8, as the bytes of a PNG file."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1])


def encode_jpeg(image: NDArray[np.uint8], quality: int = 90) -> bytes:
    """Encode an image, axes (row, column, RGB), uint8, as the bytes of a JPEG file."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return bytes(cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])
