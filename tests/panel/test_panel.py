from __future__ import annotations

import ast
import asyncio
import base64
import gc
import io
import json
import re
import textwrap
import weakref
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from ipywidgets.widgets import widget as registry
from PIL import Image
from torch import Tensor, nn

from gradcam_widgets import Classifier, samples
from gradcam_widgets.classifiers.preprocessing import Preprocessing
from gradcam_widgets.errors import (
    GradCAMError,
    ImageError,
    LayerError,
    MethodError,
    ModelError,
    OptionError,
    TargetError,
)
from gradcam_widgets.heatmaps.heatmap import Heatmap
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.edits import Edit, edited
from gradcam_widgets.panel import GradCAMPanel, debounce, inputs
from gradcam_widgets.panel import cache as cache_module
from gradcam_widgets.panel import panel as panel_module
from gradcam_widgets.panel.cache import ExplanationCache
from gradcam_widgets.view.heatmap_view import HeatmapView
from tests.support.models import Pooled, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

NAMES = ["crane", "crab", "king crab", "tug", "boat", "house", "tree", "lamp", "cat", "dog", "cow", "hen", "bee", "fly"]
SHOWN_TO_MODEL = Preprocessing(size=(48, 64))
CROP, COVER = Edit("crop", Box(10, 5, 60, 45)), Edit("gray", Box(20, 10, 50, 40))
TOO_SMALL = Edit("crop", Box(0, 0, 3, 3))
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "$\\frac{1}{0}$ \\u0041 %s {x}",
    "\"'&`<!--",
    "line\nbreak\r\u2028end",
    "very long " * 60,
    "\u202eevil \u05d0\u05d1\u05d2",
]
STATE = ("image", "classifier", "layer", "target", "method", "edits", "compare", "other")


class Flat(nn.Module):
    """No pooling before its linear layer, so that CAM has no answer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 8, 8)
        self.fc = nn.Linear(4 * 6 * 8, len(NAMES))
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.fc(torch.relu(self.conv(batch)).flatten(1))
        return scores


def make_classifier(
    model: nn.Module | None = None, name: str = "pooled", class_names: list[str] | None = None
) -> Classifier:
    return Classifier(model or Pooled(len(NAMES)), SHOWN_TO_MODEL, class_names or NAMES, name=name)


def random_image(seed: int = 0, rows: int = 60, columns: int = 80) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


@pytest.fixture
def image() -> NDArray[np.uint8]:
    return random_image()


@pytest.fixture
def classifier() -> Classifier:
    return make_classifier()


@pytest.fixture
def panel(image: NDArray[np.uint8], classifier: Classifier) -> Iterator[GradCAMPanel]:
    panel = GradCAMPanel(image, [classifier, make_classifier(Flat(), "flat")])
    yield panel
    panel.close()


def state(panel: GradCAMPanel) -> dict[str, Any]:
    return {name: getattr(panel, name) for name in STATE}


def ask(panel: GradCAMPanel, **traits: Any) -> str:
    for name, value in traits.items():
        setattr(panel, name, value)
    summary: str = panel.summary()
    return summary


def is_one_sentence(text: str) -> bool:
    return "\n" not in text and bool(re.fullmatch(r"[^.]?.*[.?]", text)) and ". " not in text and len(text) > 15


def jpeg_of(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def uploaded(content: bytes, name: str = "cat.png", size: int | None = None) -> dict[str, Any]:
    """Return what ipywidgets' front end sends of a file."""
    return {
        "name": name,
        "type": "image/png",
        "size": len(content) if size is None else size,
        "content": memoryview(content),
        "last_modified": 1_700_000_000_000,
    }


# -- from Python


def test_the_panel_opens_on_the_first_class_at_the_default_layer(
    panel: GradCAMPanel, image: NDArray[np.uint8], classifier: Classifier
) -> None:
    trace = classifier.trace(image)
    assert (panel.layer, panel.target) == (trace.layers[0].name, trace.predictions(1)[0].class_index)
    assert (panel.method, panel.edits, panel.compare, panel.error) == ("grad-cam", (), "nothing", "")
    assert panel.summary() == trace.heatmap().summary()
    assert panel.classifier == "pooled"


@pytest.mark.parametrize(
    ("traits", "class_index", "layer", "method"),
    [
        ({"target": 9}, 9, None, "grad-cam"),
        ({"target": "tug"}, 3, None, "grad-cam"),
        ({"target": "king"}, 2, None, "grad-cam"),
        ({"target": np.int64(5)}, 5, None, "grad-cam"),
        ({"target": 4, "layer": "stem.0"}, 4, "stem.0", "grad-cam"),
        ({"target": 4, "layer": "features", "method": "hirescam"}, 4, "features", "hirescam"),
        ({"target": 4, "method": "cam"}, 4, None, "cam"),
    ],
)
def test_traits_give_the_same_maps_as_the_classifier_alone(
    panel: GradCAMPanel,
    image: NDArray[np.uint8],
    classifier: Classifier,
    traits: dict[str, Any],
    class_index: int,
    layer: str | None,
    method: str,
) -> None:
    for name, value in traits.items():
        setattr(panel, name, value)
    expected = classifier.heatmap(image, class_index, layer, method)
    assert expected.values.any()
    assert panel.summary() == expected.summary()
    assert np.array_equal(panel.heatmap.values, expected.values)
    assert panel.target == class_index
    assert panel.view.maps["items"][0]["values"] == expected.values.tobytes()


