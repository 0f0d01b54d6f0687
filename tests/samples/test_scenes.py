from __future__ import annotations

import itertools
import os
import platform
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from gradcam_widgets.errors import OptionError
from gradcam_widgets.images.box import Box
from gradcam_widgets.samples.scenes import scene as scenes
from gradcam_widgets.samples.scenes.classes import CLASS_NAMES, HABITATS, PHOTOGRAPHER
from gradcam_widgets.samples.scenes.drawing.canvas import Canvas
from gradcam_widgets.samples.scenes.drawing.shading import Light, Stroke
from gradcam_widgets.samples.scenes.drawing.shapes import Piece, ellipse, pose_at, smooth, tube
from gradcam_widgets.samples.scenes.drawing.textures import TILE, cut, tile
from gradcam_widgets.samples.scenes.scene import Scene, SceneObject, render
from tests.support.rows import PLAIN_NUMPY, PLAIN_OPENCV

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

pytestmark = pytest.mark.slow

ELEPHANTS = CLASS_NAMES[2:5]
FAINT = 8  # pixels: a leg of the tripod or a toe may cover less than half of each of a few
PAIRS = [pair for members in HABITATS.values() for pair in itertools.permutations(members, 2)]
CASTS = [
    *[((name,), photographer) for name in CLASS_NAMES for photographer in (False, True)],
    (("submarine", "aircraft carrier"), False),
    (("African elephant", "tusker"), False),
    (("common iguana", "American alligator"), True),
]


def drawn(
    names: Sequence[str], seed: int, *, photographer: bool = False, absent: int | None = None, traces: bool = True
) -> Scene:
    return scenes._render(tuple(names), seed, photographer=photographer, size=224, absent=absent, traces=traces)


def grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    side = 2 * pixels + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def differs(first: Scene, second: Scene) -> NDArray[np.int64]:
    """How far the images are apart at each pixel, in gray levels."""
    apart: NDArray[np.int64] = np.abs(first.image.astype(np.int64) - second.image).max(axis=2)
    return apart


def gap(first: Box, second: Box) -> int:
    """Columns between two boxes; negative where a vertical line cannot part them."""
    left, right = sorted((first, second))
    return right.left - left.right


def daylight() -> Light:
    one = np.ones(3, np.float32)
    return Light((0.0, -0.6, 0.8), 0.5 * one, 0.5 * one, 0.3 * one, one, one, 0.0, 0.5, "clear")


# What a scene is


@pytest.mark.parametrize(("names", "photographer"), CASTS)
def test_a_scene_is_a_read_only_image_with_its_objects_in_order(names: tuple[str, ...], photographer: bool) -> None:
    scene = render(names, 5, photographer=photographer)
    assert scene.image.shape == (224, 224, 3)
    assert scene.image.dtype == np.uint8
    assert not scene.image.flags.writeable
    assert scene.image.std() > 10
    assert tuple(item.name for item in scene.objects) == (*names, *([PHOTOGRAPHER] if photographer else []))
    assert scene.seed == 5


@pytest.mark.parametrize(("names", "photographer"), CASTS)
@pytest.mark.parametrize("seed", range(3))
def test_masks_are_disjoint_and_contain_their_parts(names: tuple[str, ...], photographer: bool, seed: int) -> None:
    scene = render(names, seed, photographer=photographer)
    together = np.zeros((224, 224), np.int64)
    for item in scene.objects:
        assert item.mask.shape == (224, 224)
        assert item.mask.dtype == np.bool_
        assert not item.mask.flags.writeable
        assert item.mask.sum() >= 100
        together += item.mask
        for part in item.parts.values():
            assert not part.flags.writeable
            assert part.any()
            assert not (part & ~item.mask).any()
        covered = np.any(list(item.parts.values()), axis=0)
        assert (item.mask & ~covered).sum() < 0.02 * item.mask.sum()
    assert together.max() == 1


def test_a_box_is_the_smallest_around_a_mask() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[4, 7] = mask[9, 21] = True
    assert SceneObject("tusker", mask, {}).box == Box(left=7, top=4, right=22, bottom=10)


