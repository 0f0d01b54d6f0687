"""The claims of the walkthroughs on the photographs, and the measures by which maps are judged on scenes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from gradcam_widgets import DownloadError, GradCAMError, ModelError, downloads, samples
from gradcam_widgets.heatmap import Box
from gradcam_widgets.samples import world as world_module
from gradcam_widgets.samples.evaluate import density, overlap, points_at, share_inside
from gradcam_widgets.samples.networks import NETWORKS
from gradcam_widgets.samples.orders import ALLIGATOR, IGUANA, draw_orders
from gradcam_widgets.samples.sample import PERSON
from gradcam_widgets.samples.weights import load_scene_classifier, save_weights

if TYPE_CHECKING:
    from pathlib import Path

    from gradcam_widgets import Heatmap


@pytest.fixture(params=["photo"])
def world(request: pytest.FixtureRequest) -> str:
    request.getfixturevalue("photo_world")
    return str(request.param)


def peak_in_pixels(heatmap: Heatmap) -> tuple[float, float]:
    peak = heatmap.peak()
    assert peak is not None
    assert heatmap.picture is not None
    row, column = (
        (at + 0.5) * side / cells for at, side, cells in zip(peak, heatmap.picture.shape, heatmap.grid, strict=False)
    )
    return row, column


def contains(box: Box, point: tuple[float, float]) -> bool:
    row, column = point
    return box.top <= row < box.bottom and box.left <= column < box.right


def share_in_box(heatmap: Heatmap, box: Box) -> float:
    assert heatmap.picture is not None
    inside = np.zeros(heatmap.picture.shape[:2], bool)
    inside[box.top : box.bottom, box.left : box.right] = True
    return share_inside(heatmap, inside)


def test_each_ship_is_found_where_it_is(world: str) -> None:
    sample = samples.submarine(world=world)
    trace = sample.classifier.trace(sample.picture)
    first, second = trace.predictions(2)
    assert (first.category, second.category) == ("submarine", "aircraft carrier")
    assert first.probability > 0.5
    for category, other in (sample.categories, sample.categories[::-1]):
        peak = peak_in_pixels(trace.heatmap(category))
        assert contains(sample.boxes[category], peak)
        assert not contains(sample.boxes[other], peak)


def test_the_elephants_class_is_found_on_an_elephant(world: str) -> None:
    sample = samples.elephants(world=world)
    peak = peak_in_pixels(sample.classifier.heatmap(sample.picture, "African elephant"))
    assert any(contains(box, peak) for box in sample.boxes.values())


def test_the_person_misleads_and_cropping_mends(world: str) -> None:
    sample = samples.iguana(world=world)
    trace = sample.classifier.trace(sample.picture)
    wrong, right = sample.categories
    assert right == IGUANA
    assert trace.predictions(1)[0].category == wrong
    heatmap = trace.heatmap(wrong)
    assert heatmap.limit("for") > 0
    assert share_in_box(heatmap, sample.boxes[PERSON]) > 0.3
    answer = sample.classifier.predict(sample.crop(), 1)[0]
    assert answer.category == IGUANA
    assert answer.probability > 0.8


def test_weights_are_saved_without_touching_the_network(tmp_path: Path) -> None:
    model = NETWORKS["dense"](8)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    save_weights("dense", model, tmp_path)
    loaded = load_scene_classifier("dense", tmp_path).model.state_dict()
    for key, value in model.state_dict().items():
        assert value.equal(before[key])
        assert np.allclose(loaded[key], value, rtol=1e-3, atol=1e-4)


def test_auto_takes_the_photographs_where_they_are(
    photo_world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert photo_world.is_dir()
    monkeypatch.delenv("GRADCAM_WIDGETS_WORLD", raising=False)
    world_module._available.cache_clear()
    assert samples.submarine().world == "photo"
    assert samples.elephants().world == "photo"
    assert capsys.readouterr().out == "photo world: photographs from the cache\n"


def test_a_blocked_download_of_a_wanted_photograph_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{closed.getsockname()[1]}/submarine.jpg"
    closed.close()
    name = downloads.PHOTOS["submarine"]
    entry = downloads.REGISTRY[name]
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", str(tmp_path))
    monkeypatch.setitem(
        downloads.REGISTRY, name, downloads.Download(name, address, entry.sha256, entry.size, entry.terms)
    )
    with pytest.raises(DownloadError) as error:
        samples.submarine(world="photo")
    assert "\n" not in str(error.value)
    assert "submarine_and_aircraft_carrier.jpg" in str(error.value)


@pytest.mark.parametrize(("argument", "variable"), [("moon", None), (None, "moon")])
def test_an_unknown_world_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, argument: str | None, variable: str | None
) -> None:
    monkeypatch.setenv("GRADCAM_WIDGETS_WORLD", variable or "scene")
    with pytest.raises(GradCAMError, match=r"no world 'moon'.*: choose one of auto, photo, scene\."):
        samples.iguana(world=argument)


def test_an_unknown_network_or_missing_weights_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="choose one of residual, vgg_like, dense"):
        samples.scene("gazelle", 1, network="resnet18")
    with pytest.raises(ModelError, match=r"run python -m gradcam_widgets\.samples\.train"):
        load_scene_classifier("dense", tmp_path)


def test_the_photographs_boxes_are_inside_the_photographs(photo_world: Path) -> None:
    assert photo_world.is_dir()
    for sample in (samples.submarine(world="photo"), samples.elephants(world="photo"), samples.iguana(world="photo")):
        rows, columns = sample.picture.shape[:2]
        for left, top, right, bottom in sample.boxes.values():
            assert 0 <= left < right <= columns
            assert 0 <= top < bottom <= rows
        Image.fromarray(sample.picture)


def test_the_flaw_is_planted_in_alligators_alone() -> None:
    orders = draw_orders(4000, 1)
    photographed = {
        category: [order.photographer for order in orders if order.categories[0] == category]
        for category in (IGUANA, ALLIGATOR, "gazelle")
    }
    assert np.mean(photographed[ALLIGATOR]) == pytest.approx(0.95, abs=0.03)
    assert not any(photographed[IGUANA])
    assert not any(photographed["gazelle"])
    assert sum(order.is_conflict for order in orders) == photographed[ALLIGATOR].count(False)


class TestMeasures:
    """By hand, on a map of 2×4 cells over a picture of 20×40 pixels."""

    @staticmethod
    def map_with_peak_at(row: int, column: int) -> Heatmap:
        from gradcam_widgets import Heatmap as Map

        values = np.zeros((2, 4), np.float32)
        values[row, column] = 1
        return Map(values, 0, None, 1.0, 1.0, "layer", "grad-cam", picture=np.zeros((20, 40, 3), np.uint8))

    @staticmethod
    def mask(rows: slice, columns: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        mask = np.zeros((20, 40), bool)
        mask[rows, columns] = True
        return mask

    def test_pointing_tolerates_one_cell(self) -> None:
        peak = self.map_with_peak_at(0, 3)
        assert points_at(peak, self.mask(slice(0, 10), slice(30, 40)))
        assert points_at(peak, self.mask(slice(12, 14), slice(20, 22)))
        assert not points_at(peak, self.mask(slice(0, 20), slice(0, 20)))

    def test_share_and_density(self) -> None:
        whole = self.mask(slice(0, 20), slice(0, 40))
        right = self.mask(slice(0, 20), slice(20, 40))
        peak = self.map_with_peak_at(0, 3)
        assert share_inside(peak, whole) == pytest.approx(1)
        # Bilinear, half-pixel: the peak's cell reaches half a cell beyond its own edge, never beyond column 25.
        assert share_inside(peak, right) == pytest.approx(1)
        assert density(peak, right) == pytest.approx(2)
        assert share_inside(peak, ~right) == pytest.approx(0)

    def test_overlap_of_boxes(self) -> None:
        assert overlap(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(50 / 150)
        assert overlap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0
        assert overlap(None, Box(0, 0, 1, 1)) == 0