def test_traits_can_be_set_by_the_constructor(image: NDArray[np.uint8], classifier: Classifier) -> None:
    panel = GradCAMPanel(image, classifier, target="tug", layer="stem.0", opacity=0.5, evidence="both")
    assert panel.summary() == classifier.heatmap(image, 3, "stem.0").summary()
    assert (panel.opacity, panel.view.opacity, panel.view.evidence) == (0.5, 0.5, "both")
    panel.close()


def test_a_plain_torch_model_needs_no_classifier(image: NDArray[np.uint8]) -> None:
    model = Pooled(len(NAMES))
    panel = GradCAMPanel(image, model=model, preprocess=SHOWN_TO_MODEL, class_names=NAMES)
    assert panel.summary() == Classifier(model, SHOWN_TO_MODEL, NAMES).heatmap(image).summary()
    with pytest.raises(ModelError, match=r"^classifier and model cannot be combined; pass only one of them\.$"):
        GradCAMPanel(image, make_classifier(), model=model)
    panel.close()


@pytest.mark.parametrize("edits", [(CROP,), (COVER,), (COVER, CROP), (Edit("blur", Box(5, 5, 70, 50)), COVER)])
def test_edits_ask_about_the_changed_image(
    panel: GradCAMPanel, image: NDArray[np.uint8], classifier: Classifier, edits: tuple[Edit, ...]
) -> None:
    whole = panel.summary()
    panel.edits = edits
    changed, window = edited(image, edits)
    expected = classifier.heatmap(changed, panel.target)
    assert panel.summary() == expected.summary() != whole
    assert panel.view.image["window"] == list(window)
    panel.edits = ()
    assert panel.summary() == whole
    assert panel.view.image["window"] == [0, 0, 80, 60]


def test_edits_may_be_plain_pairs(panel: GradCAMPanel) -> None:
    ask(panel, edits=[("crop", (10, 5, 60, 45))])
    assert panel.edits == (CROP,)


@pytest.mark.parametrize(
    ("compare", "other", "expected"),
    [
        ("class", "lamp", {"target": 7}),
        ("class", 3, {"target": 3}),
        ("layer", "stem.0", {"layer": "stem.0"}),
        ("method", "hirescam", {"method": "hirescam"}),
    ],
)
def test_two_maps_are_compared(
    panel: GradCAMPanel,
    image: NDArray[np.uint8],
    classifier: Classifier,
    compare: str,
    other: Any,
    expected: dict[str, Any],
) -> None:
    first = panel.heatmap
    panel.compare = compare
    panel.other = other
    question = {"target": panel.target, "layer": panel.layer, "method": "grad-cam"} | expected
    second = classifier.heatmap(image, **question)
    assert panel.summary() == f"{first.summary()}\n{second.summary()}"
    assert len(panel.view.maps["items"]) == 2
    panel.compare = "nothing"
    assert panel.summary() == first.summary()


@pytest.mark.parametrize("compare", ["class", "layer", "method"])
def test_the_second_map_has_a_default(panel: GradCAMPanel, compare: str) -> None:
    panel.compare = compare
    first, second = panel.heatmaps
    name = "class_index" if compare == "class" else compare
    assert getattr(first, name) != getattr(second, name) == panel.other


def test_a_class_outside_the_menu_can_be_compared_by_name(panel: GradCAMPanel) -> None:
    panel.compare = "class"
    last = panel.predictions[-1]
    panel.other = last.class_name
    assert panel.heatmaps[1].class_index == last.class_index
    assert panel._menus.other.value == last.class_index


def test_switching_the_classifier_recomputes_the_map(panel: GradCAMPanel, image: NDArray[np.uint8]) -> None:
    panel.classifier = "flat"
    expected = make_classifier(Flat(), "flat").heatmap(image)
    assert panel.summary() == expected.summary()
    assert panel.heatmap.model == "flat"
    panel.classifier = "pooled"
    assert panel.summary() == make_classifier().heatmap(image).summary()


def test_a_new_image_resets_class_and_edits(panel: GradCAMPanel, classifier: Classifier) -> None:
    ask(panel, edits=(CROP,), layer="stem.0")
    panel.image = random_image(3, 50, 90)
    assert panel.summary() == classifier.heatmap(random_image(3, 50, 90), layer="stem.0").summary()
    assert panel.edits == ()
    assert panel.view.image["size"] == [50, 90]
    assert panel.view.image["window"] == [0, 0, 90, 50]


