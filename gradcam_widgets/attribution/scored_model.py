"""A model with checks of its input batches and class scores."""

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
    """A model with its class names and a function that extracts its class scores.

    Attributes:
        model: The unwrapped model.
        class_names: Names of its classes, or None.
        name: Name of the model in captions, or None.
        output: Extracts the class scores from the model's output, or None to search for them.
    """

    model: nn.Module
    class_names: tuple[str, ...] | None = None
    name: str | None = None
    output: Callable[[Any], Tensor] | None = None

    def class_name(self, class_index: int) -> str | None:
        """Return the name of a class, or None if names are unknown."""
        return self.class_names[class_index] if self.class_names else None

    def prepare(self, batch: Tensor) -> Tensor:
        """Move a batch to the model's device and dtype.

        Raises:
            ModelError: If the batch is not a non-empty `(N, C, H, W)` float tensor.
        """
        if not isinstance(batch, Tensor):
            raise ModelError(f"batch must be a torch tensor, got {type(batch).__name__}: preprocess the image first.")
        if batch.ndim == 3:
            raise ModelError(
                f"batch must have shape (N, C, H, W), got {tuple(batch.shape)}: add the first axis by batch[None]."
            )
        if batch.ndim != 4 or 0 in batch.shape:
            raise ModelError(f"batch must have shape (N, C, H, W) without empty axes, got {tuple(batch.shape)}.")
        if not batch.is_floating_point():
            raise ModelError(f"batch must be a floating-point tensor, got {batch.dtype}: preprocess the image first.")
        reference = next((p for p in self.model.parameters() if p.is_floating_point()), batch)
        return batch.detach().to(reference.device, reference.dtype)

    def check_batch(self, batch: Tensor) -> None:
        """Raise a `ModelError` if the images of a batch would influence each other's scores."""
        if len(batch) > 1 and any(_mixes_images(module) for module in self.model.modules()):
            raise ModelError(
                "The model normalizes across the images of a batch (track_running_stats=False), which mixes their "
                "evidence: trace the images one by one."
            )

    def read_scores(self, output: Any) -> Tensor:
        """Return the `(N, classes)` float class scores from the model's output.

        Raises:
            ModelError: If they are missing or have another shape or dtype.
        """
        scores = self.output(output) if self.output else _find_scores(output)
        if isinstance(scores, Tensor) and scores.ndim == 1 and self.output is None:
            scores = scores[:, None]
        if not isinstance(scores, Tensor) or scores.ndim != 2 or 0 in scores.shape or not scores.is_floating_point():
            got = type(scores).__name__
            if isinstance(scores, Tensor):
                got = f"{str(scores.dtype).removeprefix('torch.')} of shape {tuple(scores.shape)}"
            raise ModelError(
                f"The model's class scores must be a floating-point tensor of shape (N, classes), got {got}: "
                "set GradCAM(model, output=…) to a function that extracts them from the model's output."
            )
        return scores

    def check_scores(self, scores: Tensor, batch: Tensor) -> None:
        """Raise a `ModelError` unless the scores are finite, with one row per image and one column per class name."""
        if len(scores) != len(batch):
            raise ModelError(
                f"The model returned scores for {len(scores)} images, but the batch holds {len(batch)}: "
                "set GradCAM(model, output=…) to a function that returns a tensor of shape (N, classes)."
            )
        self._check_finite(scores, batch)
        if self.class_names is not None and len(self.class_names) != scores.shape[1]:
            raise ModelError(
                f"class_names must have one name per class score, got {len(self.class_names)} names for "
                f"{scores.shape[1]} scores."
            )

    def check_weights_are_finite(self) -> None:
        """Raise a `ModelError` that names the first weights that contain NaN or infinity, if any."""
        for name, tensor in self.model.state_dict(keep_vars=True).items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise ModelError(f"The weights {name!r} contain NaN or infinity: load the model again.")

    def _check_finite(self, scores: Tensor, batch: Tensor) -> None:
        if scores.isfinite().all():
            return
        if not batch.isfinite().all():
            raise ModelError("batch contains NaN or infinity: check the preprocessing of the image.")
        self.check_weights_are_finite()
        raise ModelError(f"The class scores are not finite in {scores.dtype}: run the model in float32.")


def _mixes_images(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) and module.running_mean is None


def _find_scores(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output
    for name in OUTPUT_NAMES:
        scores = output.get(name) if hasattr(output, "get") else getattr(output, name, None)
        if isinstance(scores, Tensor):
            return scores
    if isinstance(output, (tuple, list)) and output and isinstance(output[0], Tensor):
        return output[0]
    return output
