from __future__ import annotations

import copy
import dataclasses
import io
import pickle
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from gradcam_widgets.errors import ExportError, GradCAMError, ImageError, ModelError, OptionError
from gradcam_widgets.heatmaps.comparison import describe_difference
from gradcam_widgets.heatmaps.heatmap import Heatmap
from gradcam_widgets.heatmaps.rendering import blend, colorize, upsample
from gradcam_widgets.heatmaps.scale import shared_vmax

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from gradcam_widgets.heatmaps.display import Evidence

PLAIN = [[0.5, -1, 0], [1, 2, 0.5]]
TWO_REGIONS = [  # one strong cell above left, four weaker ones below right
    [10, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 4, 0],
    [0, 0, 0, 0, 0, 4, 0],
    [0, -20, 0, 0, 0, 4, 4],
]


def heatmap(values: Any, **changes: Any) -> Heatmap:
    given: dict[str, Any] = {
        "values": np.asarray(values),
        "class_index": 833,
        "class_name": "submarine",
        "logit": 4.5678,
        "probability": 0.25,
        "layer": "layer4",
        "method": "grad-cam",
    }
    return Heatmap(**{**given, **changes})


def scene(rows: int = 64, columns: int = 96) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (rows, columns, 3), np.uint8)


def grid_of(cells: dict[tuple[int, int], float], rows: int, columns: int) -> NDArray[np.float64]:
    values = np.zeros((rows, columns))
    for cell, value in cells.items():
        values[cell] = value
    return values


def test_values_are_signed_raw_float32_and_a_copy() -> None:
    for dtype in (np.float32, np.float64):
        source = (np.array(PLAIN) * 1e-6).astype(dtype)
        made = heatmap(source)
        source[:] = 7
        assert made.values.dtype == np.float32
        assert made.grid == (2, 3)
        np.testing.assert_array_equal(made.values, (np.array(PLAIN) * 1e-6).astype(np.float32))


def test_nothing_of_a_map_can_be_changed() -> None:
    shown = scene()
    made = heatmap(PLAIN, image=shown)
    first = shown.copy()
    shown[:] = 0
    assert made.image is not None
    assert np.array_equal(made.image, first)
    for array in (made.values, made.image, made.evidence("both")):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.logit = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("evidence", "expected", "vmax", "peak", "centroid"),
    [
        # for: rows (0·0.5 + 1·3.5) / 4, columns (0·1.5 + 1·2 + 2·0.5) / 4
        ("for", [[0.5, 0, 0], [1, 2, 0.5]], 2, (1, 1), (0.875, 0.75)),
        ("against", [[0, 1, 0], [0, 0, 0]], 1, (0, 1), (0, 1)),
        # both: rows 3.5 / 5, columns (1·3 + 2·0.5) / 5
        ("both", PLAIN, 2, (1, 1), (0.7, 0.8)),
    ],
)
def test_each_side_has_its_evidence_scale_and_place(
    evidence: Evidence,
    expected: list[list[float]],
    vmax: float,
    peak: tuple[int, int],
    centroid: tuple[float, float],
) -> None:
    made = heatmap(PLAIN)
    assert made.evidence(evidence).tolist() == expected
    assert made.vmax(evidence) == vmax
    assert made.peak(evidence) == peak
    assert made.centroid(evidence) == pytest.approx(centroid)


def test_evidence_for_has_its_share_of_all() -> None:
    assert heatmap(PLAIN).positive_fraction() == pytest.approx(4 / 5)
    assert heatmap([[-1, -2]]).positive_fraction() == 0
    assert np.isnan(heatmap([[0, 0]]).positive_fraction())


def test_a_side_without_evidence_has_no_place() -> None:
    made = heatmap([[-1, -2]])
    assert made.vmax("for") == 0
    assert made.peak() is None
    assert made.centroid() is None
    assert made.box() is None


def test_several_maps_share_the_largest_limit() -> None:
    maps = [heatmap([[1, -5]]), heatmap([[3, -2]])]
    assert shared_vmax(maps) == 3
    assert shared_vmax(maps, "against") == 5
    assert shared_vmax(maps, "both") == 5
    with pytest.raises(GradCAMError, match=r"^heatmaps must contain at least one heatmap, got none\.$"):
        shared_vmax([])


