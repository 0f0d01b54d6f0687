"""Comparison of maps by their largest difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcam_widgets.errors import GradCAMError

from .formatting import format_significant

if TYPE_CHECKING:
    from numpy.typing import NDArray


def describe_difference(values: NDArray[Any], reference: NDArray[Any], tolerance: float = 1e-5) -> str:
    """Describe the largest difference between two maps, as a fraction of the reference's range.

    Differences up to the tolerance count as equal and are not printed, as float32 sums in another order differ by
    about 1e-7 of the range.

    Args:
        values: Map of any shape.
        reference: Map of the same shape; its range, maximum minus minimum, is the unit.
        tolerance: Fraction of the range up to which maps count as equal.

    Returns:
        "equal to 1e-5 of the range" or "up to 0.354 of the range apart".

    Raises:
        GradCAMError: If the shapes differ, a value is not finite, or the reference is constant.
    """
    compared, expected = np.asarray(values, np.float64), np.asarray(reference, np.float64)
    if compared.shape != expected.shape:
        raise GradCAMError(f"values must have the reference's shape {expected.shape}, got {compared.shape}.")
    if not (np.isfinite(compared).all() and np.isfinite(expected).all()):
        raise GradCAMError("Cannot compare maps that contain NaN or infinity: use finite maps.")
    span = float(np.ptp(expected)) if expected.size else 0.0
    if not span:
        raise GradCAMError("Cannot compare with a constant reference, whose range is zero: use another reference.")
    difference = float(np.abs(compared - expected).max()) / span
    if difference <= tolerance:
        return f"equal to {f'{tolerance:g}'.replace('e-0', 'e-')} of the range"
    return f"up to {format_significant(difference)} of the range apart"