def test_an_image_can_be_a_path(panel: GradCAMPanel, classifier: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(random_image(4)).save(path)
    panel.image = path
    assert panel.summary() == classifier.heatmap(random_image(4)).summary()
    assert repr(panel).startswith("GradCAMPanel(a.png, pooled, ")


@pytest.mark.parametrize("layer", ["features.1", "stem.2"])
def test_an_unlisted_layer_can_be_selected_and_compared(
    panel: GradCAMPanel, image: NDArray[np.uint8], classifier: Classifier, layer: str
) -> None:
    assert layer not in [each.name for each in classifier.layers(image)]
    expected = classifier.heatmap(image, layer=layer).summary()
    first = panel.summary()
    assert ask(panel, compare="layer", other=layer) == f"{first}\n{expected}"
    assert panel._menus.other.value == layer
    assert ask(panel, compare="nothing", layer=layer) == expected
    assert panel._menus.layer.value == layer
    assert ask(panel, layer="relu") == first


def test_other_can_be_set_while_nothing_is_compared(panel: GradCAMPanel) -> None:
    before = panel.summary()
    assert ask(panel, other="lamp") == before
    assert panel.error == ""
    ask(panel, compare="class")
    assert len(panel.heatmaps) == 2


def test_none_selects_the_top_class_and_no_edits(panel: GradCAMPanel) -> None:
    before = panel.summary()
    ask(panel, target="lamp", edits=(CROP,))
    assert ask(panel, target=None, edits=None) == before
    assert panel.edits == ()
    assert panel.view.target == panel.target == panel.heatmap.class_index


# -- what cannot be answered


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("target", "zebra crossing", TargetError),
        ("target", 14, TargetError),
        ("target", -1, TargetError),
        ("target", 1.5, TargetError),
        ("target", "cr", TargetError),
        ("layer", "layer4", LayerError),
        ("layer", "dropout", GradCAMError),
        ("method", "gradcam++", MethodError),
        ("edits", [TOO_SMALL], OptionError),
        ("edits", [Edit("gray", Box(200, 200, 210, 210))], OptionError),
        ("edits", [("paint", (0, 0, 20, 20))], OptionError),
        ("edits", [("crop",)], OptionError),
        ("edits", [{"kind": "crop"}], OptionError),
        ("other", "zebra crossing", TargetError),
        ("other", 99, TargetError),
        ("image", "nowhere.png", ImageError),
        ("image", b"no image", ImageError),
        ("image", np.zeros((4, 4, 3), np.uint8), ImageError),
        ("image", 5, ImageError),
        ("classifier", "resnet", ModelError),
        ("colormap", "rainbows", OptionError),
    ],
)
def test_an_error_is_raised_and_shown_and_the_old_state_stays(
    panel: GradCAMPanel, name: str, value: Any, error: type[GradCAMError]
) -> None:
    panel.compare, panel.layer, panel.edits = "class", "features", (COVER,)
    panel.summary()
    before, shown, maps = state(panel), panel.heatmaps, panel.view.maps
    with pytest.raises(error) as raised:
        ask(panel, **{name: value})
    assert is_one_sentence(str(raised.value)), str(raised.value)
    assert panel.error == panel.view.message == str(raised.value)
    assert state(panel) == before
    assert panel.heatmaps == shown
    assert panel.view.maps is maps
    assert panel.view.edits == [{"kind": "gray", "box": list(COVER.box)}]
    panel.target = "lamp"
    assert panel.summary().startswith("lamp (7)")
    assert panel.error == panel.view.message == ""


def test_a_classifier_that_fails_the_method_is_reverted(panel: GradCAMPanel) -> None:
    panel.method = "cam"
    before, shown = state(panel), panel.heatmaps
    with pytest.raises(MethodError, match=r"^CAM requires global average pooling") as raised:
        panel.classifier = "flat"
    assert panel.error == str(raised.value)
    assert state(panel) == before
    assert panel.heatmaps == shown
    assert panel._menus.classifier.value == "pooled"
    panel.target = "lamp"
    assert (panel.heatmap.model, panel.heatmap.method) == ("pooled", "cam")


def test_a_layer_that_fails_the_method_is_reverted(panel: GradCAMPanel) -> None:
    ask(panel, method="cam")
    before = panel.summary()
    with pytest.raises(MethodError, match=r"^CAM requires"):
        ask(panel, layer="stem.0")
    assert (panel.layer, panel.method) == ("relu", "cam")
    assert panel.summary() == before
    assert panel._menus.layer.value == "relu"


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        {"image": "nowhere.png"},
        {"target": "zebra crossing"},
        {"layer": "layer4"},
        {"classifier": "resnet"},
        {"colormap": "rainbows"},
        {"edits": [TOO_SMALL]},
    ],
)
def test_a_panel_that_fails_to_open_leaves_no_widgets(
    image: NDArray[np.uint8], classifier: Classifier, arguments: dict[str, Any]
) -> None:
    gc.collect()
    before = len(registry._instances)
    with pytest.raises(GradCAMError) as raised:
        GradCAMPanel(**{"image": image, "classifier": classifier, **arguments})
    assert is_one_sentence(str(raised.value))
    del raised
    gc.collect()
    assert len(registry._instances) == before


