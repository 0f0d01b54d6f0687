"""A model combined with its preprocessing and class names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import nn
from torchvision.transforms._presets import ImageClassification

from gradcam_widgets.attribution.class_names import find_class
from gradcam_widgets.attribution.gradcam import GradCAM
from gradcam_widgets.images.reading import read_image

from .preprocessing import Preprocessing, from_preset

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
    """A model with its preprocessing and class names.

    Args:
        model: The model.
        preprocess: A `Preprocessing`, a torchvision preset (`weights.transforms()`), or a callable from a PIL image to
            a `(C, H, W)` or `(1, C, H, W)` float tensor; overlays assume that a callable does not crop.
        class_names: Names of the classes, one per score.
        name: Name of the model in captions.
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
        """Store the model with its preprocessing; the model is not modified."""
        self.engine = GradCAM(
            model,
            class_names=class_names,
            output=output,
            token_grid=token_grid,
            name=name or type(model).__name__,
        )
        self.preprocess = Preprocessing() if preprocess is None else _as_preprocessing(preprocess)

    def __repr__(self) -> str:
        """Return a deterministic one-line representation."""
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
        """Name of the model in captions."""
        return self.engine.name or type(self.model).__name__

    def class_index(self, target: int | str) -> int:
        """Return the index of a class given by index, name or unique part of a name.

        Raises:
            TargetError: If the class is unknown (with suggestions) or ambiguous.
        """
        count = None if self.class_names is None else len(self.class_names)
        return find_class(target, count, self.class_names)

    def predict(self, image: ImageLike, k: int = 5) -> list[Prediction]:
        """Return the k most probable classes of an image, best first."""
        return self.trace(image).predictions(k)

    def trace(self, image: ImageLike, layers: Sequence[LayerName] | LayerName | None = None) -> Trace:
        """Run one forward pass on an image; its heatmaps cover exactly the part of the image the model saw.

        Args:
            image: Path, bytes, PIL image, array or tensor.
            layers: As for `GradCAM.trace`.

        Raises:
            ImageError: If the image cannot be read.
            ModelError: If the model cannot be traced.
            LayerError: If a layer does not exist, was not called or is not spatial.
        """
        pixels = read_image(image)
        visible = self._visible(pixels)
        visible.setflags(write=False)  # so that heatmaps can share it
        return self.engine.trace(self._batch(pixels), layers, images=[visible])

    def heatmap(
        self,
        image: ImageLike,
        target: int | str | None = None,
        layer: LayerName | None = None,
        method: str = "grad-cam",
    ) -> Heatmap:
        """Compute the heatmap of one class for an image; see `Trace.heatmap`."""
        return self.trace(image, layer).heatmap(target, method=method)

    def layers(self, image: ImageLike) -> list[Layer]:
        """Return the layers with a spatial output; see `candidate_layers`."""
        return self.engine.layers(self._batch(read_image(image)))

    def window(self, image: NDArray[np.uint8]) -> FloatBox:
        """Return the part of an image that the model sees as (left, top, right, bottom), in the image's pixels."""
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess.window(image)
        return 0.0, 0.0, float(image.shape[1]), float(image.shape[0])

    def _batch(self, image: NDArray[np.uint8]) -> Tensor:
        if isinstance(self.preprocess, Preprocessing):
            return self.preprocess(image)
        batch = self.preprocess(Image.fromarray(image))
        return batch[None] if isinstance(batch, torch.Tensor) and batch.ndim == 3 else batch

    def _visible(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return self.preprocess.seen(image) if isinstance(self.preprocess, Preprocessing) else image


def _as_preprocessing(preprocess: Any) -> Any:
    """Convert a torchvision preset into a `Preprocessing` that knows its crop window."""
    return from_preset(preprocess, "crop") if isinstance(preprocess, ImageClassification) else preprocess
