"""What if the model had seen only this, or not that? Crops and covers of an image."""

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
BLUR_SHARE = 0.2


class Edit(NamedTuple):
    """One change of an image: "crop" leaves the box alone, "gray" and "blur" cover it.

    Attributes:
        kind: Which of them.
        box: Where, in the pixels of the unchanged image.
    """

    kind: Kind
    box: Box


def as_edits(given: Any) -> tuple[Edit, ...]:
    """Read a list of edits, each an `Edit`, (kind, box) or {"kind": …, "box": …}.

    Raises:
        OptionError: If it is none.
    """
    if not isinstance(given, (list, tuple)) or isinstance(given, Edit):
        raise OptionError(f"{given!r} is no list of changes of an image: give [Edit(kind, Box(…)), …].")
    return tuple(_as_edit(each) for each in given)


def edited(image: NDArray[np.uint8], edits: Iterable[Edit]) -> tuple[NDArray[np.uint8], Box]:
    """Cover parts of an image, then crop it to the last crop; the image given is left alone.

    Args:
        image: Axes (row, column, RGB), uint8.
        edits: In the order in which they were made.

    Returns:
        The changed image, likewise, and which part of the given one it shows.

    Raises:
        OptionError: If a kind is unknown, a box lies outside of the image, or a crop has less than 8 pixels a side.
    """
    result = image.copy()
    window = Box(0, 0, image.shape[1], image.shape[0])
    for kind, box in edits:
        check_choice("edit", kind, get_args(Kind))
        left, top, right, bottom = _inside(box, image)
        if kind == "crop":
            if min(right - left, bottom - top) < MIN_SIDE:
                raise OptionError(
                    f"A crop of {right - left}×{bottom - top} pixels is too small to look at: draw at least "
                    f"{MIN_SIDE}×{MIN_SIDE}."
                )
            window = Box(left, top, right, bottom)
        elif kind == "gray":
            result[top:bottom, left:right] = GRAY
        else:
            result[top:bottom, left:right] = _blurred(result[top:bottom, left:right])
    return np.ascontiguousarray(result[window.top : window.bottom, window.left : window.right]), window


def _as_edit(given: Any) -> Edit:
    try:
        kind, box = (given["kind"], given["box"]) if isinstance(given, dict) else given
        return Edit(kind, Box(*(int(side) for side in box)))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise OptionError(
            f"{given!r} is no change of an image: give Edit(kind, Box(left, top, right, bottom))."
        ) from None


def _inside(box: Box, image: NDArray[np.uint8]) -> Box:
    height, width = image.shape[:2]
    left, top, right, bottom = box
    cut = Box(max(0, left), max(0, top), min(width, right), min(height, bottom))
    if cut.left >= cut.right or cut.top >= cut.bottom:
        raise OptionError(f"The box {tuple(box)} has no pixel of the {width}×{height} image: draw it inside.")
    return cut


def _blurred(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    sigma = max(1.0, BLUR_SHARE * min(part.shape[:2]))
    return cv2.GaussianBlur(part, (0, 0), sigma).astype(np.uint8, copy=False)
