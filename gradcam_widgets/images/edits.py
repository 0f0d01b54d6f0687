"""Image edits for what-if questions (occlusion): crop, gray out or blur a box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import cv2
import numpy as np

from gradcam_widgets._choices import check_choice
from gradcam_widgets.errors import OptionError

from .box import Box
from .reading import MIN_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Kind = Literal["crop", "gray", "blur"]
GRAY = (128, 128, 128)
BLUR_SIGMA_FRACTION = 0.2


class Edit(NamedTuple):
    """One edit of an image.

    Attributes:
        kind: "crop" keeps only the box, "gray" fills it with gray, "blur" blurs it.
        box: The box in pixels of the original image.
    """

    kind: Kind
    box: Box


def as_edits(edits: Any) -> tuple[Edit, ...]:
    """Convert a list of `Edit`s, (kind, box) pairs or {"kind": …, "box": …} dicts to `Edit`s.

    Raises:
        OptionError: If the value has another form.
    """
    if not isinstance(edits, (list, tuple)) or isinstance(edits, Edit):
        raise OptionError(f"edits must be a list [Edit(kind, Box(…)), …], got {edits!r}.")
    return tuple(_as_edit(edit) for edit in edits)


def edited(image: NDArray[np.uint8], edits: Iterable[Edit]) -> tuple[NDArray[np.uint8], Box]:
    """Return a copy of an image with its boxes covered, cropped to the last crop.

    Args:
        image: `(H, W, 3)` uint8 RGB array.
        edits: Edits in the order of application.

    Returns:
        The edited `(H, W, 3)` uint8 RGB array, and its box in the original image.

    Raises:
        OptionError: If a kind is unknown, a box lies outside the image, or a side of a crop is under 8 pixels.
    """
    result = image.copy()
    window = Box(0, 0, image.shape[1], image.shape[0])
    for kind, box in edits:
        check_choice("kind", kind, get_args(Kind))
        left, top, right, bottom = _clipped(box, image)
        if kind == "crop":
            if min(right - left, bottom - top) < MIN_SIDE:
                raise OptionError(
                    f"A crop must be at least {MIN_SIDE}×{MIN_SIDE} pixels, got {right - left}×{bottom - top}."
                )
            window = Box(left, top, right, bottom)
        elif kind == "gray":
            result[top:bottom, left:right] = GRAY
        else:
            result[top:bottom, left:right] = _blurred(result[top:bottom, left:right])
    return np.ascontiguousarray(result[window.top : window.bottom, window.left : window.right]), window


def _as_edit(value: Any) -> Edit:
    try:
        kind, box = (value["kind"], value["box"]) if isinstance(value, dict) else value
        return Edit(kind, Box(*(int(side) for side in box)))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise OptionError(f"edits must contain Edit(kind, Box(left, top, right, bottom)), got {value!r}.") from None


def _clipped(box: Box, image: NDArray[np.uint8]) -> Box:
    height, width = image.shape[:2]
    left, top, right, bottom = box
    clipped = Box(max(0, left), max(0, top), min(width, right), min(height, bottom))
    if clipped.left >= clipped.right or clipped.top >= clipped.bottom:
        raise OptionError(f"box must overlap the {width}×{height} image, got {tuple(box)}.")
    return clipped


def _blurred(region: NDArray[np.uint8]) -> NDArray[np.uint8]:
    sigma = max(1.0, BLUR_SIGMA_FRACTION * min(region.shape[:2]))
    return cv2.GaussianBlur(region, (0, 0), sigma).astype(np.uint8, copy=False)
