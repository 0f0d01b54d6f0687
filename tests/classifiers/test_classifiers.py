from __future__ import annotations

import hashlib
import os
import pickle
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.transforms import v2

from gradcam_widgets import (
    Classifier,
    DownloadError,
    ModelError,
    Preprocessing,
    classifier_names,
    is_available_offline,
    load_classifier,
)
from gradcam_widgets.classifiers import torchvision_models
from gradcam_widgets.classifiers.loading import list_layers_without_weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from PIL import Image

IMAGE = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADCAM_WIDGETS_CHECKPOINTS", str(tmp_path))
    return tmp_path


def scores(model: nn.Module, classifier: Classifier) -> torch.Tensor:
    assert isinstance(classifier.preprocess, Preprocessing)
    with torch.no_grad():
        reference: torch.Tensor = model.eval()(classifier.preprocess(IMAGE))
    assert reference.std() > 0
    return reference


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "shufflenet_v2_x0_5", "vit_b_32"])
def test_a_checkpoint_gives_the_scores_of_the_model_it_came_from(checkpoints: Path, name: str) -> None:
    model = torchvision.models.get_model(name, weights=None)
    if name.startswith("vit"):
        nn.init.normal_(model.heads.head.weight)
    torch.save(model.state_dict(), checkpoints / f"{name}.pth")
    classifier = load_classifier(name)
    # torch runs attention by another kernel where no hook and no gradient is wanted.
    close = 1e-4 if name.startswith("vit") else 1e-5
    torch.testing.assert_close(classifier.trace(IMAGE).logits, scores(model, classifier), rtol=close, atol=close)
    assert classifier.class_index("submarine") == 833


def test_a_checkpoint_may_bring_its_own_classes(checkpoints: Path) -> None:
    model = torchvision.models.resnet18(num_classes=2)
    state = {f"module.{key}": value for key, value in model.state_dict().items()}
    torch.save({"state_dict": state, "class_names": ["healthy", "ill"]}, checkpoints / "resnet18.pth")
    classifier = load_classifier("resnet18")
    assert classifier.class_names == ("healthy", "ill")
    torch.testing.assert_close(classifier.trace(IMAGE).logits, scores(model, classifier))
    assert classifier.heatmap(IMAGE, "ill").title == "ill (1)"


def test_densenets_published_names_are_understood(checkpoints: Path) -> None:
    model = torchvision.models.densenet121()
    published = {}
    for key, value in model.state_dict().items():
        parts = key.split(".")
        if len(parts) > 3 and parts[2].startswith("denselayer"):
            parts[3] = f"{parts[3][:-1]}.{parts[3][-1]}"
        published[".".join(parts)] = value
    assert "features.denseblock1.denselayer1.norm.1.weight" in published
    torch.save(published, checkpoints / "densenet121.pth")
    classifier = load_classifier("densenet121")
    torch.testing.assert_close(classifier.trace(IMAGE).logits, scores(model, classifier))


def test_heads_that_are_only_for_training_are_left_out(checkpoints: Path) -> None:
    model = torchvision.models.googlenet(aux_logits=True, transform_input=True, init_weights=False)
    torch.save(model.state_dict(), checkpoints / "googlenet.pth")
    classifier = load_classifier("googlenet")
    torch.testing.assert_close(classifier.trace(IMAGE).logits, scores(model, classifier))


def test_loading_leaves_the_callers_random_numbers_alone(checkpoints: Path) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), checkpoints / "resnet18.pth")
    before = torch.random.get_rng_state()
    load_classifier("resnet18")
    assert torch.equal(torch.random.get_rng_state(), before)


class Rogue:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.getenv, ("HOME",)


def no_weights(path: Path) -> None:
    torch.save({"a": Rogue()}, path)


def damaged(path: Path) -> None:
    torch.save(torchvision.models.resnet18().state_dict(), path)
    path.write_bytes(path.read_bytes()[:5000])


def text(path: Path) -> None:
    path.write_text("not weights", encoding="utf-8")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_state(path: Path) -> None:
    torch.save([1, 2, 3], path)


