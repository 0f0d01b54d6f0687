from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import Normalize
from PIL import Image

from gradcam_widgets import DisplayOptions, GradCAMError, Heatmap, ImageError, comparison_figure, shared_vmax
from gradcam_widgets.errors import ExportError
from gradcam_widgets.heatmaps.figures import single_figure

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

GRAY = np.full((90, 120, 3), 128, np.uint8)


def heatmap(values: list[list[float]], class_name: str = "tench", **known: object) -> Heatmap:
    given = {"image": GRAY, "model": "tiny", **known}
    return Heatmap(np.array(values), 3, class_name, 1.5, 0.25, "features.2", "grad-cam", **given)  # type: ignore[arg-type]


def texts(figure: Figure) -> str:
    titles = [axes.get_title() for axes in figure.axes] + [axes.get_ylabel() for axes in figure.axes]
    return "\n".join([*titles, *(text.get_text() for text in figure.texts)]).replace("\n", " ")


def test_a_figure_shows_image_map_and_overlay_and_says_what_they_are() -> None:
    figure = single_figure(heatmap([[0.0, 0.5, -1.0], [2.0, 0.0, 0.0]]), DisplayOptions())
    image, grid, overlay, bar = figure.axes
    assert np.array_equal(np.asarray(image.images[0].get_array()), GRAY)
    assert np.asarray(grid.images[0].get_array()).tolist() == [[0, 0.5, 0], [2, 0, 0]]
    assert list(grid.images[0].get_extent()) == [-0.5, 119.5, 89.5, -0.5]
    assert not np.array_equal(np.asarray(overlay.images[0].get_array()), GRAY)
    assert bar.get_ylim() == (0, 2)
    for said in ("tench (3)", "logit 1.50", "probability 0.250", "features.2", "grad-cam", "2×3", "tiny", "not why"):
        assert said in texts(figure)


def test_both_sides_share_a_scale_round_zero() -> None:
    figure = single_figure(heatmap([[0.0, -4.0], [2.0, 0.0]]), DisplayOptions(evidence="both"))
    assert figure.axes[-1].get_ylim() == (-4, 4)
    assert np.array_equal(np.asarray(figure.axes[1].images[0].get_array()), [[0, -4], [2, 0]])


def test_a_map_without_an_image_is_drawn_alone() -> None:
    figure = single_figure(heatmap([[1.0, 2.0]], image=None), DisplayOptions())
    assert len(figure.axes) == 2


def test_several_maps_are_drawn_on_one_scale() -> None:
    strong, weak = heatmap([[0.0, 8.0]]), heatmap([[0.0, 2.0]], "<b>pike</b>")
    assert shared_vmax([strong, weak]) == 8
    figure = comparison_figure([strong, weak])
    assert len(figure.axes) == 4
    assert figure.axes[-1].get_ylim() == (0, 8)
    shown = [np.asarray(axes.images[0].get_array(), dtype=int) for axes in figure.axes[1:3]]
    assert np.array_equal(shown[1], weak.overlay(vmax=8.0))
    assert np.abs(shown[0] - GRAY).max() > np.abs(shown[1] - GRAY).max() > 0
    assert "One scale for all" in texts(figure)
    assert "<b>pike</b>" in texts(figure)


def test_caveats_are_written_below() -> None:
    assert "No positive evidence for tench (3)" in texts(single_figure(heatmap([[-1.0, -2.0]]), DisplayOptions()))


def test_a_dollar_in_a_class_is_no_formula() -> None:
    figure = single_figure(heatmap([[1.0, 2.0]], "cash $x$ and $\\frac{$"), DisplayOptions())
    figure.savefig(io.BytesIO(), format="png")
    assert "cash" in texts(figure)


def test_a_large_photograph_is_reduced_and_pyplot_left_alone() -> None:
    large = heatmap([[0.0, 1.0]], image=np.zeros((1800, 2700, 3), np.uint8))
    figure = single_figure(large, DisplayOptions())
    assert np.asarray(figure.axes[0].images[0].get_array()).shape == (600, 900, 3)
    assert plt.get_fignums() == []


def test_a_figure_shows_itself_in_a_notebook() -> None:
    png = single_figure(heatmap([[0.0, 1.0]]), DisplayOptions())._repr_jpeg_()  # type: ignore[attr-defined]
    assert Image.open(io.BytesIO(png)).size[0] > 800
    overlay = Image.open(io.BytesIO(heatmap([[0.0, 1.0]])._repr_png_()))
    assert overlay.size == (120, 90)


def test_maps_of_no_image_cannot_be_compared() -> None:
    with pytest.raises(ImageError, match=r"heatmap\.with_image\(image\)"):
        comparison_figure([heatmap([[1.0, 2.0]], image=None)])
    with pytest.raises(GradCAMError, match="at least one heatmap"):
        comparison_figure([])


def test_a_figure_is_saved_by_its_ending(tmp_path: Path) -> None:
    for ending in ("png", "jpg", "pdf", "svg", "npy"):
        assert heatmap([[0.0, 1.0]]).export(tmp_path / f"map.{ending}").stat().st_size > 100
    with pytest.raises(
        ExportError, match=r"map\.doc': unsupported extension; use \.png, \.jpg, \.jpeg, \.pdf or \.svg\.$"
    ):
        heatmap([[0.0, 1.0]]).export(tmp_path / "map.doc")
    with pytest.raises(ExportError, match=r"^Cannot write "):
        heatmap([[0.0, 1.0]]).export(tmp_path / "nowhere" / "map.png")


def test_a_map_of_zeros_has_a_scale() -> None:
    figure = single_figure(heatmap([[0.0, 0.0]]), DisplayOptions())
    norm = figure.axes[1].images[0].norm
    assert isinstance(norm, Normalize)
    assert norm.vmax == 1
