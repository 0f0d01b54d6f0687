from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradcam_widgets import DisplayOptions
from gradcam_widgets.heatmaps.heatmap import Heatmap

if TYPE_CHECKING:
    from gradcam_widgets.heatmaps.display import Evidence

INFERNO_END = (0.988362, 0.998364, 0.644924)  # as published with it, in 0…1


def heatmap(values: Any, **changes: Any) -> Heatmap:
    return Heatmap(np.asarray(values, np.float32), 0, "tug", 1.0, 0.5, "features", "grad-cam", **changes)


# -- what is noise


@pytest.mark.parametrize("evidence", ["for", "against"])
@pytest.mark.parametrize(("share", "expected"), [(5e-4, True), (2e-6, True), (5e-7, False), (0.0, False)])
def test_more_than_a_millionth_of_the_peak_is_evidence(evidence: Evidence, share: float, expected: bool) -> None:
    sign = 1 if evidence == "for" else -1
    made = heatmap([[-800.0 * sign, 0.0], [0.0, 800.0 * share * sign]])
    assert made.has_evidence(evidence) is expected
    assert made.peak(evidence) == ((1, 1) if expected else None)
    assert made.centroid(evidence) == ((1, 1) if expected else None)


def test_evidence_a_thousandth_of_the_other_side_is_told() -> None:
    made = heatmap([[-2.0, 0.0], [0.0, 0.001]])
    assert "peak (1, 1)" in made.summary()
    assert not any("No positive evidence" in caveat for caveat in made.caveats)
    assert made.box() is not None


# -- how strongly it covers the image


@pytest.mark.parametrize("gray", [0, 100, 200])
def test_the_peak_covers_three_quarters_of_the_image(gray: int) -> None:
    overlay = heatmap([[0.0, 0.0], [0.0, 3.0]], image=np.full((16, 16, 3), gray, np.uint8)).overlay()
    expected = [0.25 * gray + 0.75 * 255 * channel for channel in INFERNO_END]
    assert np.ptp(expected) > 50
    np.testing.assert_allclose(overlay[-1, -1], expected, atol=1.3)  # of a table in whole steps
    assert (overlay[0, 0] == gray).all()  # where there is no evidence the image stays


def test_display_options_are_the_published_ones() -> None:
    assert DisplayOptions() == DisplayOptions(
        evidence="for", opacity=0.75, fade=True, threshold=0.0, colormap=None, vmax=None, interpolation="bilinear"
    )


# -- which part is boxed


def test_the_box_is_of_what_is_above_15_percent_as_in_the_paper() -> None:
    # Neighbors of the peak at 16 and 14 per cent: the first belongs to the region, the second does not.
    made = heatmap([[0.0, 0.14, 1.0, 0.16, 0.0]])
    assert made.box(size=(1, 5)) == (2, 0, 4, 1)


def test_a_threshold_is_a_share_of_the_maximum() -> None:
    values = [[0.0, 20.0, 100.0, 60.0, 0.0]]
    gray = np.full((1 * 8, 5 * 8, 3), 120, np.uint8)
    overlay = heatmap(values, image=gray).overlay(threshold=0.5, interpolation="cells", fade=False)
    covered = (overlay != gray).any(axis=(0, 2))
    assert covered.tolist() == [False] * 16 + [True] * 16 + [False] * 8
