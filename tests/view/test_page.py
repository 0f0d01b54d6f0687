"""The exported page: what is in it, how exact and how large it is, and that its own script alone can run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from gradcam_widgets import Classifier, GradCAMError, Heatmap
from gradcam_widgets.classifiers.preprocessing import Preprocessing
from gradcam_widgets.errors import ExportError, ImageError, LayerError
from gradcam_widgets.heatmaps.display import DisplayOptions
from gradcam_widgets.panel import GradCAMPanel
from gradcam_widgets.view.modules import page_script
from gradcam_widgets.view.page import export_page
from gradcam_widgets.view.traits import COLORMAPS
from tests.support.models import Pooled, random_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 300_000
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</title><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"'&amp;`${x}",
    "]]>\u2028\u0000\ud83d",
    "\u202eevil",
]


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()
        [self.script] = [text for key, text in self.all("script") if key == "module"]
        [facts] = [text for key, text in self.all("script") if key == "application/json"]
        self.raw_facts = facts
        self.facts: Any = json.loads(facts)
        [self.style] = self.texts["style"]

    def all(self, tag: str) -> list[tuple[str | None, str]]:
        types = [attributes.get("type") for name, attributes in self.elements if name == tag]
        return list(zip(types, self.texts[tag], strict=True))

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def policy(self) -> dict[str, str]:
        [text] = [each["content"] for each in self.attributes("meta") if each.get("http-equiv")]
        assert text is not None
        return dict(part.strip().split(" ", 1) for part in text.split(";"))


def heatmap(class_index: int = 3, layer: str = "features", class_name: str | None = "crab", **changed: Any) -> Heatmap:
    random = np.random.default_rng(100 * class_index + len(layer))
    values = random.normal(size=(7, 9)).astype(np.float32) * 10.0 ** random.integers(-4, 4)
    values[1, 2] = values[6, 8] = 0
    facts: dict[str, Any] = {
        "values": values,
        "class_index": class_index,
        "class_name": class_name,
        "logit": 4.5,
        "probability": 0.5 / (1 + class_index),
        "layer": layer,
        "method": "grad-cam",
        "model": "a model",
        "image": np.random.default_rng(9).integers(0, 256, (40, 60, 3), dtype=np.uint8),
    }
    return Heatmap(**(facts | changed))


def written(folder: Path, heatmaps: list[Heatmap], look: dict[str, Any] | None = None, **options: Any) -> Page:
    path = export_page(folder / "page.html", heatmaps, DisplayOptions(**(look or {})), **options)
    return Page(path.read_text("utf-8"))


def decoded(item: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    steps = np.frombuffer(base64.b64decode(item["values"]), "<i2").reshape(item["grid"])
    return np.asarray(steps.astype(np.float64) * item["step"])


@pytest.mark.parametrize("class_index", range(6))
def test_values_survive_packing_within_half_a_step(tmp_path: Path, class_index: int) -> None:
    shown = heatmap(class_index)
    [item] = written(tmp_path, [shown]).facts["maps"]
    most = float(np.abs(shown.values).max())
    assert most > 0
    assert item["step"] == pytest.approx(most / 32767, rel=1e-6)
    error = np.abs(decoded(item) - shown.values)
    assert error.max() <= 0.5 * item["step"] * (1 + 1e-6)
    assert (decoded(item)[shown.values == 0] == 0).all()
    assert np.abs(decoded(item)).max() == pytest.approx(most, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 1e-30, -3e38])
def test_flat_tiny_and_huge_maps_survive_packing(tmp_path: Path, value: float) -> None:
    values = np.full((3, 4), value, np.float32)
    [item] = written(tmp_path, [heatmap(values=values)]).facts["maps"]
    np.testing.assert_allclose(decoded(item), values, rtol=1e-4)


def test_a_page_has_every_class_and_layer_and_its_first_layer(tmp_path: Path) -> None:
    maps = [heatmap(index, layer) for index in (5, 3, 8) for layer in ("stem", "middle", "features")]
    page = written(tmp_path, maps, layer="middle")
    offered = [(item["class_index"], item["layer"]) for item in page.facts["maps"]]
    assert offered == [(each.class_index, each.layer) for each in maps]
    assert [each["class_index"] for each in page.facts["classes"]] == [5, 3, 8]
    assert (page.facts["layer"], page.facts["target"]) == ("middle", 5)
    assert written(tmp_path, maps).facts["layer"] == "stem"


def test_classes_have_their_name_probability_and_logit(tmp_path: Path) -> None:
    rows = written(tmp_path, [heatmap(3), heatmap(3, "stem"), heatmap(9, class_name=None)]).facts["classes"]
    assert [row["class_index"] for row in rows] == [3, 9]
    assert [row["probability"] for row in rows] == [0.125, 0.05]
    assert {row["logit"] for row in rows} == {4.5}
    assert rows[0]["name"].startswith("crab")
    assert rows[1]["name"] == "class 9"


def test_the_page_opens_with_the_given_display_options(tmp_path: Path) -> None:
    look = {"opacity": 0.3, "colormap": "magma", "threshold": 0.2, "evidence": "both", "vmax": 7.5, "fade": False}
    page = written(tmp_path, [heatmap()], look)
    assert page.facts["display"] == {**asdict(DisplayOptions()), **look}
    tables = page.facts["tables"]
    assert set(tables) == {*COLORMAPS, "magma"}
    assert {len(base64.b64decode(table)) for table in tables.values()} == {768}


def test_the_image_is_the_one_the_model_saw(tmp_path: Path) -> None:
    rows, columns = np.indices((60, 80))
    image = np.dstack([4 * rows, 3 * columns, np.full((60, 80), 30)]).astype(np.uint8)
    facts = written(tmp_path, [heatmap(image=image)]).facts["image"]
    decoded_image = cv2.imdecode(np.frombuffer(base64.b64decode(facts["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert decoded_image is not None
    assert np.abs(decoded_image[..., ::-1].astype(int) - image).mean() < 3
    assert (facts["size"], facts["window"]) == ([60, 80], [0, 0, 80, 60])


def test_a_large_photograph_is_reduced_to_what_the_canvas_shows(tmp_path: Path) -> None:
    facts = written(tmp_path, [heatmap(image=np.full((900, 1800, 3), 99, np.uint8))]).facts["image"]
    image = cv2.imdecode(np.frombuffer(base64.b64decode(facts["jpeg"]), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert image.shape == (384, 768, 3)
    assert facts["size"] == [900, 1800]


def test_the_policy_allows_only_its_own_script_and_style(tmp_path: Path) -> None:
    page = written(tmp_path, [heatmap()])
    policy = page.policy()
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    for directive, text in [("script-src", page.script), ("style-src", page.style)]:
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
        assert policy[directive] == f"'sha256-{digest}'"
    assert set(policy) == {"default-src", "base-uri", "form-action", "script-src", "style-src"}
    lines = [line.strip() for line in page_script().splitlines()]
    code = [line for line in lines if line and not re.match(r"//|/\*|\*", line)]  # comments are left out
    assert len(code) > 400
    assert page.script.splitlines() == code
    first_code = [tag for tag, _ in page.elements].index("style")
    metas = [i for i, (_, attributes) in enumerate(page.elements) if "http-equiv" in attributes]
    assert metas[0] < first_code


def test_the_page_makes_no_requests(tmp_path: Path) -> None:
    page = written(tmp_path, [heatmap()])
    for tag, attributes in page.elements:
        assert not {"src", "href", "srcset", "data", "action", "style"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")], tag
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page.script + page.style)


def test_the_page_has_language_title_and_a_noscript_hint(tmp_path: Path) -> None:
    page = written(tmp_path, [heatmap()], title="Crabs & tugs")
    assert page.attributes("html") == [{"lang": "en"}]
    assert page.texts["title"] == page.texts["h1"] == ["Crabs & tugs"]
    assert "JavaScript" in page.texts["noscript"][0]
    assert {"charset": "utf-8"} in page.attributes("meta")


@pytest.mark.parametrize("name", HOSTILE[:5] + HOSTILE[6:])
def test_hostile_names_stay_in_data_without_angle_brackets(tmp_path: Path, name: str) -> None:
    maps = [heatmap(3, name, name, model=name, notes=(name,)), heatmap(4, name, name, method=name)]
    page = written(tmp_path, maps, title=name, layer=name)
    plain = written(tmp_path, [heatmap(3), heatmap(4)])
    assert [(tag, set(attributes)) for tag, attributes in page.elements] == [
        (tag, set(attributes)) for tag, attributes in plain.elements
    ]
    assert page.script == plain.script
    assert page.policy() == plain.policy()
    assert not page.comments
    assert "<" not in page.raw_facts
    assert page.raw_facts.isascii()
    assert page.facts["maps"][0]["title"] == f"{name} (3)"
    assert page.facts["maps"][0]["layer"] == page.facts["layer"] == name
    assert page.facts["classes"][0]["name"].startswith(name)
    assert page.texts["title"] == page.texts["h1"] == [name]


def test_names_that_no_file_can_hold_are_escaped_in_the_data(tmp_path: Path) -> None:
    name = HOSTILE[5]
    page = written(tmp_path, [heatmap(class_name=name)])
    assert page.facts["maps"][0]["title"] == f"{name} (3)"


def test_a_missing_image_and_an_unwritable_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(
        ImageError, match=r"^Cannot show a heatmap without an image: add one with heatmap\.with_image\(image\)\.$"
    ):
        written(tmp_path, [heatmap(image=None)])
    for name in ("page.png", "page"):
        with pytest.raises(
            ExportError, match=rf"^Cannot export the page as '.*{name}': unsupported extension; use \.html\.$"
        ):
            export_page(tmp_path / name, [heatmap()])
    with pytest.raises(
        ExportError,
        match=r"^Cannot write '.*nowhere.*' \(.*\): choose an existing folder with write permission\.$",
    ):
        export_page(tmp_path / "nowhere" / "page.html", [heatmap()])
    assert not list(tmp_path.iterdir())


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    assert export_page(str(tmp_path / "page.html"), [heatmap()]) == tmp_path / "page.html"


# -- from the panel


@pytest.fixture
def panel() -> Iterator[GradCAMPanel]:
    names = [f"thing {chr(97 + i)}" for i in range(12)]
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    panel = GradCAMPanel(image, Classifier(Pooled(12), Preprocessing(size=(48, 64)), names, name="pooled"))
    yield panel
    panel.close()


def test_the_panel_exports_the_class_and_layer_it_shows_first(panel: GradCAMPanel, tmp_path: Path) -> None:
    panel.target, panel.layer, panel.evidence = "thing e", "features", "both"
    path = panel.export_html(tmp_path / "page.html", layers=["stem.0", "features", "stem.0"], targets=[2, "thing e", 2])
    page = Page(path.read_text("utf-8"))
    offered = {(item["class_index"], item["layer"]): item for item in page.facts["maps"]}
    assert set(offered) == {(index, layer) for index in (2, 4) for layer in ("stem.0", "features")}
    assert len(offered) == len(page.facts["maps"])
    assert (page.facts["target"], page.facts["layer"]) == (4, "features")
    assert page.facts["display"]["evidence"] == "both"
    shown = offered[4, "features"]
    assert np.abs(decoded(shown) - panel.heatmap.values).max() <= 0.51 * shown["step"]


def test_by_default_the_predictions_shown_are_exported(panel: GradCAMPanel, tmp_path: Path) -> None:
    last = panel.predictions[-1].class_index
    panel.target = last
    page = Page(panel.export_html(tmp_path / "page.html").read_text("utf-8"))
    shown = [row["class_index"] for row in panel.view.predictions]
    assert last in shown
    assert {each["class_index"] for each in page.facts["classes"]} == set(shown)
    assert page.facts["target"] == last
    assert {item["layer"] for item in page.facts["maps"]} == {panel.layer}


def test_the_page_shows_the_image_as_it_was_cropped(panel: GradCAMPanel, tmp_path: Path) -> None:
    panel.edits = [("crop", (10, 5, 60, 45))]
    facts = Page(panel.export_html(tmp_path / "page.html").read_text("utf-8")).facts
    assert facts["image"]["size"] == [40, 50]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({"layers": ["layer9"]}, LayerError), ({"targets": ["zebra"]}, GradCAMError), ({"targets": [99]}, GradCAMError)],
)
def test_a_failed_export_raises_and_writes_nothing(
    panel: GradCAMPanel, tmp_path: Path, arguments: dict[str, Any], error: type[GradCAMError]
) -> None:
    with pytest.raises(error, match=r"^[^\n]{20,}[.?]$"):
        panel.export_html(tmp_path / "page.html", **arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [{"layers": []}, {"targets": []}])
def test_an_export_without_maps_is_an_error(panel: GradCAMPanel, tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(GradCAMError, match=r"^[^\n]{20,}[.?]$"):
        panel.export_html(tmp_path / "page.html", **arguments)


def test_five_layers_of_ten_classes_of_resnet18_are_a_small_page(tmp_path: Path) -> None:
    names = [f"a class with a rather long name, number {i}" for i in range(1000)]
    smooth = cv2.resize(np.random.default_rng(1).integers(0, 256, (14, 14, 3), dtype=np.uint8), (224, 224))
    grain = np.random.default_rng(2).normal(scale=12, size=(224, 224, 3))
    image = Image.fromarray((smooth + grain).clip(0, 255).astype(np.uint8))
    panel = GradCAMPanel(image, Classifier(random_model("resnet18"), None, names, name="resnet18"))
    layers = ["layer1", "layer2", "layer3", "layer4.0", "layer4.1"]
    path = panel.export_html(tmp_path / "page.html", layers=layers, targets=list(range(10)))
    page = Page(path.read_text("utf-8"))
    assert {tuple(item["grid"]) for item in page.facts["maps"]} == {(56, 56), (28, 28), (14, 14), (7, 7)}
    assert len(page.facts["maps"]) == 50
    print(f"5 layers × 10 classes at 224 px: {path.stat().st_size / 1000:.0f} kB")  # noqa: T201 - for who measures
    assert path.stat().st_size <= MAX_BYTES
    panel.close()
