"""A network with its preprocessing and its categories, and where to get one by name."""

from __future__ import annotations

import difflib
import os
import pickle
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torchvision
from PIL import Image
from torch import nn
from torch.overrides import TorchFunctionMode
from torchvision.transforms._presets import ImageClassification

from gradcam_widgets.attribution.class_names import find_category
from gradcam_widgets.attribution.gradcam import GradCAM
from gradcam_widgets.images.reading import read_picture

from . import compressed
from ._paths import expanded, is_file, is_folder
from .downloads import Download, fetch, is_cached
from .errors import ModelError
from .preprocessing import Geometry, Preprocessing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from gradcam_widgets.attribution.layers import Grid, Layer, LayerName
    from gradcam_widgets.attribution.trace import Prediction, Trace
    from gradcam_widgets.heatmaps.heatmap import Heatmap
    from gradcam_widgets.images.box import FloatBox
    from gradcam_widgets.images.reading import Picture

CHECKPOINTS_VARIABLE = "GRADCAM_WIDGETS_CHECKPOINTS"
SQUEEZENET_675KB = "squeezenet_675kb"
SQUEEZENET_FILE = "models/compressed_SqueezeNet.net"


class Classifier:
    """A network, the way pictures are shown to it, and the names of its categories.

    Args:
        model: The network.
        preprocess: A `Preprocessing`, torchvision's preset (`weights.transforms()`), or any callable that takes a PIL
            picture and returns the network's input, axes (channel, row, column) or (1, channel, row, column): it is
            then assumed to show the whole picture, so that one that crops shifts the overlay.
        categories: Names of the classes, one for each score.
        name: What the network is called in captions.
        output: As for `GradCAM`.
        token_grid: As for `GradCAM`.
    """

    def __init__(
        self,
        model: nn.Module,
        preprocess: Preprocessing | Callable[[Image.Image], Tensor] | None = None,
        categories: Sequence[str] | None = None,
        *,
        name: str | None = None,
        output: Callable[[Any], Tensor] | None = None,
        token_grid: Grid | None = None,
    ) -> None:
        """Put them together; nothing is done to the network."""
        self.engine = GradCAM(
            model,
            categories=categories,
            output=output,
            token_grid=token_grid,
            name=name or type(model).__name__,
        )
        self.preprocess = Preprocessing() if preprocess is None else _as_preprocessing(preprocess)

    def __repr__(self) -> str:
        """Return one line that is the same on every machine."""
        count = f", {len(self.categories)} categories" if self.categories else ""
        return f"Classifier({self.name}{count})"

    @property
    def model(self) -> nn.Module:
        """The network."""
        return self.engine.model

    @property
    def categories(self) -> tuple[str, ...] | None:
        """Names of the classes, or None."""
        return self.engine.categories

    @property
    def name(self) -> str:
        """What the network is called in captions."""
        return self.engine.name or type(self.model).__name__

    def class_index(self, wanted: int | str) -> int:
        """Resolve a category's index, exact name or a part of it that only one has.

        Raises:
            CategoryError: If there is no such category (with suggestions), or several.
        """
        count = None if self.categories is None else len(self.categories)
        return find_category(wanted, count, self.categories)

    def predict(self, picture: Picture, k: int = 5) -> list[Prediction]:
        """Return the k most probable classes of a picture, best first."""
        return self.trace(picture).predictions(k)

    def trace(self, picture: Picture, layers: Sequence[LayerName] | LayerName | None = None) -> Trace:
        """Show the network a picture once; the maps asked of the trace lie over exactly what it saw.

        Args:
            picture: Path, bytes, PIL picture, array or tensor.
            layers: As for `GradCAM.trace`.

        Raises:
            PictureError: If the picture cannot be read.
            ModelError: If the network cannot be traced.
            LayerError: If a layer cannot be used.
        """
        whole = read_picture(picture)
        seen = self._seen(whole)
        seen.setflags(write=False)  # so that the maps can share it
        return self.engine.trace(self._batch(whole), layers, pictures=[seen])

    def heatmap(
        self,
        picture: Picture,
        class_index: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Say in one call where in a picture a class's evidence lies; see `Trace.heatmap`."""
        return self.trace(picture, layer).heatmap(class_index, method=method)

    def layers(self, picture: Picture) -> list[Layer]:
        """List the layers that can carry a map; see `candidate_layers`."""
        return self.engine.layers(self._batch(read_picture(picture)))

    def window(self, picture: NDArray[np.uint8]) -> FloatBox:
        """Return left, top, right and bottom of the part of a picture that the network sees, in its pixels."""
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess.window(picture)
        return 0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])

    def _batch(self, picture: NDArray[np.uint8]) -> Tensor:
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess(picture)
        shown = self.preprocess(Image.fromarray(picture))
        return shown[None] if isinstance(shown, torch.Tensor) and shown.ndim == 3 else shown

    def _seen(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self.preprocess.seen(picture) if isinstance(self.preprocess, Preprocessing) else picture


class _Weights(Protocol):
    """What is used of torchvision's weights."""

    url: str
    meta: dict[str, Any]

    def transforms(self) -> Any: ...


def classifier_names() -> list[str]:
    """List the names that `load_classifier` knows: the 675 KB SqueezeNet and torchvision's classification networks."""
    return [SQUEEZENET_675KB, *torchvision.models.list_models(module=torchvision.models)]


def load_classifier(
    name: str = SQUEEZENET_675KB, *, geometry: Geometry = "squash", weights: str = "DEFAULT"
) -> Classifier:
    """Load a network by its name, with its preprocessing and categories.

    Weights come, in this order, from the file `NAME.pth` in the folder that the environment variable
    `GRADCAM_WIDGETS_CHECKPOINTS` names, from the cache, or from the network (once, with a progress bar). A file of
    one's own holds a state dict, or a dict of it as "state_dict" and the names of its classes as "categories".

    Args:
        name: "squeezenet_675kb" or any of torchvision's classification networks.
        geometry: "squash" shows the network the whole picture, "crop" the middle as torchvision does.
        weights: Which of torchvision's published weights, such as "IMAGENET1K_V1".

    Raises:
        ModelError: If the name or the weights are unknown, or a file does not fit the network.
        DownloadError: If the weights cannot be downloaded.
    """
    if name == SQUEEZENET_675KB:
        return _squeezenet_675kb(geometry)
    published = _published(_known(name), weights)
    checkpoint = _own_checkpoint(name)
    state, categories = _read_checkpoint(checkpoint or _fetch_published(published))
    names = categories or list(published.meta["categories"])
    return Classifier(
        _build(name, state, len(names), published, checkpoint),
        _preprocessing(published, geometry),
        names,
        name=name,
    )


def skeleton(name: str) -> tuple[list[Layer], Grid]:
    """List the layers of a network by its name, without weights, memory or arithmetic (on torch's meta device).

    Args:
        name: As for `load_classifier`.

    Returns:
        The layers that can carry a map, and rows and columns of the network's input.
    """
    architecture = "squeezenet1_0" if name == SQUEEZENET_675KB else _known(name)
    published = _published(architecture, "DEFAULT")
    size = _preprocessing(published, "squash").size
    model = _build_empty(architecture, **_options(architecture, published)).to("meta")
    return GradCAM(model).layers(torch.empty(1, 3, *size)), size


def _squeezenet_675kb(geometry: Geometry) -> Classifier:
    preprocess = Preprocessing(geometry=geometry)
    model = _build_empty("squeezenet1_0")
    data = fetch(SQUEEZENET_FILE).read_bytes()
    model.load_state_dict(compressed.decode(data, model.state_dict(), preprocess.mean, preprocess.std), assign=True)
    categories = _published("squeezenet1_0", "DEFAULT").meta["categories"]
    return Classifier(model.eval(), preprocess, categories, name=SQUEEZENET_675KB)


def _known(name: str) -> str:
    if name in classifier_names():
        return name
    close = difflib.get_close_matches(name.lower(), classifier_names(), n=3)
    hint = f"did you mean {' or '.join(close)}?" if close else "gradcam_widgets.classifier_names() lists them."
    raise ModelError(f"There is no network {name!r}: {hint}")


def _published(name: str, weights: str) -> _Weights:
    choices = torchvision.models.get_model_weights(name)
    try:
        found: _Weights = choices[weights]
    except KeyError:
        names = ", ".join(choice.name for choice in choices)
        raise ModelError(f"{name} has no weights {weights!r}: choose DEFAULT or one of {names}.") from None
    return found


def _as_preprocessing(given: Any) -> Any:
    """Turn torchvision's preset, which crops, into what can tell which part of a picture it shows."""
    return _of_preset(given, "crop") if isinstance(given, ImageClassification) else given


def _preprocessing(published: _Weights, geometry: Geometry) -> Preprocessing:
    return _of_preset(published.transforms(), geometry)


def _of_preset(preset: Any, geometry: Geometry) -> Preprocessing:
    return Preprocessing(
        size=(preset.crop_size[0], preset.crop_size[0]),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        geometry=geometry,
        resize=preset.resize_size[0],
        bicubic=preset.interpolation.value == "bicubic",
    )


def weights_at_hand(name: str, weights: str = "DEFAULT") -> bool:
    """Say whether `load_classifier` could load a network without the internet.

    Args:
        name: As for `load_classifier`.
        weights: Likewise.

    Raises:
        ModelError: If the name or the weights are unknown.
    """
    if name == SQUEEZENET_675KB:
        return is_cached(SQUEEZENET_FILE)
    return _own_checkpoint(name) is not None or is_cached(_download(_published(_known(name), weights)))


def _fetch_published(published: _Weights) -> Path:
    return fetch(_download(published))


def _download(published: _Weights) -> Download:
    """Name the published file in torch's own cache, to be checked by the digits of its SHA-256 in its name."""
    file = published.url.rsplit("/", 1)[-1]
    digits = re.search(r"-([0-9a-f]{8,})\.", file)
    if digits is None:
        raise ModelError(f"The name of {published.url} has no digits of its SHA-256 to check: give other weights.")
    target = Path(torch.hub.get_dir()) / "checkpoints" / file
    return Download(str(target), published.url, digits.group(1), 0, "torchvision, BSD-3-Clause")


def _own_checkpoint(name: str) -> Path | None:
    folder = os.environ.get(CHECKPOINTS_VARIABLE)
    if not folder:
        return None
    path = expanded(folder, ModelError)
    if not is_folder(path):
        raise ModelError(f"{CHECKPOINTS_VARIABLE} names '{folder}', which is no folder: set it to one, or unset it.")
    file = path / f"{name}.pth"
    return file if is_file(file) else None


def _read_checkpoint(path: Path) -> tuple[dict[str, Tensor], list[str] | None]:
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"'{path}' holds more than weights, or is damaged: save the network's state_dict() alone with torch.save."
        ) from error
    except Exception as error:  # damaged files make torch's readers raise nearly anything
        raise ModelError(f"'{path}' cannot be read as a file of torch.save: get it again.") from error
    categories = None
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        categories = loaded.get("categories")
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise ModelError(f"'{path}' holds no state dict: save the network's state_dict() with torch.save.")
    if categories is not None and not (
        isinstance(categories, (list, tuple)) and all(isinstance(category, str) for category in categories)
    ):
        raise ModelError(f"The categories in '{path}' are no list of names: save one string for each class.")
    return loaded, None if categories is None else list(categories)


