from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision

from gradcam_widgets import GradCAM
from tests.support.models import image, random_model

pytestmark = [pytest.mark.zoo, pytest.mark.slow]

NAMES: list[str] = torchvision.models.list_models(module=torchvision.models)
SIZE = (128, 160)
GRID = (4, 5)  # a stride of 32 in all
OTHER_GRIDS = {  # as their papers' kernels, strides and paddings give
    "alexnet": (7, 9),
    "inception_v3": (2, 3),
    "squeezenet1_0": (7, 9),
    "squeezenet1_1": (7, 9),
    **{name: (8, 10) for name in NAMES if name.startswith("vgg")},
}
SQUARES = {  # models that take one size only, and a grid of that size over their stride
    "maxvit_t": (224, (7, 7)),
    "vit_b_16": (128, (8, 8)),
    "vit_l_16": (128, (8, 8)),
    "vit_b_32": (128, (4, 4)),
    "vit_l_32": (128, (4, 4)),
    "vit_h_14": (112, (8, 8)),
}
GIANTS = {"regnet_y_128gf", "vit_h_14"}  # weights of 2.4 GiB


def test_torchvision_has_the_eighty_models_that_are_promised() -> None:
    assert len(NAMES) >= 80
    assert GIANTS | set(OTHER_GRIDS) | set(SQUARES) <= set(NAMES)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.giant) if name in GIANTS else name for name in NAMES]
)
def test_every_model_of_torchvision_has_a_default_layer_and_a_map(name: str) -> None:
    side, grid = SQUARES.get(name, (0, OTHER_GRIDS.get(name, GRID)))
    model = random_model(name, **({"image_size": side} if name.startswith("vit") else {}))
    batch = image(*((side, side) if side else SIZE))
    engine = GradCAM(model)

    layers = engine.layers(batch)
    defaults = [layer for layer in layers if layer.default]
    assert len(layers) >= 2
    assert [layer.grid for layer in defaults] == [grid]
    assert defaults[0].why

    trace = engine.trace(batch)
    found = trace.heatmap()
    assert found.layer == defaults[0].name
    assert found.grid == grid
    assert np.isfinite(found.values).all()
    assert np.ptp(found.values) > 1e-2 * np.abs(found.values).max() > 0

    with torch.inference_mode():
        plain = model(batch)
    assert float(plain.std()) > 0
    torch.testing.assert_close(trace.logits, plain, rtol=1e-3, atol=1e-3 * float(plain.std()))