@pytest.mark.parametrize("name", ELEPHANTS)
def test_elephants_have_named_parts(name: str) -> None:
    for seed in range(8):
        (item,) = render((name,), seed).objects
        assert {"head", "ears", "trunk", "body", "legs"} <= set(item.parts) <= {*scenes_parts()}
        assert ("tusks" in item.parts) or name == "Indian elephant"


def scenes_parts() -> set[str]:
    return {"head", "ears", "trunk", "tusks", "body", "legs"}


# Equal and different


def test_the_same_arguments_always_render_the_same_scene() -> None:
    first = render(("tusker", "gazelle"), 11, photographer=True)
    np.random.seed(1)  # noqa: NPY002 - the global generator is what must be left alone, and not asked
    upcoming = np.random.uniform()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    render(("submarine",), 3)
    second = render(["tusker", "gazelle"], np.int64(11), photographer=True)  # type: ignore[arg-type]
    assert np.array_equal(first.image, second.image)
    for one, other in zip(first.objects, second.objects, strict=True):
        assert np.array_equal(one.mask, other.mask)
        assert list(one.parts) == list(other.parts)
    assert np.random.uniform() == upcoming  # noqa: NPY002


def drawn_by_a_fresh_process(environment: dict[str, str]) -> tuple[str, str]:
    """Return which instruction sets OpenCV and numpy take, and what became of a hundred images and their masks."""
    code = (
        "import hashlib, cv2, numpy as np\n"
        "from gradcam_widgets.samples.scenes.classes import CLASS_NAMES\n"
        "from gradcam_widgets.samples.scenes.scene import render\n"
        "scenes = [render((name,), seed, photographer=seed % 4 == 0) for name in CLASS_NAMES for seed in range(12)]\n"
        "arrays = [array for scene in scenes for array in (scene.image, *(item.mask for item in scene.objects))]\n"
        "print(cv2.getCPUFeaturesLine(), np.show_config(mode='dicts')['SIMD Extensions'].get('found'))\n"
        "print(hashlib.sha256(b''.join(array.tobytes() for array in arrays)).hexdigest())"
    )
    plain = {name: value for name, value in os.environ.items() if name not in PLAIN_NUMPY | PLAIN_OPENCV}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=plain | {"PYTHONHASHSEED": "1"} | environment,
    )
    features, drawn = done.stdout.splitlines()
    return features, drawn


def test_fresh_processes_and_other_processors_render_the_same() -> None:
    features, drawn = drawn_by_a_fresh_process({})
    assert drawn_by_a_fresh_process({"PYTHONHASHSEED": "2", "OPENCV_FOR_THREADS_NUM": "2"}) == (features, drawn)
    other, again = drawn_by_a_fresh_process(PLAIN_NUMPY | PLAIN_OPENCV)
    assert other != features or platform.machine() not in {"x86_64", "AMD64"}  # so the libraries heeded it
    assert again == drawn


def test_scenes_differ_by_seed_classes_and_photographer() -> None:
    base = render(("common iguana",), 0)
    others = [
        *[render(("common iguana",), seed) for seed in range(1, 6)],
        render(("American alligator",), 0),
        render(("common iguana", "American alligator"), 0),
        render(("common iguana",), 0, photographer=True),
    ]
    for other in others:
        assert (differs(base, other) > 8).mean() > 0.3
        assert not np.array_equal(base.objects[0].mask, other.objects[0].mask)


def test_the_seed_varies_place_scale_direction_and_light() -> None:
    boxes = [render(("African elephant",), seed).objects[0].box for seed in range(24)]
    assert np.ptp([box.right - box.left for box in boxes]) > 30
    assert np.ptp([(box.left + box.right) / 2 for box in boxes]) > 40
    tusk_sides = set()
    brightness = []
    for seed in range(24):
        scene = render(("tusker",), seed)
        parts = scene.objects[0].parts
        tusks, body = (np.flatnonzero(parts[name].any(axis=0)).mean() for name in ("tusks", "body"))
        tusk_sides.add(bool(tusks > body))
        brightness.append(scene.image.mean())
    assert tusk_sides == {True, False}
    assert np.ptp(brightness) > 25


