"""How far two maps are apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcam_widgets.errors import GradCAMError

from .formatting import format_significant

if TYPE_CHECKING:
    from numpy.typing import NDArray


def describe_difference(values: NDArray[Any], reference: NDArray[Any], tolerance: float = 1e-5) -> str:
    """Say how far two maps are apart, in units of the reference's range.

    Sums in float32 that are added up in another order differ by some 1e-7 of the range; such differences are called
    equal and not printed.

    Args:
        values: The map, any shape.
        reference: What it is compared with, the same shape; its range, largest less smallest value, is the unit.
        tolerance: Share of the range up to which two maps are called equal.

    Returns:
        "equal to 1e-5 of the range" or "up to 0.354 of the range apart".

    Raises:
        GradCAMError: If the shapes differ, a value is not finite, or the reference is the same everywhere.
    """
    one, other = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    if one.shape != other.shape:
        raise GradCAMError(f"Maps of one shape can be compared, not {one.shape} with {other.shape}.")
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise GradCAMError("Maps that hold NaN or infinity cannot be compared: give finite ones.")
    span = float(np.ptp(other)) if other.size else 0.0
    if not span:
        raise GradCAMError("The reference is the same everywhere, so its range cannot be a unit: give another map.")
    apart = float(np.abs(one - other).max()) / span
    if apart <= tolerance:
        return f"equal to {f'{tolerance:g}'.replace('e-0', 'e-')} of the range"
    return f"up to {format_significant(apart)} of the range apart"
