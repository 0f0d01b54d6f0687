"""A model, what its inputs have to be, and where its class scores stand in what it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gradcam_widgets.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT_NAMES = ("logits", "out")


@dataclass(frozen=True)
class ScoredModel:
    """A model with what is needed to ask it for class scores.

    Attributes:
        model: The model itself, not a wrapper around it.
        class_names: Names of its classes, or None.
        name: What the model is called in captions, or None.
        output: Reads the class scores from what the model returns, or None where they can be found.
    """

    model: nn.Module
    class_names: tuple[str, ...] | None = None
    name: str | None = None
    output: Callable[[Any], Tensor] | None = None

    def class_name(self, class_index: int) -> str | None:
        """Return the name of a class, or None where names are not known."""
        return self.class_names[class_index] if self.class_names else None

    def prepare(self, batch: Tensor) -> Tensor:
        """Bring a batch to the model's device and dtype.

        Raises:
            ModelError: If it is no batch of images in floating point.
        """
        if not isinstance(batch, Tensor):
            raise ModelError(f"A batch is a torch tensor, not {type(batch).__name__}: preprocess the image first.")
        if batch.ndim == 3:
            raise ModelError(f"A batch has four axes, not {tuple(batch.shape)}: add that of images by batch[None].")
        if batch.ndim != 4 or 0 in batch.shape:
            raise ModelError(
                f"A batch has axes (image, channel, row, column), none of them empty, not {tuple(batch.shape)}."
            )
        if not batch.is_floating_point():
            raise ModelError(f"A batch holds floating-point numbers, not {batch.dtype}: preprocess the image first.")
        reference = next((p for p in self.model.parameters() if p.is_floating_point()), batch)
        return batch.detach().to(reference.device, reference.dtype)

    def check_batch(self, batch: Tensor) -> None:
        """Raise a `ModelError` if the images of the batch would change each other's scores."""
        if len(batch) > 1 and any(_mixes_images(module) for module in self.model.modules()):
            raise ModelError(
                "The model normalizes over the images of a batch (track_running_stats=False), so that one would "
                "explain another: trace them one by one."
            )

    def read_scores(self, output: Any) -> Tensor:
        """Return the class scores, axes (image, class), from what the model returned.

        Raises:
            ModelError: If they are not there, or of another shape.
        """
        scores = self.output(output) if self.output else _find_scores(output)
        if isinstance(scores, Tensor) and scores.ndim == 1 and self.output is None:
            scores = scores[:, None]
        if not isinstance(scores, Tensor) or scores.ndim != 2 or 0 in scores.shape or not scores.is_floating_point():
            what = f"in a {type(scores).__name__}"
            if isinstance(scores, Tensor):
                what = f"as {str(scores.dtype).removeprefix('torch.')} of shape {tuple(scores.shape)}"
            raise ModelError(
                f"Class scores have axes (image, class), but the model's come {what}: "
                "give GradCAM(model, output=…), a function that reads them from what the model returns."
            )
        return scores

    def check_scores(self, scores: Tensor, batch: Tensor) -> None:
        """Raise a `ModelError` unless the scores are finite, one row for each image and one column for each name."""
        if len(scores) != len(batch):
            raise ModelError(
                f"The model put out scores for {len(scores)} images, but the batch holds {len(batch)}: "
                "give GradCAM(model, output=…), a function that returns axes (image, class)."
            )
        self._check_finite(scores, batch)
        if self.class_names is not None and len(self.class_names) != scores.shape[1]:
            raise ModelError(
                f"{len(self.class_names)} classes were given for a model with {scores.shape[1]} class "
                "scores: give one name for each."
            )

    def check_weights_are_finite(self) -> None:
        """Raise a `ModelError` that names the first weights with NaN or infinity, if there are any."""
        for name, tensor in self.model.state_dict(keep_vars=True).items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise ModelError(f"The weights {name!r} hold NaN or infinity: load the model again.")

    def _check_finite(self, scores: Tensor, batch: Tensor) -> None:
        if scores.isfinite().all():
            return
        if not batch.isfinite().all():
            raise ModelError("The batch holds NaN or infinity: check how the image was preprocessed.")
        self.check_weights_are_finite()
        raise ModelError(f"The class scores are not finite in {scores.dtype}: run the model in float32.")


def _mixes_images(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is None


def _find_scores(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output
    for name in OUTPUT_NAMES:
        found = output.get(name) if hasattr(output, "get") else getattr(output, name, None)
        if isinstance(found, Tensor):
            return found
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        return output[0]
    return output
