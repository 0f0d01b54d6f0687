"""Measures against masks, by hand, on a map of 2×4 cells over an image of 20×40 pixels."""

from __future__ import annotations

import numpy as np
import pytest

from gradcam_widgets import Heatmap
from gradcam_widgets.evaluation.localization import box_iou, density, energy_inside_mask, pointing_game_hit
from gradcam_widgets.images.box import Box


def map_with_peak_at(row: int, column: int) -> Heatmap:
    values = np.zeros((2, 4), np.float32)
    values[row, column] = 1
    return Heatmap(values, 0, None, 1.0, 1.0, "layer", "grad-cam", image=np.zeros((20, 40, 3), np.uint8))


def mask(rows: slice, columns: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((20, 40), bool)
    mask[rows, columns] = True
    return mask


def test_pointing_tolerates_one_cell() -> None:
    peak = map_with_peak_at(0, 3)
    assert pointing_game_hit(peak, mask(slice(0, 10), slice(30, 40)))
    assert pointing_game_hit(peak, mask(slice(12, 14), slice(20, 22)))
    assert not pointing_game_hit(peak, mask(slice(0, 20), slice(0, 20)))


def test_energy_and_density() -> None:
    whole = mask(slice(0, 20), slice(0, 40))
    right = mask(slice(0, 20), slice(20, 40))
    peak = map_with_peak_at(0, 3)
    assert energy_inside_mask(peak, whole) == pytest.approx(1)
    # Bilinear, half-pixel: the peak's cell reaches half a cell beyond its own edge, never beyond column 25.
    assert energy_inside_mask(peak, right) == pytest.approx(1)
    assert density(peak, right) == pytest.approx(2)
    assert energy_inside_mask(peak, ~right) == pytest.approx(0)


def test_iou_of_boxes() -> None:
    assert box_iou(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert box_iou(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0
    assert box_iou(None, Box(0, 0, 1, 1)) == 0