# -- from the browser


def test_menus_and_traits_follow_each_other(panel: GradCAMPanel) -> None:
    menus = panel._menus
    menus.layer.value = "features"
    menus.target.value = panel.predictions[2].class_index
    menus.method.value = "hirescam"
    assert (panel.layer, panel.method) == ("features", "hirescam")
    assert panel.heatmap.class_index == panel.predictions[2].class_index
    menus.compare.value = "layer"
    assert len(panel.heatmaps) == 2
    menus.other.value = "stem"
    assert panel.heatmaps[1].layer == "stem"
    menus.compare.value = "nothing"
    menus.classifier.value = "flat"
    assert panel.heatmap.model == "flat"
    panel.target = "hen"
    panel.summary()
    assert menus.target.value == 11
    assert menus.target.label.startswith("hen")


def test_menus_show_errors_and_revert(panel: GradCAMPanel) -> None:
    panel.method = "cam"
    panel.summary()
    panel._menus.classifier.value = "flat"
    assert panel.error.startswith("CAM requires")
    assert panel._menus.classifier.value == panel.classifier == "pooled"


@pytest.mark.parametrize(
    ("typed", "index"),
    [("lamp", 7), ("LAMP", 7), ("king", 2), ("10", 10), ("crab (1)", 1), ("crane (0)", 0), (" tug ", 3)],
)
def test_classes_are_found_by_name_part_index_or_choice(panel: GradCAMPanel, typed: str, index: int) -> None:
    panel._menus.search.value = typed
    assert panel.heatmap.class_index == index
    assert panel.error == panel._menus.search.value == ""


@pytest.mark.parametrize("typed", ["zebra crossing", "cr", "99", "(1)"])
def test_an_unknown_class_is_an_error(panel: GradCAMPanel, typed: str) -> None:
    before = panel.target
    panel._menus.search.value = typed
    assert is_one_sentence(panel.error)
    assert panel.target == before


def test_the_view_changes_class_and_edits(panel: GradCAMPanel, image: NDArray[np.uint8]) -> None:
    before = {row["class_index"]: row["probability"] for row in panel.view.predictions}
    assert {row["before"] for row in panel.view.predictions} == {None}
    second = panel.view.predictions[1]["class_index"]
    panel.view.set_state({"target": second})
    assert panel.heatmap.class_index == second
    panel.view.set_state({"edits": [{"kind": "crop", "box": [10, 5, 60, 45]}]})
    expected = make_classifier().trace(edited(image, [CROP])[0])
    assert panel.summary() == expected.heatmap(second).summary()
    rows = {row["class_index"]: row for row in panel.view.predictions}
    for prediction in expected.predictions(5):
        assert rows[prediction.class_index]["probability"] == prediction.probability
    changed = [row for index, row in rows.items() if index in before]
    assert changed
    assert all(row["before"] == before[row["class_index"]] for row in changed)
    panel.view.set_state({"edits": []})
    panel.summary()
    assert {row["class_index"]: row["probability"] for row in panel.view.predictions}.items() >= before.items()
    assert panel.view.predictions[0]["before"] is None


@pytest.mark.parametrize(
    "sent",
    [
        {"target": -7},
        {"target": 14},
        {"edits": [{"kind": "crop", "box": [0, 0, 3, 3]}]},
        {"edits": [{"kind": "paint", "box": [0, 0, 30, 30]}]},
        {"edits": [{"kind": "crop", "box": [0, 0]}]},
        {"edits": [{"kind": "crop"}]},
        {"edits": [5]},
        {"edits": [{"kind": "gray", "box": [900, 900, 950, 950]}]},
    ],
)
def test_invalid_input_from_the_view_is_shown_and_reverted(panel: GradCAMPanel, sent: dict[str, Any]) -> None:
    before, edits = ask(panel, edits=(COVER,)), panel.view.edits

    async def told() -> None:
        panel.view.set_state(sent)
        await asyncio.sleep(0.2)

    asyncio.run(told())
    assert is_one_sentence(panel.view.message), panel.view.message
    assert panel.error == panel.view.message
    assert panel.summary() == before
    assert panel.view.edits == edits
    assert panel.view.target == panel.target
    panel.view.set_state({"edits": [*edits, {"kind": "crop", "box": [10, 5, 60, 45]}]})
    assert panel.summary() != before
    assert panel.edits == (COVER, CROP)


def test_an_uploaded_image_replaces_the_image(panel: GradCAMPanel, classifier: Classifier) -> None:
    panel.view.set_state({"upload": uploaded(jpeg_of(random_image(6)))})
    assert panel.summary() == classifier.heatmap(random_image(6)).summary()
    assert panel.error == ""
    assert panel.view.upload == {}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (uploaded(b"x", "big.png", size=panel_module.MAX_UPLOAD_BYTES + 1), "big.png"),
        (uploaded(b"this is a text", "notes.png"), ""),
        (uploaded(jpeg_of(random_image(6))[:200], "cut.png"), ""),
        (uploaded(b"", "empty.png"), ""),
        (uploaded(b"x", HOSTILE[0], size=10**9), HOSTILE[0]),
    ],
)
def test_an_invalid_upload_is_rejected_and_the_old_image_stays(
    panel: GradCAMPanel, file: dict[str, Any], said: str
) -> None:
    before, summary = panel.image, panel.summary()
    panel.view.set_state({"upload": file})
    assert said in panel.error
    assert len(panel.error) > 15
    assert panel.view.message == panel.error
    assert panel.image is before
    assert panel.summary() == summary
    panel.view.set_state({"upload": uploaded(jpeg_of(random_image(6)))})
    assert panel.error == ""
    assert panel.summary() != summary


