"""torchvision's classification models with their published or user-provided weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torchvision
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gradcam_widgets._choices import suggestion
from gradcam_widgets.errors import ModelError

from .checkpoints import read_checkpoint, user_checkpoint
from .classifier import Classifier
from .downloads import Download, fetch, is_cached
from .preprocessing import from_preset
from .provider import Provider

if TYPE_CHECKING:
    from gradcam_widgets.attribution.layers import Grid
    from gradcam_widgets.images.fitting import ResizeMode


class PublishedWeights(Protocol):
    """The used attributes of torchvision's weights entries."""

    url: str
    meta: dict[str, Any]

    def transforms(self) -> Any:
        """Return the preprocessing preset of the weights."""
        ...


def names() -> list[str]:
    """Return the names of torchvision's classification models."""
    return list(torchvision.models.list_models(module=torchvision.models))


def load(name: str, *, resize_mode: ResizeMode, weights: str) -> Classifier:
    """Load a model with the weights of the user's checkpoint or, without one, published weights."""
    published = published_weights(name, weights)
    checkpoint = user_checkpoint(name)
    state, checkpoint_names = read_checkpoint(checkpoint or fetch(published_file(published)))
    class_names = checkpoint_names or list(published.meta["categories"])
    return Classifier(
        build(name, state, len(class_names), published, checkpoint),
        from_preset(published.transforms(), resize_mode),
        class_names,
        name=name,
    )


def build_on_meta(name: str) -> tuple[nn.Module, Grid]:
    """Return a model on torch's meta device, and rows and columns of its input."""
    published = published_weights(name, "DEFAULT")
    model = build_empty(name, **build_options(name, published)).to("meta")
    return model, from_preset(published.transforms(), "squash").size


def is_available_offline(name: str, weights: str) -> bool:
    """Return whether the weights are in a user's checkpoint or in the cache."""
    return user_checkpoint(name) is not None or is_cached(published_file(published_weights(name, weights)))


def published_weights(name: str, weights: str) -> PublishedWeights:
    """Return torchvision's entry of published weights.

    Raises:
        ModelError: If the model has no weights of that name.
    """
    available = torchvision.models.get_model_weights(name)
    try:
        entry: PublishedWeights = available[weights]
    except KeyError:
        names = ("DEFAULT", *(choice.name for choice in available))
        hint = suggestion(weights, names, f"choose one of {', '.join(names)}.")
        raise ModelError(f"{name} has no weights {weights!r}: {hint}") from None
    return entry


def published_file(published: PublishedWeights) -> Download:
    """Return the download of a weights file into torch's cache, with the SHA-256 prefix from its file name.

    Raises:
        ModelError: If the file name contains no SHA-256 prefix.
    """
    file = published.url.rsplit("/", 1)[-1]
    digits = re.search(r"-([0-9a-f]{8,})\.", file)
    if digits is None:
        raise ModelError(
            f"Cannot verify {published.url}: its file name contains no SHA-256 prefix; choose other weights."
        )
    target = Path(torch.hub.get_dir()) / "checkpoints" / file
    return Download(str(target), published.url, digits.group(1), 0, "torchvision, BSD-3-Clause")


def build_options(name: str, published: PublishedWeights) -> dict[str, Any]:
    """Return the constructor arguments needed to build the model without its pretrained weights."""
    if name.startswith("vit_"):
        return {"image_size": published.meta["min_size"][0]}
    if name in ("googlenet", "inception_v3"):
        # Their published weights expect TensorFlow's normalization, and have auxiliary heads used in training only.
        return {"transform_input": True, "aux_logits": False, "init_weights": False}
    return {}


def build(
    name: str, state: dict[str, Tensor], class_count: int, published: PublishedWeights, checkpoint: Path | None
) -> nn.Module:
    """Build a model and load its weights.

    Raises:
        ModelError: If the weights do not fit the model.
    """
    options = build_options(name, published)
    if "aux_logits" in options:
        state = {key: value for key, value in state.items() if not key.lower().startswith("aux")}
    if any(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    if name.startswith("densenet"):
        # These weights predate the ban on dots in module names: "norm.1" is now "norm1".
        state = {re.sub(r"(denselayer\d+\.\w+)\.([12]\.)", r"\1\2", key): value for key, value in state.items()}
    model = build_empty(name, num_classes=class_count, **options)
    expected = model.state_dict()
    mismatches = [
        f"{key} is {tuple(state[key].shape)} instead of {tuple(value.shape)}" if key in state else f"{key} is missing"
        for key, value in expected.items()
        if (key not in state and not key.endswith("num_batches_tracked"))
        or (key in state and state[key].shape != value.shape)
    ] + [f"{key} is unknown" for key in state if key not in expected]
    if mismatches:
        more = f" and {len(mismatches) - 3} more" if len(mismatches) > 3 else ""
        source = f"'{checkpoint}'" if checkpoint else published.url
        raise ModelError(
            f"The weights in {source} do not fit {name} with {class_count} classes "
            f'({"; ".join(mismatches[:3])}{more}): save the state_dict() of a {name}, with its "class_names" if it '
            "has other than 1000 classes."
        )
    floats = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    model.load_state_dict(floats, strict=False, assign=True)
    return model.eval()


class _EmptyOnMeta(TorchFunctionMode):
    """Mode that allocates weights on the meta device, to skip an initialization that loading would overwrite."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        return func(*args, **(kwargs or {}) | ({"device": "meta"} if func is torch.empty else {}))


def build_empty(name: str, **options: Any) -> nn.Module:
    """Return a torchvision model with weights on the meta device and real buffers, ready for assignment of weights."""
    with _EmptyOnMeta():
        model: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return model


PROVIDER = Provider(names, load, build_on_meta, is_available_offline)