def test_weaker_evidence_looks_weaker_on_a_shared_scale() -> None:
    strong, weak = heatmap(PLAIN, image=scene()), heatmap(np.array(PLAIN) * 1e-6, image=scene())
    vmax = shared_vmax([strong, weak])
    nothing = heatmap(np.zeros((2, 3)), image=scene()).overlay(vmax=vmax)
    assert not np.array_equal(strong.overlay(vmax=vmax), nothing)
    assert np.array_equal(weak.overlay(vmax=vmax), nothing)


@pytest.mark.parametrize(
    ("threshold", "evidence", "expected"),
    [
        (0.15, "for", (5, 2, 7, 5)),  # 4 > 0.15 · 10: both regions, and the larger wins
        (0.5, "for", (0, 0, 1, 1)),  # 4 < 0.5 · 10: only the stronger is left
        (0.4, "for", (0, 0, 1, 1)),  # above the threshold, not at it
        (0.15, "against", (1, 4, 2, 5)),
    ],
)
def test_the_box_is_that_of_the_largest_region_above_the_threshold(
    threshold: float, evidence: Evidence, expected: tuple[int, ...]
) -> None:
    assert heatmap(TWO_REGIONS).box(threshold, evidence=evidence) == expected


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [(1, 1, (5, 2, 7, 5)), (-1, 1, (5, 0, 7, 3)), (1, -1, (0, 2, 2, 5)), (-1, -1, (0, 0, 2, 3))],
)
def test_the_larger_region_wins_wherever_it_lies(rows: int, columns: int, expected: tuple[int, ...]) -> None:
    assert heatmap(np.array(TWO_REGIONS)[::rows, ::columns]).box() == expected


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        # One hot cell (2, 4), ten pixels a cell: a pixel d cells from its center has 1 − d of it, and the
        # maximum is 0.95², at d = 0.05 in both directions. Along the middle the region ends where
        # 0.95 (1 − d) = t 0.95², which is d < 0.525 for t = 0.5, d < 0.8575 for t = 0.15.
        (0.5, (40, 20, 50, 30)),
        (0.15, (36, 16, 54, 34)),
    ],
)
def test_the_box_is_in_pixels_of_the_image(threshold: float, expected: tuple[int, ...]) -> None:
    values = grid_of({(2, 4): 3}, 5, 7)
    assert heatmap(values).box(threshold, (50, 70)) == expected
    assert heatmap(values, image=scene(50, 70)).box(threshold) == expected


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_is_no_share_is_refused(threshold: float) -> None:
    with pytest.raises(OptionError, match=r"^threshold must be in \[0, 1\), got .*\.$"):
        heatmap(PLAIN).box(threshold)


def test_the_overlay_is_the_signed_map_upsampled_colored_and_blended() -> None:
    shown = scene()
    made = heatmap(PLAIN, image=shown)
    colors = colorize(upsample(made.values, (64, 96), "cubic"), 4.0, "both", "RdBu_r")
    expected = blend(shown, colors, 0.25)
    assert not np.array_equal(expected, shown)
    seen = made.overlay(evidence="both", vmax=4.0, opacity=0.25, fade=False, interpolation="cubic")
    assert np.array_equal(seen, expected)
    assert np.array_equal(made.overlay(opacity=0), shown)
    assert made.overlay(scene(30, 20)).shape == (30, 20, 3)


def test_without_vmax_the_maps_own_maximum_takes_the_end_color() -> None:
    made = heatmap(PLAIN, image=scene())
    seen = made.overlay(opacity=1, fade=False, interpolation="cells", colormap="jet").astype(int)
    assert seen[48, 48].tolist() == pytest.approx([127, 0, 0], abs=1)  # cell (1, 1), the peak
    assert seen[16, 48].tolist() == pytest.approx([0, 0, 127], abs=1)  # cell (0, 1), evidence against