def test_size_changes_the_resolution_and_not_the_scene() -> None:
    for names in (("submarine",), ("Indian elephant",), ("American alligator",)):
        small, large = render(names, 6, size=224), render(names, 6, size=448)
        assert large.image.shape == (448, 448, 3)
        halved = cv2.resize(large.image, (224, 224), interpolation=cv2.INTER_AREA)
        assert np.abs(halved.astype(np.int64) - small.image).mean() < 6
        share = large.objects[0].mask.reshape(224, 2, 224, 2).mean(axis=(1, 3)) >= 0.5
        one = small.objects[0].mask
        assert (share & one).sum() / (share | one).sum() > 0.93
    assert render(("gazelle",), 0, size=32).objects[0].mask.any()


# Masks are exact


@pytest.mark.parametrize(("names", "photographer"), CASTS)
@pytest.mark.parametrize("seed", [0, 5, 7])
def test_an_object_is_visible_exactly_where_its_mask_is(names: tuple[str, ...], photographer: bool, seed: int) -> None:
    whole = drawn(names, seed, photographer=photographer, traces=False)
    for index, item in enumerate(whole.objects):
        without = drawn(names, seed, photographer=photographer, absent=index, traces=False)
        assert [one.name for one in without.objects] == [
            one.name for place, one in enumerate(whole.objects) if place != index
        ]
        change = differs(whole, without)
        assert (change[~grown(item.mask, 2)] > 0).sum() <= FAINT
        inside = change[item.mask]
        assert (inside > 2).mean() > 0.98