def _options(name: str, published: _Weights) -> dict[str, Any]:
    """Return what torchvision's builders need to be told when the weights are loaded apart."""
    if name.startswith("vit_"):
        return {"image_size": published.meta["min_size"][0]}
    if name in ("googlenet", "inception_v3"):
        # Their published weights expect the input of another framework and were trained with heads for training.
        return {"transform_input": True, "aux_logits": False, "init_weights": False}
    return {}


def _build(
    name: str, state: dict[str, Tensor], categories: int, published: _Weights, checkpoint: Path | None
) -> nn.Module:
    options = _options(name, published)
    if "aux_logits" in options:
        state = {key: value for key, value in state.items() if not key.lower().startswith("aux")}
    if any(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    if name.startswith("densenet"):
        # Published before torchvision forbade dots in the names of modules: "norm.1" is now "norm1".
        state = {re.sub(r"(denselayer\d+\.\w+)\.([12]\.)", r"\1\2", key): value for key, value in state.items()}
    model = _build_empty(name, num_classes=categories, **options)
    expected = model.state_dict()
    wrong = [
        f"{key} is {tuple(state[key].shape)} instead of {tuple(value.shape)}" if key in state else f"{key} is missing"
        for key, value in expected.items()
        if (key not in state and not key.endswith("num_batches_tracked"))
        or (key in state and state[key].shape != value.shape)
    ] + [f"{key} is unknown" for key in state if key not in expected]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        source = f"'{checkpoint}'" if checkpoint else published.url
        raise ModelError(
            f"The weights in {source} do not fit {name} with {categories} classes ({'; '.join(wrong[:3])}{more}): "
            'save its own state_dict(), with the names of its classes as "categories" if there are other than 1000.'
        )
    floats = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    model.load_state_dict(floats, strict=False, assign=True)
    return model.eval()


class _EmptyOnMeta(TorchFunctionMode):
    """Lets layers allocate their weights without memory, so that none is initialised only to be overwritten."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        return func(*args, **(kwargs or {}) | ({"device": "meta"} if func is torch.empty else {}))


def _build_empty(name: str, **options: Any) -> nn.Module:
    """Build one of torchvision's networks with weights on the meta device and true buffers, ready to be assigned."""
    with _EmptyOnMeta():
        model: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return model