@pytest.mark.parametrize(
    ("evidence", "shares"),
    [("for", [0.25, 0, 0, 0.5, 1, 0.25]), ("against", [0, 0.5, 0, 0, 0, 0]), ("both", [0.25, 0.5, 0, 0.5, 1, 0.25])],
)
def test_by_default_weaker_evidence_is_more_transparent(evidence: Evidence, shares: list[float]) -> None:
    shown = np.full((16, 24, 3), 200, np.uint8)
    made = heatmap(PLAIN, image=shown)
    solid = made.overlay(evidence=evidence, vmax=2, opacity=1, fade=False, interpolation="cells")
    share = np.kron(np.reshape(shares, (2, 3)), np.ones((8, 8)))[:, :, None] * 0.6
    expected = shown * (1 - share) + solid * share
    seen = made.overlay(evidence=evidence, vmax=2, opacity=0.6, interpolation="cells")
    np.testing.assert_allclose(seen, expected, atol=0.501)


@pytest.mark.parametrize("opacity", [-0.5, 1.5])
def test_an_opacity_is_checked_even_where_the_map_is_weak(opacity: float) -> None:
    with pytest.raises(OptionError, match=rf"^opacity must be between 0 and 1, got {opacity:g}\.$"):
        heatmap(PLAIN, image=scene()).overlay(opacity=opacity, vmax=8)


def test_a_map_can_be_laid_over_another_image() -> None:
    made = heatmap(PLAIN)
    with pytest.raises(ImageError, match=r"^This heatmap has no image: call overlay\(image\) .*\.$"):
        made.overlay()
    moved = made.with_image(scene(40, 60))
    assert moved.overlay().shape == (40, 60, 3)
    assert np.array_equal(moved.values, made.values)
    assert made.image is None


def test_the_summary_says_what_a_person_would_compare() -> None:
    assert heatmap(PLAIN).summary() == (
        "submarine (833) | layer4 2×3 grad-cam | -1.000 to 2.000 | "
        "peak (1, 1) | centroid (0.875, 0.750) | 80.00 % positive"
    )
    assert heatmap([[-0.5], [-0.25]], class_name=None).summary() == (
        "class 833 | layer4 2×1 grad-cam | -0.5000 to -0.2500 | no positive evidence"
    )


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.00012, 0.012345, "0.00012 to 0.01235"),  # not 0.0001200, whose last digit would be rounding
        (-0.2, 1.2346, "-0.200 to 1.235"),
        (0, 123.46, "0.0 to 123.5"),
        (1, 9876.54, "1.0 to 9876.5"),
        (0, 12345.6, "0.000e+04 to 1.235e+04"),
        (-1e-8, 2e-7, "-0.100e-07 to 2.000e-07"),
        (-4.7e-8, 0.5, "0.0000 to 0.5000"),
        (0, 0, "0.000 to 0.000"),
        (0, 999960, "0.000e+06 to 1.000e+06"),
    ],
)
def test_the_summary_writes_both_ends_to_a_thousandth_of_the_larger(low: float, high: float, text: str) -> None:
    assert f"| {text} |" in heatmap([[low, high]]).summary()


@pytest.mark.parametrize("noise", [1e-9, -1e-9])
def test_noise_of_a_billionth_changes_neither_summary_nor_repr(noise: float) -> None:
    values = np.array(PLAIN)
    noisy = values + noise * np.array([[1, -1, 1], [-1, 1, -1]])
    assert heatmap(values).summary() == heatmap(noisy).summary()
    assert repr(heatmap(values)) == repr(heatmap(noisy))


@pytest.mark.parametrize("noise", [1e-9, -1e-9])
@pytest.mark.parametrize("low", [0, -3])
def test_noise_on_an_empty_side_does_not_change_the_summary(low: float, noise: float) -> None:
    values = np.array([[0, low], [0, low + 3]])
    assert heatmap(values).summary() == heatmap(values + noise).summary()


def test_the_repr_is_one_line() -> None:
    assert repr(heatmap(PLAIN)) == "Heatmap(submarine (833), logit 4.568, layer4 2×3, grad-cam)"