@pytest.mark.parametrize("name", ["submarine", "aircraft carrier", "tusker", "gazelle"])
def test_shadows_and_wakes_stay_near_and_leave_the_rest_alone(name: str) -> None:
    for seed in range(6):
        whole, without = drawn((name,), seed), drawn((name,), seed, absent=0)
        change = differs(whole, without)
        box = whole.objects[0].box
        wide, tall = box.right - box.left, box.bottom - box.top
        near = np.zeros((224, 224), np.bool_)
        columns = slice(max(0, box.left - wide), box.right + wide)
        near[max(0, box.top - 2) : box.bottom + tall // 2 + 4, columns] = True
        assert change[~near].max() == 0
        assert (change[near & ~grown(whole.objects[0].mask, 2)] > 6).sum() > 20


def test_whatever_hides_an_object_is_not_in_its_mask() -> None:
    hidden = 0
    for seed in range(12):
        scene = drawn(("gazelle",), seed, traces=False)
        (item,) = scene.objects
        change = differs(scene, drawn(("gazelle",), seed, absent=0, traces=False))
        closed = cv2.morphologyEx(item.mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0
        holes = closed & ~item.mask
        hidden += int((holes & (change == 0)).sum())
        assert (change[~item.mask] > 60).sum() < 0.2 * item.mask.sum()  # rims that cover less than half a pixel
    assert hidden > 20


# Where things stand


@pytest.mark.parametrize(
    "names", [("common iguana",), ("American alligator",), ("American alligator", "common iguana")]
)
def test_a_vertical_line_separates_photographer_and_animals(names: tuple[str, ...]) -> None:
    sides = set()
    for seed in range(30):
        *animals, person = [item.box for item in render(names, seed, photographer=True).objects]
        assert all(gap(animal, person) >= 8 for animal in animals)
        assert len({animal.left < person.left for animal in animals}) == 1
        sides.add(person.left < animals[0].left)
    assert sides == {True, False}


@pytest.mark.parametrize("names", PAIRS)
def test_two_objects_stand_apart_the_first_one_larger(names: tuple[str, str]) -> None:
    for seed in range(4):
        first, second = render(names, seed).objects
        assert gap(first.box, second.box) >= 16
        assert first.box.bottom > second.box.bottom
        assert first.box.right - first.box.left > second.box.right - second.box.left


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_a_single_object_is_large_and_whole(name: str) -> None:
    for seed in range(20):
        (item,) = render((name,), seed).objects
        box = item.box
        assert 0.25 * 224 <= box.right - box.left <= 0.75 * 224
        assert box.bottom - box.top >= 24
        assert min(box.left, box.top, 224 - box.right, 224 - box.bottom) >= 2


# What tells the classes apart


def test_ears_backs_and_tusks_tell_elephants_apart() -> None:
    ears: dict[str, list[float]] = {name: [] for name in ELEPHANTS}
    tusks: dict[str, list[float]] = {name: [] for name in ELEPHANTS}
    for name, seed in itertools.product(ELEPHANTS, range(20)):
        parts = render((name,), seed).objects[0].parts
        head = parts["head"].sum() + parts["ears"].sum()
        ears[name].append(parts["ears"].sum() / head)
        tusks[name].append(parts["tusks"].sum() / head if "tusks" in parts else 0.0)
    african, indian, tusker = ELEPHANTS
    assert min(ears[african]) > max(ears[indian])
    assert np.median(ears[indian]) < np.median(ears[tusker]) < np.median(ears[african])
    assert max(tusks[indian]) < np.median(tusks[african]) < np.median(tusks[tusker])
    assert min(tusks[tusker]) > max(tusks[indian])


def test_iguana_and_alligator_share_their_colors_and_not_their_height() -> None:
    colors, heights = [], []
    for name in HABITATS["riverbank"]:
        rendered = [render((name,), seed) for seed in range(40)]
        colors.append([scene.image[scene.objects[0].mask].mean(axis=0) for scene in rendered])
        heights.append(
            [(box.bottom - box.top) / (box.right - box.left) for box in (scene.objects[0].box for scene in rendered)]
        )
    first, second = (np.array(values) for values in colors)
    assert np.abs(first.mean(axis=0) - second.mean(axis=0)).max() < 0.8 * max(first.std(), second.std())
    assert np.median(heights[0]) > 1.2 * np.median(heights[1])


# Errors


@pytest.mark.parametrize(
    ("class_names", "seed", "size", "message"),
    [
        (("zebra",), 0, 224, "class_names must be among submarine, aircraft carrier,"),
        ((PHOTOGRAPHER,), 0, 224, "American alligator, got 'photographer'."),
        ((), 0, 224, "class_names must be one or two classes, got 0 (none)."),
        (("tusker", "gazelle", "tusker"), 0, 224, "one or two classes, got 3 (tusker, gazelle, tusker)."),
        (("tusker", "submarine"), 0, 224, "class_names must be of one habitat (sea: submarine, aircraft carrier; "),
        ("tusker", 0, 224, "class_names must be a sequence of names, got 'tusker'; pass ('tusker',)."),
        (("tusker",), -1, 224, "seed must be a non-negative integer, got -1."),
        (("tusker",), 1.5, 224, "seed must be a non-negative integer, got 1.5."),
        (("tusker",), 0, 8, "size must be an integer from 32 to 2048, got 8."),
        (("tusker",), 0, 224.0, "size must be an integer from 32 to 2048, got 224.0."),
    ],
)
def test_invalid_scene_arguments_are_one_sentence(
    class_names: tuple[str, ...], seed: int, size: int, message: str
) -> None:
    with pytest.raises(OptionError, match=re.escape(message)) as caught:
        render(class_names, seed, size=size)
    assert "\n" not in str(caught.value)


# The tools, by what is known of them


def test_curves_pass_their_points_and_straight_tubes_are_boxes() -> None:
    points = [(0.0, 0.0), (2.0, 1.0), (3.0, 4.0), (-1.0, 3.0)]
    for closed in (True, False):
        curve = smooth(points, closed=closed, steps=8)
        assert np.allclose(curve[::8][:4], points)
    outline = tube([(0, 0), (1, 0), (2, 0)], [2, 2, 2], round_end=False)
    assert np.allclose(outline.min(axis=0), (0, -1))
    assert np.allclose(outline.max(axis=0), (2, 1))


def test_a_pose_flips_turns_and_scales() -> None:
    assert np.allclose(pose_at(10, 20, 3)([(1, 2)]), [(13, 26)])
    assert np.allclose(pose_at(10, 20, 3, flip=True)([(1, 2)]), [(7, 26)])
    assert np.allclose(pose_at(0, 0, 1, angle=np.pi / 2)([(1, 0)]), [(0, 1)])


def test_noise_is_even_and_continues_over_the_edge() -> None:
    for kind in ("cloud", "grain", "skin", "waves"):
        values = tile(kind)
        assert abs(values.mean()) < 0.05
        assert np.abs(values).max() <= 1.2 + 1e-6
        step = np.abs(np.diff(values, axis=1)).mean()
        assert np.abs(values[:, 0] - values[:, -1]).mean() < 2 * step
        assert np.allclose(cut(kind, (8, 8), 1.0, (3, 5)), values[5:13, 3:11], atol=1e-5)
        assert np.allclose(cut(kind, (8, 8), 1.0, (3 + TILE, 5)), values[5:13, 3:11], atol=1e-5)


def test_a_mask_is_where_at_least_half_of_a_pixel_is_covered() -> None:
    canvas = Canvas(64)  # black; a white piece that needs no light shows its own coverage
    star = smooth(
        [(32 + r * np.cos(a), 32 + r * np.sin(a)) for a, r in zip(np.arange(16) * np.pi / 8, [26, 9] * 8, strict=True)]
    )
    white = Piece((star,), (1, 1, 1), "all", glow=1.0)
    canvas.piece(white, pose_at(0, 0, 2), Stroke(daylight(), base=16, labels={"all": 1}))
    coverage = canvas.developed(0.0)[..., 0] / 255
    mask = canvas.visible(16, 32, (0, 0, 128, 128))
    assert mask[coverage > 0.63].all()  # two of its four pixels on the canvas, each covered by half, make a pixel
    assert not mask[coverage < 0.24].any()
    assert mask.sum() == pytest.approx(coverage.sum(), rel=0.08)  # a rim of quarters: two of four count
    assert ((coverage > 0) & (coverage < 1)).sum() > 50
    assert np.array_equal(mask, canvas.visible(17, 18, (0, 0, 128, 128)))
    assert not canvas.visible(18, 32, (0, 0, 128, 128)).any()


def test_light_from_the_right_brightens_the_right_side_of_a_ball() -> None:
    canvas = Canvas(64)
    one = np.ones(3, np.float32)
    light = Light((0.8, 0.0, 0.6), 0.6 * one, 0.3 * one, 0.3 * one, one, one, 0.0, 0.5, "clear")
    ball = Piece((ellipse(32, 32, 20, 20),), (0.6, 0.6, 0.6), roundness=10)
    canvas.piece(ball, pose_at(0, 0, 2), Stroke(light))
    image = canvas.developed(0.0).astype(np.int64)
    assert image[32, 46, 0] > image[32, 18, 0] + 40
    assert np.abs(image[18, 32] - image[46, 32]).max() < 8
    assert image[5, 5].max() == 0


def test_translucent_pieces_and_clutter_belong_to_no_mask() -> None:
    canvas = Canvas(64)
    stroke = Stroke(daylight(), base=16)
    disc = (ellipse(32, 32, 12, 12),)
    everywhere = (0.0, 0.0, 128.0, 128.0)
    canvas.piece(Piece(disc, (1, 1, 1), opacity=0.5), pose_at(0, 0, 2), stroke)
    assert not canvas.visible(16, 32, everywhere).any()
    canvas.piece(Piece(disc, (1, 1, 1)), pose_at(0, 0, 2), stroke)
    area = int(canvas.visible(16, 32, everywhere).sum())
    assert np.pi * 12**2 < area < np.pi * 12.5**2  # OpenCV's anti-aliased rim reaches a little beyond the outline
    canvas.lines([np.array([(0.0, 64.0), (128.0, 64.0)])], (0, 0, 0), 4)
    assert int(canvas.visible(16, 32, everywhere).sum()) == pytest.approx(area - 2 * 24, abs=26)
