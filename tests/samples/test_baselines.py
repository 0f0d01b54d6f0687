"""The walkthroughs' heat maps against arrays that captum made; see make_baselines.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from matplotlib import colormaps

from gradcam_widgets.samples import SAMPLES
from tests.tools.make_baselines import TARGETS, path_of, reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAY_LEVELS, VISIBLE = 8, 50  # the color map has 256 steps, some of them of several gray levels
OF_THE_RANGE = (
    1e-3  # other processors and releases of torch add up in another order; where they were made all are equal
)


@pytest.fixture(params=TARGETS, ids=" ".join)
def asked(request: pytest.FixtureRequest) -> tuple[str, str]:
    source, name = request.param
    if source == "photos":
        request.getfixturevalue("photo_source")
    return source, name


def is_blank(values: NDArray[np.float32]) -> bool:
    """Say whether a map is nearly the same everywhere."""
    return bool(values.std() < 0.02 * np.abs(values).max())


def check(source: str, name: str, device: str = "cpu") -> None:
    """Compare what the toolkit answers when it is asked as the lessons ask it."""
    sample = SAMPLES[name](source=source)
    sample.classifier.model.to(device)
    trace = sample.classifier.trace(sample.image)
    heatmaps = trace.compare(list(TARGETS[source, name].classes))
    expected = np.load(path_of(source, name))
    assert len(heatmaps) == len(expected)
    for heatmap, values in zip(heatmaps, expected, strict=True):
        assert not is_blank(values)
        assert heatmap.layer == TARGETS[source, name].layer
        assert heatmap.class_index == TARGETS[source, name].classes[str(heatmap.class_name)]
        assert heatmap.values.shape == values.shape
        np.testing.assert_allclose(heatmap.values, values, rtol=0, atol=OF_THE_RANGE * np.ptp(values))
        assert np.array_equal(heatmap.evidence("for"), np.maximum(heatmap.values, 0))


def check_overlay(source: str, name: str) -> None:
    """Compare the overlay with the stored map, enlarged by torch and colored by matplotlib, over the image."""
    sample = SAMPLES[name](source=source)
    class_name = next(iter(TARGETS[source, name].classes))
    overlay = sample.classifier.heatmap(sample.image, class_name).overlay(opacity=0.75)
    evidence = torch.from_numpy(np.load(path_of(source, name))[0]).relu()[None, None]
    large = torch.nn.functional.interpolate(evidence, sample.image.shape[:2], mode="bilinear", align_corners=False)
    share = (large / evidence.max()).numpy()[0, 0]
    opacity = 0.75 * share[..., None]
    expected = sample.image * (1 - opacity) + 255 * colormaps["inferno"](share)[..., :3] * opacity
    assert np.abs(expected - sample.image).max() > VISIBLE
    np.testing.assert_allclose(overlay, expected, rtol=0, atol=GRAY_LEVELS)


def test_overlays_have_the_images_and_matplotlibs_colors(asked: tuple[str, str]) -> None:
    check_overlay(*asked)


def test_maps_match_captum(asked: tuple[str, str]) -> None:
    check(*asked)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_maps_match_captum_on_a_gpu(asked: tuple[str, str]) -> None:
    check(*asked, device="cuda")


def test_captum_still_matches_the_baselines(asked: tuple[str, str]) -> None:
    stored = np.load(path_of(*asked))
    now, hint = reference(*asked), "after retraining or changing the drawing code: python -m tests.tools.make_baselines"
    np.testing.assert_allclose(now, stored, rtol=0, atol=OF_THE_RANGE * np.ptp(stored), err_msg=hint)


def test_classes_of_a_walkthrough_are_all_stored(asked: tuple[str, str]) -> None:
    source, name = asked
    assert SAMPLES[name](source=source).class_names == tuple(TARGETS[asked].classes)


def test_no_baseline_is_left_over() -> None:
    folder = path_of("scenes", "submarine").parent
    assert {path.name for path in folder.iterdir()} == {path_of(*key).name for key in TARGETS}