def test_a_difference_within_the_tolerance_is_called_equal() -> None:
    reference = np.array([[0, 2], [4, -1]], np.float32)  # a range of 5
    assert describe_difference(reference, reference) == "equal to 1e-5 of the range"
    assert describe_difference(reference + 4e-5, reference) == "equal to 1e-5 of the range"
    assert describe_difference(reference + 1e-4, reference, 1e-3) == "equal to 0.001 of the range"
    assert describe_difference(reference + 1e-4, reference, 2.5e-5) == "equal to 2.5e-5 of the range"
    assert describe_difference(reference + 1e-4, reference).startswith("up to 2")
    assert (
        describe_difference(np.array([[-100, 100]], np.int8), np.array([[100, -100]], np.int8))
        == "up to 1.00 of the range apart"
    )
    assert describe_difference(reference[::-1], reference) == "up to 0.800 of the range apart"
    assert describe_difference(-reference, reference) == "up to 1.60 of the range apart"


def test_a_difference_needs_one_shape_and_a_range() -> None:
    with pytest.raises(GradCAMError, match=r"^values must have the reference's shape \(4,\), got \(2, 2\)\.$"):
        describe_difference(np.eye(2), np.arange(4))
    with pytest.raises(GradCAMError, match=r"^Cannot compare with a constant reference, .* use another reference\.$"):
        describe_difference(np.eye(2), np.ones((2, 2)))
    with pytest.raises(GradCAMError, match=r"^Cannot compare with a constant reference"):
        describe_difference(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(GradCAMError, match=r"^Cannot compare maps that contain NaN or infinity: use finite maps\.$"):
        describe_difference(np.full((2, 2), np.nan), np.eye(2))


def test_the_caption_says_what_is_shown_and_how_coarse_it_is() -> None:
    made = heatmap(np.eye(7) * 2, image=scene(224, 224), model="SqueezeNet 1.1")
    assert made.caption() == (
        "submarine (833), logit 4.57, probability 0.250; SqueezeNet 1.1, layer layer4, grad-cam, "
        "scale 0 to 2.00, evidence for the class. 7×7 grid, one cell ≈ 32 px; receptive fields are larger. "
        "A map says where evidence is, not why."
    )
    oblong = heatmap(PLAIN, image=scene(64, 60)).caption("both", 5)
    assert "scale -5.00 to 5.00. 2×3 grid, one cell ≈ 20×32 px;" in oblong


@pytest.mark.parametrize(
    ("values", "caveat"),
    [
        (np.zeros((7, 7)), "The map is zero: the score of submarine (833) does not depend on layer layer4."),
        (-np.eye(7), "No positive evidence for submarine (833) at layer layer4: look at the signed map."),
        (
            grid_of({(0, 3): 3, (6, 2): 2, (3, 0): 4, (3, 3): 1}, 7, 7),
            "90 % of the positive evidence lies in the border cells, where padding may contribute.",
        ),
    ],
)
def test_a_reader_is_told_what_is_odd_about_a_map(values: NDArray[np.float64], caveat: str) -> None:
    assert heatmap(values).caveats == (caveat,)
    assert heatmap(values, notes=("Something.",)).caveats == ("Something.", caveat)


@pytest.mark.parametrize("values", [np.ones((7, 7)), np.pad(np.ones((5, 5)), 1), np.ones((2, 2)), np.ones((1, 5))])
def test_nothing_is_caveated_where_nothing_is_odd(values: NDArray[np.float64]) -> None:
    assert heatmap(values).caveats == ()


def test_the_border_has_its_share_of_the_evidence_for() -> None:
    assert heatmap(np.ones((4, 5))).border_fraction() == pytest.approx(14 / 20)
    assert heatmap(-np.ones((4, 5))).border_fraction() == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_map_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ModelError, match=r"^The grad-cam map of layer 'layer4' contains NaN or infinity: .*\.$"):
        heatmap([[1, bad]])


@pytest.mark.parametrize("shape", [(0, 3), (3,), (1, 2, 3)])
def test_what_has_no_rows_and_columns_is_no_map(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ModelError, match=r"^values must be a non-empty array with rows and columns, got shape \(.*\)\.$"
    ):
        heatmap(np.zeros(shape))


def test_raw_values_are_saved_as_they_are(tmp_path: Path) -> None:
    made = heatmap(PLAIN)
    path = made.export(tmp_path / "map.npy")
    assert path == tmp_path / "map.npy"
    assert np.array_equal(np.load(path), made.values)


