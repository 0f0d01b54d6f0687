"""torchvision's published classification models: architecture, weights and preprocessing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
import torchvision
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gradcam_widgets.errors import ModelError

from .checkpoints import own_checkpoint, read_checkpoint
from .classifier import Classifier
from .downloads import Download, fetch, is_cached
from .preprocessing import of_preset
from .provider import Provider

if TYPE_CHECKING:
    from gradcam_widgets.attribution.layers import Grid
    from gradcam_widgets.images.fitting import ResizeMode


class PublishedWeights(Protocol):
    """What is used of torchvision's weights."""

    url: str
    meta: dict[str, Any]

    def transforms(self) -> Any:
        """Return the preset that goes with the weights."""
        ...


def names() -> list[str]:
    """List torchvision's classification models."""
    return list(torchvision.models.list_models(module=torchvision.models))


def load(name: str, *, resize_mode: ResizeMode, weights: str) -> Classifier:
    """Load one with published weights, or those of a file of the user's own."""
    published = published_weights(name, weights)
    checkpoint = own_checkpoint(name)
    state, own_names = read_checkpoint(checkpoint or fetch(published_file(published)))
    names_of_classes = own_names or list(published.meta["categories"])
    return Classifier(
        build(name, state, len(names_of_classes), published, checkpoint),
        of_preset(published.transforms(), resize_mode),
        names_of_classes,
        name=name,
    )


def build_on_meta(name: str) -> tuple[nn.Module, Grid]:
    """Build one without weights on torch's meta device; with rows and columns of its input."""
    published = published_weights(name, "DEFAULT")
    model = build_empty(name, **build_options(name, published)).to("meta")
    return model, of_preset(published.transforms(), "squash").size


def is_available_offline(name: str, weights: str) -> bool:
    """Return whether the weights lie in a file of the user's own or in the cache."""
    return own_checkpoint(name) is not None or is_cached(published_file(published_weights(name, weights)))


def published_weights(name: str, weights: str) -> PublishedWeights:
    """Look published weights up.

    Raises:
        ModelError: If there are none of that name.
    """
    choices = torchvision.models.get_model_weights(name)
    try:
        found: PublishedWeights = choices[weights]
    except KeyError:
        names = ", ".join(choice.name for choice in choices)
        raise ModelError(f"{name} has no weights {weights!r}: choose DEFAULT or one of {names}.") from None
    return found


def published_file(published: PublishedWeights) -> Download:
    """Name the published file in torch's own cache, to be checked by the digits of its SHA-256 in its name."""
    file = published.url.rsplit("/", 1)[-1]
    digits = re.search(r"-([0-9a-f]{8,})\.", file)
    if digits is None:
        raise ModelError(f"The name of {published.url} has no digits of its SHA-256 to check: give other weights.")
    target = Path(torch.hub.get_dir()) / "checkpoints" / file
    return Download(str(target), published.url, digits.group(1), 0, "torchvision, BSD-3-Clause")


def build_options(name: str, published: PublishedWeights) -> dict[str, Any]:
    """Return what torchvision's builders need to be told when the weights are loaded apart."""
    if name.startswith("vit_"):
        return {"image_size": published.meta["min_size"][0]}
    if name in ("googlenet", "inception_v3"):
        # Their published weights expect the input of another framework and were trained with heads for training.
        return {"transform_input": True, "aux_logits": False, "init_weights": False}
    return {}


def build(
    name: str, state: dict[str, Tensor], class_names: int, published: PublishedWeights, checkpoint: Path | None
) -> nn.Module:
    """Build a model and give it its weights.

    Raises:
        ModelError: If they do not fit.
    """
    options = build_options(name, published)
    if "aux_logits" in options:
        state = {key: value for key, value in state.items() if not key.lower().startswith("aux")}
    if any(key.startswith("module.") for key in state):
        state = {key.removeprefix("module."): value for key, value in state.items()}
    if name.startswith("densenet"):
        # Published before torchvision forbade dots in the names of modules: "norm.1" is now "norm1".
        state = {re.sub(r"(denselayer\d+\.\w+)\.([12]\.)", r"\1\2", key): value for key, value in state.items()}
    model = build_empty(name, num_classes=class_names, **options)
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
            f"The weights in {source} do not fit {name} with {class_names} classes ({'; '.join(wrong[:3])}{more}): "
            'save its own state_dict(), with the names of its classes as "classes" if there are other than 1000.'
        )
    floats = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    model.load_state_dict(floats, strict=False, assign=True)
    return model.eval()


class _EmptyOnMeta(TorchFunctionMode):
    """Lets layers allocate their weights without memory, so that none is initialized only to be overwritten."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        del types
        return func(*args, **(kwargs or {}) | ({"device": "meta"} if func is torch.empty else {}))


def build_empty(name: str, **options: Any) -> nn.Module:
    """Build one of torchvision's models with weights on the meta device and true buffers, ready to be assigned."""
    with _EmptyOnMeta():
        model: nn.Module = torchvision.models.get_model(name, weights=None, **options)
    return model


PROVIDER = Provider(names, load, build_on_meta, is_available_offline)
