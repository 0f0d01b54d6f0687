"""A model with its preprocessing and its classes, and where to get one by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import nn
from torchvision.transforms._presets import ImageClassification

from gradcam_widgets.attribution.class_names import find_class
from gradcam_widgets.attribution.gradcam import GradCAM
from gradcam_widgets.images.reading import read_image

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
    from gradcam_widgets.images.reading import ImageLike


class Classifier:
    """A model, the way images are shown to it, and the names of its classes.

    Args:
        model: The model.
        preprocess: A `Preprocessing`, torchvision's preset (`weights.transforms()`), or any callable that takes a PIL
            image and returns the model's input, axes (channel, row, column) or (1, channel, row, column): it is
            then assumed to show the whole image, so that one that crops shifts the overlay.
        class_names: Names of the classes, one for each score.
        name: What the model is called in captions.
        output: As for `GradCAM`.
        token_grid: As for `GradCAM`.
    """

    def __init__(
        self,
        model: nn.Module,
        preprocess: Preprocessing | Callable[[Image.Image], Tensor] | None = None,
        class_names: Sequence[str] | None = None,
        *,
        name: str | None = None,
        output: Callable[[Any], Tensor] | None = None,
        token_grid: Grid | None = None,
    ) -> None:
        """Put them together; nothing is done to the model."""
        self.engine = GradCAM(
            model,
            class_names=class_names,
            output=output,
            token_grid=token_grid,
            name=name or type(model).__name__,
        )
        self.preprocess = Preprocessing() if preprocess is None else _as_preprocessing(preprocess)

    def __repr__(self) -> str:
        """Return one line that is the same on every machine."""
        count = f", {len(self.class_names)} classes" if self.class_names else ""
        return f"Classifier({self.name}{count})"

    @property
    def model(self) -> nn.Module:
        """The model."""
        return self.engine.model

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, or None."""
        return self.engine.class_names

    @property
    def name(self) -> str:
        """What the model is called in captions."""
        return self.engine.name or type(self.model).__name__

    def class_index(self, target: int | str) -> int:
        """Resolve a class's index, exact name or a part of it that only one has.

        Raises:
            TargetError: If there is no such class (with suggestions), or several.
        """
        count = None if self.class_names is None else len(self.class_names)
        return find_class(target, count, self.class_names)

    def predict(self, image: ImageLike, k: int = 5) -> list[Prediction]:
        """Return the k most probable classes of an image, best first."""
        return self.trace(image).predictions(k)

    def trace(self, image: ImageLike, layers: Sequence[LayerName] | LayerName | None = None) -> Trace:
        """Show the model an image once; the maps asked of the trace lie over exactly what it saw.

        Args:
            image: Path, bytes, PIL image, array or tensor.
            layers: As for `GradCAM.trace`.

        Raises:
            ImageError: If the image cannot be read.
            ModelError: If the model cannot be traced.
            LayerError: If a layer cannot be used.
        """
        whole = read_image(image)
        seen = self._seen(whole)
        seen.setflags(write=False)  # so that the maps can share it
        return self.engine.trace(self._batch(whole), layers, images=[seen])

    def heatmap(
        self,
        image: ImageLike,
        target: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Say in one call where in an image a class's evidence lies; see `Trace.heatmap`."""
        return self.trace(image, layer).heatmap(target, method=method)

    def layers(self, image: ImageLike) -> list[Layer]:
        """List the layers that can carry a map; see `candidate_layers`."""
        return self.engine.layers(self._batch(read_image(image)))

    def window(self, image: NDArray[np.uint8]) -> FloatBox:
        """Return left, top, right and bottom of the part of an image that the model sees, in its pixels."""
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess.window(image)
        return 0.0, 0.0, float(image.shape[1]), float(image.shape[0])

    def _batch(self, image: NDArray[np.uint8]) -> Tensor:
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess(image)
        shown = self.preprocess(Image.fromarray(image))
        return shown[None] if isinstance(shown, torch.Tensor) and shown.ndim == 3 else shown

    def _seen(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self.preprocess.seen(image) if isinstance(self.preprocess, Preprocessing) else image


def _as_preprocessing(given: Any) -> Any:
    """Turn torchvision's preset, which crops, into what can tell which part of an image it shows."""
    return of_preset(given, "crop") if isinstance(given, ImageClassification) else given