def test_an_ending_counts_in_either_case(tmp_path: Path) -> None:
    assert np.load(heatmap(PLAIN).export(tmp_path / "MAP.NPY")).shape == (2, 3)


def test_the_figure_is_saved_as_an_image(tmp_path: Path) -> None:
    path = heatmap(PLAIN, image=scene()).export(str(tmp_path / "map.png"))
    with Image.open(path) as saved:
        assert saved.format == "PNG"
        assert len(np.unique(np.asarray(saved.convert("RGB")).reshape(-1, 3), axis=0)) > 100


@pytest.mark.parametrize("name", ["map.txt", "map", "absent/map.npy", "absent/map.png"])
def test_a_map_cannot_be_saved_under_another_ending_or_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"^[^\n]*map[^\n]*\.$"):
        heatmap(PLAIN, image=scene()).export(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("shown", "size"), [(scene(64, 96), (96, 64)), (None, (224, 149))])
def test_a_notebook_shows_the_overlay_or_the_cells(shown: NDArray[np.uint8] | None, size: tuple[int, int]) -> None:
    made = heatmap(PLAIN, image=shown)
    with Image.open(io.BytesIO(made._repr_png_())) as decoded:
        assert decoded.size == size
        pixels = np.asarray(decoded)
    if shown is not None:
        assert np.array_equal(pixels, made.overlay())
    else:
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) == len(np.unique(made.evidence()))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301 - ours
def test_a_copy_cannot_be_written_to_either(copied: Callable[[Heatmap], Heatmap]) -> None:
    twin = copied(heatmap(PLAIN, image=scene()))
    assert np.array_equal(twin.values, np.array(PLAIN, dtype=np.float32))
    assert twin.image is not None
    assert not twin.values.flags.writeable
    assert not twin.image.flags.writeable


def test_only_evidence_above_the_threshold_is_laid_over_the_image() -> None:
    made = heatmap(grid_of({(0, 0): 1.0, (1, 2): 0.4, (3, 3): -2.0}, 4, 4), image=scene(64, 64))
    shown = made.overlay(interpolation="cells", threshold=0.5, opacity=1.0, fade=False)
    assert made.image is not None
    changed = (shown != made.image).any(axis=2)
    assert changed[:16, :16].mean() > 0.95
    assert not changed[16:].any()
    assert not changed[:, 16:].any()
    against = made.overlay(interpolation="cells", threshold=0.5, opacity=1.0, fade=False, evidence="against")
    assert (against != made.image).any(axis=2)[48:, 48:].mean() > 0.95
    with pytest.raises(OptionError, match=r"in \[0, 1\), got 1"):
        made.overlay(threshold=1.0)


@pytest.mark.parametrize(
    ("cell", "place"),
    [((0, 0), "at the upper left"), ((1, 1), "in the middle"), ((2, 1), "at the bottom"), ((1, 2), "at the right")],
)
def test_the_description_says_class_place_and_how_much_is_covered(cell: tuple[int, int], place: str) -> None:
    made = heatmap(grid_of({cell: 2.0}, 3, 3), image=scene(90, 90))
    # Bilinear, half-pixel: above half of the maximum on as many pixels as the cell has, on more at the border.
    large = cv2.resize(made.values, (90, 90), interpolation=cv2.INTER_LINEAR)
    covered = f"{100 * (large > 1).mean():.0f} %"
    said = made.description()
    assert said == (
        f"Evidence for submarine (833) at layer layer4: strongest {place}, more than half its maximum on {covered} "
        "of the image."
    )
    assert made.description("against") == "Evidence against submarine (833) at layer layer4: none."


def test_the_description_names_the_peak_not_the_halos_center() -> None:
    values = np.ones((9, 9))
    values[7, 1] = 3
    made = heatmap(values)
    assert made.centroid() == pytest.approx(((81 * 4 + 2 * 7) / 83, (81 * 4 + 2 * 1) / 83))  # the middle cell, nearly
    assert made.description() == (
        "Evidence for submarine (833) at layer layer4: strongest at the lower left, "
        "more than half its maximum on 1 % of the image."  # one of 81 cells
    )
    assert "strongest at the lower left" in made.description("both")