def test_display_options_sync_both_ways_without_the_model(panel: GradCAMPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExplanationCache, "heatmap", lambda *_: pytest.fail("the model was asked"))
    panel.view.set_state({"opacity": 0.25, "evidence": "against", "vmax": 3.5, "interpolation": "cells"})
    assert (panel.opacity, panel.evidence, panel.vmax, panel.interpolation) == (0.25, "against", 3.5, "cells")
    panel.colormap, panel.threshold, panel.fade = "magma", 0.5, False
    assert (panel.view.colormap, panel.view.threshold, panel.view.fade) == ("magma", 0.5, False)
    assert len(panel.view.tables["magma"]) == 768
    panel.view.set_state({"guessing": True, "guess": [1, 2, 30, 40], "revealed": True})
    assert (panel.guessing, panel.guess, panel.revealed) == (True, [1, 2, 30, 40], True)


# -- what it costs, and what it leaves behind


def test_a_burst_of_changes_costs_two_maps_and_ends_on_the_last(
    panel: GradCAMPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    answer = ExplanationCache.heatmap

    def counted(self: ExplanationCache, question: cache_module.Question) -> Heatmap:
        asked.append(question.target)
        return answer(self, question)

    monkeypatch.setattr(ExplanationCache, "heatmap", counted)

    monkeypatch.setattr(debounce, "time", SimpleNamespace(monotonic=lambda: float(10**9)))  # all at one moment

    async def flood() -> None:
        for i in range(20):
            panel.target = i % len(NAMES)
            await asyncio.sleep(0)
        for _ in range(100):
            if panel.view.heatmaps[0].class_index == 19 % len(NAMES):
                return
            await asyncio.sleep(0.05)

    asyncio.run(flood())
    assert panel.view.heatmaps[0].class_index == 19 % len(NAMES) == asked[-1]
    assert len(asked) <= 2


def test_the_view_updates_without_reading_the_panel(panel: GradCAMPanel) -> None:
    async def changed() -> None:
        panel.target = 3
        panel.target = 5
        for _ in range(100):
            if panel.view.target == 5:
                return
            await asyncio.sleep(0.05)

    asyncio.run(changed())
    assert panel.view.heatmaps[0].class_index == 5


def test_a_new_class_sends_no_image(panel: GradCAMPanel) -> None:
    sent: list[str] = []
    panel.view.observe(lambda change: sent.append(change.name))
    for name, value in [("target", "lamp"), ("layer", "stem.0"), ("method", "hirescam")]:
        setattr(panel, name, value)
        panel.summary()
    assert "maps" in sent
    assert "image" not in sent


@pytest.mark.slow
def test_two_hundred_changes_leak_no_hook_widget_or_image(panel: GradCAMPanel) -> None:
    model = panel._cache.classifier.model
    for trait, value in [("compare", "class"), ("compare", "nothing"), ("layer", "stem.0"), ("layer", "relu")]:
        setattr(panel, trait, value)
        panel.summary()
    gc.collect()
    widgets = len(registry._instances)
    layers = [layer.name for layer in panel._cache.layers]
    for i in range(200):
        if i % 10 == 9:
            panel.image = random_image(i)
        elif i % 10 == 5:
            panel.edits = [("crop", (0, 0, 20 + i % 40, 30))]
        elif i % 2:
            panel.layer = layers[i // 2 % len(layers)]
        else:
            panel.target = i % len(NAMES)
        panel.summary()
    gc.collect()
    assert len(registry._instances) == widgets
    assert not [name for name, module in model.named_modules() if any(hooks_of(module))]
    assert sum(type(each) is ExplanationCache for each in gc.get_objects()) == 1 + others_alive(panel)


def test_least_recently_used_traces_and_maps_are_evicted(
    panel: GradCAMPanel, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "CACHED_HEATMAPS", 6)
    for i in range(20):
        ask(panel, edits=[("crop", (0, 0, 20 + i, 30))], target=i % len(NAMES))
    memory = panel._cache
    assert len(memory._traces) == cache_module.CACHED_TRACES
    assert len(memory._heatmaps) == 6
    shown = panel.heatmap
    monkeypatch.setattr(type(classifier), "trace", lambda *_: pytest.fail("the model was asked again"))
    ask(panel, edits=[("crop", (0, 0, 20 + 18, 30))], target=18 % len(NAMES))
    ask(panel, edits=[("crop", (0, 0, 20 + 19, 30))], target=19 % len(NAMES))
    assert panel.heatmap is shown


def hooks_of(module: nn.Module) -> list[Any]:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return [hook for kind in kinds for hook in getattr(module, kind).values()]


def others_alive(panel: GradCAMPanel) -> int:
    return sum(type(each) is GradCAMPanel and each is not panel for each in gc.get_objects())


def test_the_model_is_left_unchanged(image: NDArray[np.uint8]) -> None:
    model = Pooled(len(NAMES)).train()
    model.features.eval()
    model.stem[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    panel = GradCAMPanel(image, make_classifier(model))
    panel.target, panel.layer, panel.edits, panel.compare = 3, "features", (CROP,), "class"
    panel.summary()
    with pytest.raises(GradCAMError):
        ask(panel, edits=(TOO_SMALL,))
    panel.close()
    assert model.training
    assert model.stem.training
    assert not model.features.training
    assert not model.stem[0].weight.requires_grad
    assert model.classifier.weight.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_closed_panel_is_freed_with_its_view_maps_and_model(image: NDArray[np.uint8]) -> None:
    gc.collect()
    before = set(registry._instances)
    panel = GradCAMPanel(image, make_classifier())
    panel.target, panel.compare, panel.edits = 3, "class", (CROP,)
    panel.summary()
    parts: list[Any] = [panel, panel.view, panel._menus, panel._cache, panel._cache.classifier, panel.heatmap]
    seen = [weakref.ref(each) for each in parts]
    panel.close()
    assert set(registry._instances) == before
    del panel, parts
    gc.collect()
    assert [each() for each in seen] == [None] * len(seen)


def test_a_closed_view_is_freed(image: NDArray[np.uint8], classifier: Classifier) -> None:
    gc.collect()
    before = set(registry._instances)
    view = HeatmapView(classifier.heatmap(image))
    assert len(registry._instances) > len(before)
    seen = weakref.ref(view)
    view.close()
    assert set(registry._instances) == before
    del view
    gc.collect()
    assert seen() is None


def test_a_panel_can_be_closed_twice_and_while_pending(image: NDArray[np.uint8], classifier: Classifier) -> None:
    async def closed() -> None:
        panel = GradCAMPanel(image, classifier)
        panel.target = 3
        panel.target = 4
        panel.close()
        panel.close()
        await asyncio.sleep(0.15)

    asyncio.run(closed())


# -- the view alone


def test_a_view_shows_one_map_or_two_with_their_image(image: NDArray[np.uint8], classifier: Classifier) -> None:
    maps = classifier.trace(image).compare([1, 2, 3])
    for count in (0, 3):
        with pytest.raises(GradCAMError, match=rf"^heatmaps must hold one or two maps, got {count}\.$") as raised:
            HeatmapView(maps[:count])
        assert is_one_sentence(str(raised.value))
    bare = Heatmap(np.ones((2, 2), np.float32), 0, "x", 1.0, 0.5, "layer", "grad-cam")
    with pytest.raises(ImageError, match=r"^Cannot show a heatmap without an image"):
        HeatmapView(bare)
    view = HeatmapView(maps[:2])
    assert view.heatmaps == tuple(maps[:2])
    assert repr(view) == f"HeatmapView({maps[0].summary()}; {maps[1].summary()})"
    view.close()


def test_the_view_sends_raw_values_and_alt_text_of_each_sign(classifier: Classifier) -> None:
    rows, columns = np.indices((60, 80))
    image = np.dstack([4 * rows, 3 * columns, np.full((60, 80), 30)]).astype(np.uint8)
    heatmap = classifier.heatmap(image, "lamp")
    view = HeatmapView(heatmap)
    item = view.maps["items"][0]
    assert np.array_equal(np.frombuffer(item["values"], np.float32).reshape(item["grid"]), heatmap.values)
    assert item["title"] == "lamp (7)"
    assert "lamp (7)" in item["alt"]["for"]
    assert "against" in item["alt"]["against"]
    decoded = np.asarray(Image.open(io.BytesIO(view.image["jpeg"])))
    assert decoded.shape == (60, 80, 3)
    assert np.abs(decoded.astype(int) - image).mean() < 3
    view.close()


# -- to take away


def test_the_snapshot_shows_the_displayed_maps(panel: GradCAMPanel) -> None:
    one = panel.snapshot()
    assert isinstance(one, Image.Image)
    assert one.mode == "RGB"
    assert np.ptp(np.asarray(one)) > 200
    panel.compare = "class"
    two = panel.snapshot()
    assert two.width > 1.25 * one.width
    panel.colormap = "jet"
    assert not np.array_equal(np.asarray(panel.snapshot()), np.asarray(two))


def test_the_mime_bundle_has_a_jpeg_and_deterministic_text(panel: GradCAMPanel) -> None:
    for shown, model_id in ((panel, panel.model_id), (panel.view, panel.view.model_id)):
        data, about = shown._repr_mimebundle_()
        assert set(data) == {"application/vnd.jupyter.widget-view+json", "image/jpeg", "text/plain"}
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == model_id
        file = base64.b64decode(data["image/jpeg"], validate=True)
        decoded = Image.open(io.BytesIO(file))
        assert decoded.format == "JPEG"
        assert np.ptp(np.asarray(decoded)) > 150
        alternative = about["image/jpeg"]["alt"]
        assert alternative == panel.heatmap.description("for")
        assert panel.heatmap.title in alternative
        assert data["text/plain"] == repr(shown)
        assert panel.summary() in data["text/plain"]
        assert "0x" not in data["text/plain"]
        assert "\n" not in data["text/plain"]


def test_the_code_reproduces_the_maps(image: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / 'it\'s a "image".png'
    Image.fromarray(image).save(path)
    classifier = make_classifier()
    panel = GradCAMPanel(path, classifier, target="tug", layer="features")
    panel.edits, panel.compare, panel.other, panel.evidence = (COVER, CROP), "layer", "stem.0", "both"
    panel.colormap, panel.opacity = "jet", 0.5
    code = panel.code().replace("classifier = ...", "classifier = model")
    scope: dict[str, Any] = {"model": classifier}
    exec(compile(code, "panel.code()", "exec"), scope)  # noqa: S102 - it is what a person would run
    assert len(scope["heatmaps"]) == 2
    for made, shown in zip(scope["heatmaps"], panel.heatmaps, strict=True):
        assert made.summary() == shown.summary()
        assert np.array_equal(made.values, shown.values)
    assert "GradCAMPanel" not in code
    assert "comparison_figure(heatmaps, " in code
    assert "colormap='jet'" in code
    assert "opacity=0.5" in code
    panel.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_do_not_become_code(image: NDArray[np.uint8], tmp_path: Path, name: str) -> None:
    path = tmp_path / (name.replace("/", "")[:80] + ".png")
    Image.fromarray(image).save(path)
    classifier = make_classifier(class_names=[name, *NAMES[1:]], name=name)
    panel = GradCAMPanel(path, classifier, target=0)
    code = panel.code().replace("classifier = ...", "classifier = model")
    scope: dict[str, Any] = {"model": classifier}
    exec(compile(code, "panel.code()", "exec"), scope)  # noqa: S102 - ours
    assert scope["heatmaps"][0].summary() == panel.summary()
    panel.close()


def test_photographs_and_code_of_the_sample(photo_source: Path) -> None:
    assert photo_source.is_dir()
    panel = GradCAMPanel("submarine", source="photos")
    sample = samples.submarine(source="photos")
    trace = sample.classifier.trace(sample.image)
    assert panel.summary() == trace.heatmap().summary()
    ask(panel, target="submarine")
    panel.edits = [("gray", (0, 0, 60, 60))]
    panel.compare = "class"
    assert panel.target == 833
    code = panel.code()
    scope: dict[str, Any] = {}
    exec(compile(code, "panel.code()", "exec"), scope)  # noqa: S102 - ours
    for made, shown in zip(scope["heatmaps"], panel.heatmaps, strict=True):
        assert np.array_equal(made.values, shown.values)
    panel.image = "elephants"
    elephants = samples.elephants(source="photos")
    assert panel.summary().split("\n")[0] == panel._cache.classifier.heatmap(elephants.image).summary()
    panel.close()


# -- names that would be markup


@pytest.mark.filterwarnings("ignore:Glyph")  # of matplotlib, whose font has no sign for a control character
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_pass_through_panel_snapshot_and_page_as_text(
    image: NDArray[np.uint8], tmp_path: Path, name: str
) -> None:
    panel = GradCAMPanel(image, make_classifier(class_names=[name, *NAMES[1:]], name=name), target=0)
    assert panel.view.maps["items"][0]["title"] == f"{name} (0)"
    assert panel._menus.search.options[0] == f"{name} (0)"
    assert np.ptp(np.asarray(panel.snapshot())) > 100
    data, _ = panel._repr_mimebundle_()
    assert "text/html" not in data
    with pytest.raises(GradCAMError):
        panel.target = name + "?"
    assert panel.view.message == panel.error != ""
    page = panel.export_html(tmp_path / "page.html", targets=[0, 1]).read_text("utf-8")
    assert Elements.of(page) == Elements.of(plain_page(image, tmp_path))
    panel.close()


def plain_page(image: NDArray[np.uint8], folder: Path) -> str:
    panel = GradCAMPanel(image, make_classifier(), target=0)
    text = panel.export_html(folder / "plain.html", targets=[0, 1]).read_text("utf-8")
    panel.close()
    return text


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", (data,)))

    @classmethod
    def of(cls, text: str) -> list[tuple[str, tuple[str, ...]]]:
        parser = cls()
        parser.feed(text)
        parser.close()
        return parser.found


@pytest.mark.parametrize(
    "name", [textwrap.shorten(HOSTILE[0], 40), HOSTILE[1].replace("/", ""), HOSTILE[3], HOSTILE[6]]
)
def test_a_hostile_file_name_is_a_text(panel: GradCAMPanel, tmp_path: Path, name: str) -> None:
    path = tmp_path / (name.replace("/", "") + ".png")
    with pytest.raises(ImageError) as raised:
        panel.image = str(path)
    assert panel.error == panel.view.message == str(raised.value)
    Image.fromarray(random_image(8)).save(path)
    panel.image = str(path)
    assert panel.error == ""
    assert panel._menus.image.value == path.name
    assert path.name in repr(panel)


def test_a_guess_is_about_one_map(panel: GradCAMPanel) -> None:
    other = panel.predictions[1].class_index
    changes: list[tuple[str, Any]] = [("target", other), ("layer", "stem.0"), ("edits", [COVER])]
    for name, value in [*changes, ("image", random_image(9))]:
        panel.guessing, panel.guess, panel.revealed = True, [1, 2, 30, 40], True
        setattr(panel, name, value)
        assert panel.guess is None, name
        assert not panel.revealed, name
        assert panel.guessing, name


def test_a_map_that_waits_for_a_guess_is_not_revealed(panel: GradCAMPanel, tmp_path: Path) -> None:
    assert "peak (" in repr(panel)
    panel.guessing = True
    data, metadata = panel._repr_mimebundle_()
    assert "peak" not in data["text/plain"]
    assert "strongest" not in metadata["image/jpeg"]["alt"]
    page = panel.export_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert json.loads(page.split('id="data">')[1].split("</script>")[0])["guessing"] is True


def test_changed_weights_clear_the_cache(image: NDArray[np.uint8]) -> None:
    classifier = make_classifier()
    panel = GradCAMPanel(image, classifier)
    before = panel.summary()
    with torch.no_grad():
        for parameter in classifier.model.parameters():
            parameter.mul_(-1.5)
    panel.target = 2
    expected = classifier.trace(image)
    assert panel.error == ""
    assert panel.summary() == expected.heatmap(2, expected.layers[0].name).summary() != before
    assert panel.predictions[:3] == expected.predictions(3)
    panel.close()


def test_the_panel_is_displayed_despite_an_error(panel: GradCAMPanel) -> None:
    panel.layer = "stem.0"
    panel.summary()
    panel.method = "cam"  # waits, for it follows close upon
    data, _ = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "CAM requires" in panel.error


def test_two_classifiers_of_one_name_are_numbered(image: NDArray[np.uint8]) -> None:
    one, other = make_classifier(), make_classifier(filled(Pooled(len(NAMES)), seed=1))
    assert one.name == other.name
    panel = GradCAMPanel(image, [one, other])
    first = panel.summary()
    panel.classifier = f"{one.name} (2)"
    assert panel.summary() != first
    assert panel.heatmap.values.tolist() == other.heatmap(image).values.tolist()
    panel.close()


def test_a_selected_classifier_stays_with_the_next_image() -> None:
    panel = GradCAMPanel(source="scenes")
    assert panel.classifier == "scene residual"
    panel.image = "elephants"
    assert panel.classifier == "scene vgg_like"
    panel.classifier = "scene dense"
    panel.image = "submarine"
    assert panel.classifier == "scene dense"
    panel.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"class_names": ["a"]}, "model=…"),
        ({"classifier": torch.nn.Linear(1, 1)}, "model=…"),
        ({"vmax": 0.0}, "positive, finite number"),
        ({"vmax": float("nan")}, "positive, finite number"),
        ({"edits": 5}, "edits must be a list"),
    ],
)
def test_invalid_arguments_are_rejected(image: NDArray[np.uint8], arguments: dict[str, Any], said: str) -> None:
    given = {"classifier": make_classifier()} | arguments
    with pytest.raises(GradCAMError, match=re.escape(said)):
        GradCAMPanel(image, **given)


