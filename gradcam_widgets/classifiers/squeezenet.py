"""The 675 KB SqueezeNet with its ImageNet preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import deep_compression
from .classifier import Classifier
from .downloads import fetch, is_cached
from .preprocessing import Preprocessing
from .provider import DEFAULT_NAME, Provider
from .torchvision_models import build_empty, build_on_meta, published_weights

if TYPE_CHECKING:
    from torch import nn

    from gradcam_widgets.attribution.layers import Grid
    from gradcam_widgets.images.fitting import ResizeMode

ARCHITECTURE = "squeezenet1_0"
FILE = "models/compressed_SqueezeNet.net"


def load(name: str, *, resize_mode: ResizeMode, weights: str) -> Classifier:
    """Load the compressed weights into torchvision's architecture; `weights` is ignored."""
    del weights
    preprocess = Preprocessing(resize_mode=resize_mode)
    model = build_empty(ARCHITECTURE)
    data = fetch(FILE).read_bytes()
    state = deep_compression.decode(data, model.state_dict(), preprocess.mean, preprocess.std)
    model.load_state_dict(state, assign=True)
    class_names = published_weights(ARCHITECTURE, "DEFAULT").meta["categories"]
    return Classifier(model.eval(), preprocess, class_names, name=name)


def _build_on_meta(_name: str) -> tuple[nn.Module, Grid]:
    return build_on_meta(ARCHITECTURE)


PROVIDER = Provider(lambda: [DEFAULT_NAME], load, _build_on_meta, lambda _name, _weights: is_cached(FILE))
