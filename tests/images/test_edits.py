from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gradcam_widgets.errors import OptionError
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.edits import GRAY, Edit, edited

if TYPE_CHECKING:
    from numpy.typing import NDArray

BOX = Box(8, 4, 28, 19)


@pytest.fixture
def image() -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def inside(box: Box, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    rows, columns = np.indices(image.shape[:2])
    down, across = (rows >= box.top) & (rows < box.bottom), (columns >= box.left) & (columns < box.right)
    return np.asarray(down & across)


def test_without_edits_the_whole_image_is_seen_in_an_array_of_its_own(image: NDArray[np.uint8]) -> None:
    shown, window = edited(image, [])
    assert window == Box(0, 0, 50, 30)
    assert np.array_equal(shown, image)
    assert not np.shares_memory(shown, image)


def test_a_crop_leaves_the_box_alone_and_says_where_it_was(image: NDArray[np.uint8]) -> None:
    shown, window = edited(image, [Edit("crop", BOX)])
    assert window == BOX
    assert np.array_equal(shown, image[4:19, 8:28])
    assert shown.flags.c_contiguous


def test_gray_covers_the_box_and_no_pixel_more(image: NDArray[np.uint8]) -> None:
    shown, window = edited(image, [Edit("gray", BOX)])
    assert window == Box(0, 0, 50, 30)
    covered = inside(BOX, image)
    assert (shown[covered] == GRAY).all()
    assert np.array_equal(shown[~covered], image[~covered])


def test_blur_removes_detail_in_the_box_and_keeps_its_mean(
    image: NDArray[np.uint8],
) -> None:
    shown, _ = edited(image, [Edit("blur", BOX)])
    covered = inside(BOX, image)
    assert np.array_equal(shown[~covered], image[~covered])
    assert image[covered].std() > 60
    assert shown[covered].std() < 0.25 * image[covered].std()
    np.testing.assert_allclose(shown[covered].mean(axis=0), image[covered].mean(axis=0), atol=12)


def test_blur_does_not_let_color_in_from_outside(image: NDArray[np.uint8]) -> None:
    image[:] = 255
    image[4:19, 8:28] = 0
    shown, _ = edited(image, [Edit("blur", BOX)])
    assert (shown[4:19, 8:28] == 0).all()


@pytest.mark.parametrize("kind", ["crop", "gray", "blur"])
def test_the_image_given_is_left_alone(image: NDArray[np.uint8], kind: Any) -> None:
    before = image.copy()
    image.setflags(write=False)
    shown, _ = edited(image, [Edit(kind, BOX)])
    assert np.array_equal(image, before)
    assert not np.array_equal(shown, image)


def test_covers_are_in_the_whole_images_pixels_despite_a_crop(image: NDArray[np.uint8]) -> None:
    cover, crop = Edit("gray", Box(20, 10, 40, 25)), Edit("crop", BOX)
    expected = image.copy()
    expected[10:25, 20:40] = GRAY
    for edits in ([cover, crop], [crop, cover]):
        shown, window = edited(image, edits)
        assert window == BOX
        assert np.array_equal(shown, expected[4:19, 8:28])


def test_of_two_crops_the_last_one_is_seen(image: NDArray[np.uint8]) -> None:
    last = Box(10, 6, 22, 15)
    shown, window = edited(image, [Edit("crop", BOX), Edit("crop", last)])
    assert window == last
    assert np.array_equal(shown, image[6:15, 10:22])


def test_covers_add_up(image: NDArray[np.uint8]) -> None:
    shown, _ = edited(image, [Edit("gray", Box(0, 0, 10, 10)), Edit("gray", Box(20, 20, 30, 30))])
    assert (shown[0:10, 0:10] == GRAY).all()
    assert (shown[20:30, 20:30] == GRAY).all()
    assert np.array_equal(shown[10:20], image[10:20])


def test_what_of_a_box_lies_outside_is_cut_off(image: NDArray[np.uint8]) -> None:
    shown, window = edited(image, [Edit("crop", Box(-5, -9, 20, 99))])
    assert window == Box(0, 0, 20, 30)
    assert np.array_equal(shown, image[:, :20])


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (Edit("paint", BOX), "kind must be 'crop', 'gray' or 'blur', got 'paint'."),  # type: ignore[arg-type]
        (Edit("crop", Box(0, 0, 7, 20)), "A crop must be at least 8×8 pixels, got 7×20."),
        (Edit("crop", Box(45, 0, 60, 20)), "A crop must be at least 8×8 pixels, got 5×20."),
        (Edit("gray", Box(50, 0, 60, 9)), "box must overlap the 50×30 image, got (50, 0, 60, 9)."),
        (Edit("blur", Box(9, 9, 9, 12)), "box must overlap the 50×30 image, got (9, 9, 9, 12)."),
        (
            Edit("gray", Box(20, 9, 10, 12)),
            "box must overlap the 50×30 image, got (20, 9, 10, 12).",
        ),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(image: NDArray[np.uint8], edit: Edit, sentence: str) -> None:
    with pytest.raises(OptionError, match=rf"^{re.escape(sentence)}[^.\n]*\.?$"):
        edited(image, [edit])


@pytest.mark.parametrize("kind", ["gray", "blur"])
def test_a_single_pixel_can_be_covered(image: NDArray[np.uint8], kind: Any) -> None:
    shown, _ = edited(image, [Edit(kind, Box(7, 3, 8, 4))])
    assert tuple(shown[3, 7]) == (GRAY if kind == "gray" else tuple(image[3, 7]))
