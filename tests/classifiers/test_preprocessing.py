from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode, functional
from torchvision.transforms._presets import ImageClassification

from gradcam_widgets import GradCAMError
from gradcam_widgets.classifiers.preprocessing import Preprocessing


def image(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("bicubic", [False, True])
def test_squash_is_resize_to_both_sides_and_normalization(bicubic: bool) -> None:
    rgb = image(300, 417)
    mode = InterpolationMode.BICUBIC if bicubic else InterpolationMode.BILINEAR
    resized = functional.resize(Image.fromarray(rgb), [96, 112], interpolation=mode)
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    reference = functional.normalize(functional.to_tensor(resized), mean, std)[None]
    assert reference.std() > 0.1
    torch.testing.assert_close(Preprocessing((96, 112), mean, std, bicubic=bicubic)(rgb), reference)


@pytest.mark.parametrize("size", [(300, 417), (417, 300), (256, 256), (57, 91), (101, 33)])
@pytest.mark.parametrize(("crop", "resize"), [(224, 256), (64, 64), (64, 71)])
def test_crop_is_torchvisions_own_preset(size: tuple[int, int], crop: int, resize: int) -> None:
    rgb = image(*size)
    reference = ImageClassification(crop_size=crop, resize_size=resize)(Image.fromarray(rgb))[None]
    assert reference.std() > 0.1
    torch.testing.assert_close(Preprocessing((crop, crop), resize_mode="crop", resize=resize)(rgb), reference)


def test_squash_sees_the_whole_image() -> None:
    rgb = image(40, 90)
    assert Preprocessing((32, 32)).seen(rgb) is rgb


@pytest.mark.parametrize(("size", "box"), [((400, 800), (2, 1)), ((800, 400), (1, 2)), ((600, 600), (1, 1))])
def test_a_point_in_what_was_seen_is_the_point_that_was_shown(size: tuple[int, int], box: tuple[int, int]) -> None:
    assert box
    height, width = size
    rgb = np.zeros((height, width, 3), np.uint8)
    row, column = height // 2 + 40, width // 2 - 60
    rgb[row - 8 : row + 8, column - 8 : column + 8] = 255
    crop = Preprocessing((100, 100), (0, 0, 0), (1, 1, 1), resize_mode="crop", resize=120)
    shown, seen = crop(rgb)[0, 0].numpy(), crop.seen(rgb)[:, :, 0].astype(np.float64)
    assert shown.max() > 0.5
    assert seen.max() > 128
    for axis in (0, 1):
        places = [
            (np.arange(m.shape[axis]) + 0.5) @ m.sum(axis=1 - axis) / m.sum() / m.shape[axis] for m in (shown, seen)
        ]
        assert places[0] == pytest.approx(places[1], abs=0.002)


def test_an_unknown_resize_mode_is_refused() -> None:
    with pytest.raises(GradCAMError, match=r"^resize_mode must be 'squash' or 'crop', got 'stretch'"):
        Preprocessing(resize_mode="stretch")  # type: ignore[arg-type]