def test_an_unknown_keyword_is_rejected(image: NDArray[np.uint8]) -> None:
    with pytest.raises(TypeError, match="clas_index"):
        GradCAMPanel(image, make_classifier(), clas_index=3)  # type: ignore[call-arg]


def test_the_code_of_any_source_is_python(image: NDArray[np.uint8]) -> None:
    for panel in (GradCAMPanel(image, make_classifier()), GradCAMPanel("iguana", source="scenes")):
        ast.parse(panel.code())
        panel.close()


def test_an_unknown_classifier_is_rejected() -> None:
    panel = GradCAMPanel(source="scenes")
    with pytest.raises(ModelError):
        panel.classifier = "no such model"
    panel.image = "elephants"
    assert panel.classifier == "scene vgg_like"
    panel.close()


def test_a_classifier_is_loaded_once(monkeypatch: pytest.MonkeyPatch, image: NDArray[np.uint8]) -> None:
    loaded = []

    def load(name: str) -> Classifier:
        loaded.append(name)
        return make_classifier(name=name)

    monkeypatch.setattr(inputs, "load_classifier", load)
    panel = GradCAMPanel(image, ["one", "two"])
    assert loaded == ["one"]
    for seed in range(3):
        panel.image = random_image(seed)
    panel.classifier = "two"
    panel.classifier = "one"
    assert loaded == ["one", "two"]
    panel.close()
