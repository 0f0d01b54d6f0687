"""The walkthroughs' heat maps against arrays that captum made; see make_baselines.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from make_baselines import ASKED, path_of, reference

from gradcam_widgets.samples import SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

OF_THE_RANGE = (
    1e-3  # other processors and releases of torch add up in another order; where they were made all are equal
)


@pytest.fixture(params=ASKED, ids=" ".join)
def asked(request: pytest.FixtureRequest) -> tuple[str, str]:
    world, name = request.param
    if world == "photo":
        request.getfixturevalue("photo_world")
    return world, name


def is_blank(values: NDArray[np.float32]) -> bool:
    """Say whether a map is nearly the same everywhere."""
    return bool(values.std() < 0.02 * np.abs(values).max())


def check(world: str, name: str) -> None:
    """Compare what the toolkit answers when it is asked as the lessons ask it."""
    sample = SAMPLES[name](world=world)
    trace = sample.classifier.trace(sample.picture)
    heatmaps = trace.compare(list(ASKED[world, name].classes))
    expected = np.load(path_of(world, name))
    assert len(heatmaps) == len(expected)
    for heatmap, values in zip(heatmaps, expected, strict=True):
        assert not is_blank(values)
        assert heatmap.layer == ASKED[world, name].layer
        assert heatmap.class_index == ASKED[world, name].classes[str(heatmap.category)]
        assert heatmap.values.shape == values.shape
        np.testing.assert_allclose(heatmap.values, values, rtol=0, atol=OF_THE_RANGE * np.ptp(values))
        assert np.array_equal(heatmap.evidence("for"), np.maximum(heatmap.values, 0))


def test_maps_are_captums(asked: tuple[str, str]) -> None:
    check(*asked)


def test_captum_still_says_what_was_stored(asked: tuple[str, str]) -> None:
    stored = np.load(path_of(*asked))
    np.testing.assert_allclose(reference(*asked), stored, rtol=0, atol=OF_THE_RANGE * np.ptp(stored))


def test_categories_of_a_walkthrough_are_all_stored(asked: tuple[str, str]) -> None:
    world, name = asked
    assert SAMPLES[name](world=world).categories == tuple(ASKED[asked].classes)


def test_no_baseline_is_left_over() -> None:
    folder = path_of("scene", "submarine").parent
    assert {path.name for path in folder.iterdir()} == {path_of(*key).name for key in ASKED}
