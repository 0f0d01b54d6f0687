"""A network with its preprocessing and its categories, and where to get one by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import nn
from torchvision.transforms._presets import ImageClassification

from gradcam_widgets.attribution.class_names import find_category
from gradcam_widgets.attribution.gradcam import GradCAM
from gradcam_widgets.images.reading import read_picture

from .preprocessing import Preprocessing, of_preset

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


def _as_preprocessing(given: Any) -> Any:
    """Turn torchvision's preset, which crops, into what can tell which part of a picture it shows."""
    return of_preset(given, "crop") if isinstance(given, ImageClassification) else given
