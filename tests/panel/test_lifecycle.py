from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gradcam_widgets import Classifier, GradCAMPanel, MethodError, Preprocessing
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.edits import Edit
from gradcam_widgets.panel import debounce
from tests.support.models import Pooled, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

CLASSES = 8
SHOWN_TO_MODEL = Preprocessing(size=(48, 64))
CROP = Edit("crop", Box(10, 5, 60, 45))


class OneLayer(nn.Module):
    """Has one layer, of another name than any of `Pooled`'s."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, 8)
        self.fc = nn.Linear(4 * 6 * 8, CLASSES)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.fc(torch.relu(self.conv(batch)).flatten(1))
        return scores


@dataclass
class Timers:
    """An event loop whose timers end when the test says so."""

    waiting: list[Timer] = field(default_factory=list)

    def call_later(self, _: float, function: Callable[[], None]) -> Timer:
        self.waiting.append(Timer(function))
        return self.waiting[-1]

    def end(self) -> int:
        """End all timers that were not cancelled, and count them."""
        ended = [timer for timer in self.waiting if not timer.cancelled]
        self.waiting.clear()
        for timer in ended:
            timer.function()
        return len(ended)


@dataclass
class Timer:
    function: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


def random_image(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def order_of_classes(model: nn.Module, image: NDArray[np.uint8]) -> list[int]:
    """Return a model's classes, best first, by a plain pass."""
    with torch.no_grad():
        scores: Tensor = model.eval()(SHOWN_TO_MODEL(image))[0]
    assert scores.std() > 0.01, "the reference is blank"
    order: list[int] = scores.argsort(descending=True).tolist()
    return order


@pytest.fixture
def models() -> dict[str, nn.Module]:
    return {"pooled": Pooled(CLASSES), "one layer": OneLayer()}


@pytest.fixture
def panel(models: dict[str, nn.Module]) -> Iterator[GradCAMPanel]:
    classifiers = [Classifier(model, SHOWN_TO_MODEL, name=name) for name, model in models.items()]
    panel = GradCAMPanel(random_image(0), classifiers)
    yield panel
    panel.close()


@pytest.fixture
def passes(models: dict[str, nn.Module]) -> list[int]:
    passes: list[int] = []
    models["pooled"].register_forward_pre_hook(lambda *_: passes.append(1))
    return passes


@pytest.fixture
def at_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still, so that all changes but the first wait."""
    monkeypatch.setattr(debounce, "time", SimpleNamespace(monotonic=lambda: 1e9))


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch, at_one_moment: None) -> Timers:
    assert at_one_moment is None
    timers = Timers()
    monkeypatch.setattr(debounce, "asyncio", SimpleNamespace(get_running_loop=lambda: timers))
    return timers


# -- what is compared


def test_comparisons_of_each_kind_may_follow_each_other(panel: GradCAMPanel) -> None:
    for compare, name in [("class", "class_index"), ("layer", "layer"), ("method", "method"), ("class", "class_index")]:
        panel.compare = compare
        first, second = panel.heatmaps
        for each in ("class_index", "layer", "method"):
            assert (getattr(first, each) != getattr(second, each)) is (each == name), (compare, each)
        assert panel.error == ""


def test_the_other_class_is_chosen_anew_for_another_image(panel: GradCAMPanel, models: dict[str, nn.Module]) -> None:
    panel.compare = "class"
    panel.other = order_of_classes(models["pooled"], random_image(0))[-1]
    assert panel.heatmaps[1].class_index == panel.other
    order = order_of_classes(models["pooled"], random_image(3))
    assert panel.other != order[1]
    panel.image = random_image(3)
    assert [heatmap.class_index for heatmap in panel.heatmaps] == order[:2]
    assert panel.other == order[1]


def test_the_other_class_is_chosen_anew_for_another_model(panel: GradCAMPanel, models: dict[str, nn.Module]) -> None:
    order = order_of_classes(models["one layer"], random_image(0))
    panel.compare = "class"
    panel.other = order[-1]
    assert panel.heatmaps[1].class_index == order[-1]
    panel.classifier = "one layer"
    assert [heatmap.class_index for heatmap in panel.heatmaps] == order[:2]


def test_the_other_layer_need_not_be_in_the_next_model(panel: GradCAMPanel) -> None:
    panel.compare = "layer"
    panel.other = "stem.0"
    assert panel.heatmaps[1].layer == "stem.0"
    panel.classifier = "one layer"
    assert [heatmap.layer for heatmap in panel.heatmaps] == ["conv", "conv"]
    assert panel.error == ""


# -- closing


def test_a_change_that_waits_is_answered_when_its_timer_ends(
    panel: GradCAMPanel, timers: Timers, passes: list[int]
) -> None:
    panel.layer = "stem.0"
    panel.layer = "features"
    assert panel.view.heatmaps[0].layer == "stem.0"
    count = len(passes)
    assert timers.end() == 1
    assert panel.view.heatmaps[0].layer == "features"
    assert len(passes) == count + 1


def test_a_closed_panel_answers_nothing_that_waited(panel: GradCAMPanel, timers: Timers, passes: list[int]) -> None:
    panel.layer = "stem.0"
    panel.layer = "features"
    count = len(passes)
    assert count
    panel.close()
    assert timers.end() == 0
    assert panel.summary().count("stem.0") == 1
    assert panel.view.heatmaps[0].layer == "stem.0"
    assert len(passes) == count


def test_a_panel_may_be_closed_twice(panel: GradCAMPanel) -> None:
    panel.close()
    panel.close()
    assert panel.comm is None


# -- exporting while a change waits


def data_of(page: Path) -> Any:
    return json.loads(page.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])


@pytest.mark.usefixtures("at_one_moment")
def test_what_waits_is_answered_before_a_page_is_written(panel: GradCAMPanel, tmp_path: Path) -> None:
    panel.target = 3
    panel.target = 5
    assert panel.view.heatmaps[0].class_index == 3
    page = panel.export_html(tmp_path / "page.html", targets=[3, 5])
    assert panel.view.heatmaps[0].class_index == 5
    assert panel.view.target == 5
    assert page.is_file()


@pytest.mark.usefixtures("at_one_moment")
def test_a_page_shows_the_whole_image_when_edits_are_taken_back(panel: GradCAMPanel, tmp_path: Path) -> None:
    whole = data_of(panel.export_html(tmp_path / "whole.html"))
    panel.edits = (CROP,)
    assert data_of(panel.export_html(tmp_path / "crop.html")) != whole
    panel.edits = None  # none, and it waits
    assert data_of(panel.export_html(tmp_path / "page.html")) == whole


@pytest.mark.usefixtures("at_one_moment")
def test_what_cannot_be_answered_is_taken_back_and_no_page_written(panel: GradCAMPanel, tmp_path: Path) -> None:
    panel.layer = "stem.0"
    panel.method = "cam"
    with pytest.raises(MethodError, match=r"^CAM requires global average pooling") as raised:
        panel.export_html(tmp_path / "page.html")
    assert panel.error == panel.view.message == str(raised.value)
    assert (panel.layer, panel.method) == ("stem.0", "grad-cam")
    assert not (tmp_path / "page.html").exists()