def other_shapes(path: Path) -> None:
    torch.save(torchvision.models.resnet18(num_classes=7).state_dict(), path)


def other_model(path: Path) -> None:
    torch.save(torchvision.models.squeezenet1_1().state_dict(), path)


def bad_class_names(path: Path) -> None:
    torch.save({"state_dict": torchvision.models.resnet18().state_dict(), "class_names": [1, 2]}, path)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (no_weights, "contains more than weights"),
        (damaged, "as a torch.save file: download or save it again."),
        (text, "contains more than weights, or is damaged"),
        (empty, "as a torch.save file: download or save it again."),
        (no_state, "does not contain a state dict"),
        (other_shapes, "fc.weight is (7, 512) instead of (1000, 512)"),
        (other_model, "conv1.weight is missing"),
        (bad_class_names, "must be a list of strings"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_named_in_one_sentence(checkpoints: Path, write: Any, said: str) -> None:
    write(checkpoints / "resnet18.pth")
    with pytest.raises(ModelError) as error:
        load_classifier("resnet18")
    assert said in str(error.value)
    assert "resnet18.pth'" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_checkpoint_folder_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADCAM_WIDGETS_CHECKPOINTS", str(tmp_path / "nowhere"))
    with pytest.raises(ModelError, match=r"^GRADCAM_WIDGETS_CHECKPOINTS must be an existing folder, got '.*nowhere'"):
        load_classifier("resnet18")


@pytest.mark.parametrize(
    ("name", "weights", "said"),
    [
        ("resnet81", "DEFAULT", "did you mean 'resnet18', "),
        ("zzz", "DEFAULT", "classifier_names"),
        ("resnet50", "V3", "choose one of DEFAULT, IMAGENET1K_V1, IMAGENET1K_V2"),
        ("resnet50", "IMAGENET1K_V3", "did you mean 'IMAGENET1K_V2' or 'IMAGENET1K_V1'"),
    ],
)
def test_unknown_names_are_told_with_what_there_is(name: str, weights: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        load_classifier(name, weights=weights)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Serve SqueezeNet 1.1 as if published: torchvision's own entry, with the address of a local server."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.delenv("GRADCAM_WIDGETS_CHECKPOINTS", raising=False)
    model = torchvision.models.squeezenet1_1()
    file = tmp_path / "weights.pth"
    torch.save(model.state_dict(), file)
    answers: dict[str, Any] = {"model": model, "right": file.read_bytes(), "damaged": 0, "asked": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers["asked"] += 1
            body = answers["right"]
            if answers["asked"] <= answers["damaged"]:
                body = body[:1000]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        digits = hashlib.sha256(answers["right"]).hexdigest()[:8]
        found = torchvision.models.get_model_weights("squeezenet1_1").DEFAULT
        address = f"http://127.0.0.1:{server.server_port}/squeezenet1_1-{digits}.pth"

        class Entry:
            url, meta, transforms = address, found.meta, found.transforms

        monkeypatch.setattr(torchvision_models, "published_weights", lambda _name, _weights: Entry)
        yield answers
        server.shutdown()


def test_published_weights_are_downloaded_once_into_torchs_cache(published: dict[str, Any], tmp_path: Path) -> None:
    for _ in range(2):
        classifier = load_classifier("squeezenet1_1")
        torch.testing.assert_close(classifier.trace(IMAGE).logits, scores(published["model"], classifier))
    assert published["asked"] == 1
    assert [file.name.split("-")[0] for file in (tmp_path / "hub" / "checkpoints").iterdir()] == ["squeezenet1_1"]


def test_a_damaged_download_of_weights_is_tried_again_once(published: dict[str, Any]) -> None:
    published["damaged"] = 1
    with pytest.warns(UserWarning, match="^The download of .* is damaged: downloading it again"):
        load_classifier("squeezenet1_1")
    assert published["asked"] == 2


def test_weights_damaged_twice_leave_nothing_behind(published: dict[str, Any], tmp_path: Path) -> None:
    published["damaged"] = 2
    with (
        pytest.warns(UserWarning, match="is damaged: downloading"),
        pytest.raises(DownloadError, match=r"^Two downloads of .* were damaged"),
    ):
        load_classifier("squeezenet1_1")
    assert list((tmp_path / "hub" / "checkpoints").iterdir()) == []


def test_every_published_file_has_digits_of_its_hash_in_its_name() -> None:
    names = classifier_names()[1:]
    assert len(names) == 80
    for name in names:
        for weights in torchvision.models.get_model_weights(name):
            assert len(weights.url.rsplit("-", 1)[1].split(".")[0]) >= 8


@pytest.mark.parametrize(
    ("name", "default"),
    [("squeezenet_675kb", "features.12"), ("vgg19", "features.35"), ("regnet_y_128gf", "trunk_output.block4.block4-0")],
)
def test_layers_are_listed_without_weights(name: str, default: str) -> None:
    layers, size = list_layers_without_weights(name)
    assert [layer.name for layer in layers if layer.default] == [default]
    assert size == ((384, 384) if name.startswith("regnet") else (224, 224))


def test_ones_own_model_and_preprocessing_make_a_classifier() -> None:
    shown: list[Image.Image] = []

    def preprocess(image: Image.Image) -> torch.Tensor:
        shown.append(image)
        tensor: torch.Tensor = v2.functional.to_dtype(v2.functional.pil_to_tensor(image), torch.float32, scale=True)
        return tensor

    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    classifier = Classifier(model, preprocess, ["left", "right"], name="mine")
    heatmap = classifier.heatmap(IMAGE, "right")
    assert shown[0].size == (90, 60)
    assert (heatmap.grid, heatmap.class_name, heatmap.model) == ((60, 90), "right", "mine")
    assert heatmap.image is not None
    assert np.array_equal(heatmap.image, IMAGE)
    assert repr(classifier) == "Classifier(mine, 2 classes)"


def test_the_map_of_a_cropped_image_lies_over_what_the_model_saw(checkpoints: Path) -> None:
    torch.save(torchvision.models.squeezenet1_1().state_dict(), checkpoints / "squeezenet1_1.pth")
    image = np.zeros((300, 600, 3), np.uint8)
    image[:, 160:440, 1] = 200
    classifier = load_classifier("squeezenet1_1", resize_mode="crop")
    seen = classifier.heatmap(image).image
    assert seen is not None
    # 224 of 256 rows of an image 300 high: 262.5 px of it, in the middle, and as many columns.
    assert seen.shape == (262, 262, 3)
    assert (seen[:, :, 1] == 200).all()


def test_a_pickle_is_never_executed(checkpoints: Path) -> None:
    marker = checkpoints / "executed"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(marker),)

    (checkpoints / "resnet18.pth").write_bytes(pickle.dumps(Bomb(), protocol=2))
    with pytest.raises(ModelError):
        load_classifier("resnet18")
    assert not marker.exists()


def test_torchvisions_preset_shows_the_middle_and_so_does_the_map() -> None:
    preset = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 32), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    classifier = Classifier(model, preset)
    heatmap = classifier.heatmap(np.zeros((300, 600, 3), np.uint8))
    assert heatmap.image is not None
    assert heatmap.image.shape == (262, 262, 3)
    assert classifier.class_index(1) == 1


def test_weights_are_available_offline_if_a_file_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo_source: Path
) -> None:
    assert photo_source.is_dir()
    monkeypatch.delenv("GRADCAM_WIDGETS_CHECKPOINTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert is_available_offline("squeezenet_675kb")
    assert not is_available_offline("resnet18")
    monkeypatch.setenv("GRADCAM_WIDGETS_CHECKPOINTS", str(tmp_path))
    (tmp_path / "resnet18.pth").write_bytes(b"")
    assert is_available_offline("resnet18")
    monkeypatch.setenv("GRADCAM_WIDGETS_HOME", str(tmp_path / "empty"))
    assert not is_available_offline("squeezenet_675kb")
    with pytest.raises(ModelError, match="did you mean"):
        is_available_offline("resnet81")
