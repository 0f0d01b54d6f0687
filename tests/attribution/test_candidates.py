from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from gradcam_widgets.attribution.candidates import candidates, likely_default
from gradcam_widgets.attribution.recording import ModuleOutput
from gradcam_widgets.attribution.spatial_layout import SpatialLayout

if TYPE_CHECKING:
    from gradcam_widgets.attribution.layers import Layer


def found(*outputs: tuple[str, nn.Module, tuple[int, ...]], same: str = "", class_names: int = 10) -> list[Layer]:
    """List the candidates among outputs for one image of 64×64; `same` hands on what came before it."""
    recorded = [
        ModuleOutput(name, module, (1, *shape), 1, same_as_previous=name == same) for name, module, shape in outputs
    ]
    return candidates(recorded, SpatialLayout(nn.Identity(), 1, (64, 64)), class_names)


def names(layers: list[Layer]) -> list[str]:
    return [layer.name for layer in layers]


def default(layers: list[Layer]) -> tuple[str, str]:
    (chosen,) = [layer for layer in layers if layer.default]
    assert all(not layer.why for layer in layers if layer is not chosen)
    return chosen.name, chosen.why


CONV = ("conv", nn.Conv2d(3, 6, 3), (6, 16, 16))
RELU = ("relu", nn.ReLU(), (6, 16, 16))


def test_a_block_stands_for_what_its_last_layer_put_out() -> None:
    block = ("block", nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU()), (6, 16, 16))
    layers = found(CONV, RELU, block, same="block")
    assert names(layers) == ["conv", "block"]
    assert default(layers) == ("block", "last spatial output, 16×16")


def test_a_pooled_map_is_named_after_its_pooling_and_no_default() -> None:
    pool = ("pool", nn.MaxPool2d(2), (6, 8, 8))
    block = ("block", nn.Sequential(nn.Conv2d(3, 6, 3), nn.MaxPool2d(2)), (6, 8, 8))
    layers = found(CONV, RELU, pool, block, same="block")
    assert names(layers) == ["conv", "relu", "pool"]
    assert default(layers) == ("relu", "last spatial output, 16×16, before pool (pooling)")


def test_where_all_is_pooled_the_last_pooling_is_the_default() -> None:
    layers = found(("early", nn.MaxPool2d(2), (3, 32, 32)), ("late", nn.AvgPool2d(2), (3, 16, 16)))
    assert default(layers) == ("late", "last spatial output, 16×16")


def test_what_lacks_the_images_aspect_by_two_cells_is_none() -> None:
    # 10×14 has 11.83 cells a side of a square: 1.83 and 2.17 too few and too many
    layers = found(CONV, ("windows", nn.Softmax(dim=-1), (6, 10, 14)))
    assert names(layers) == ["conv"]


def test_where_nothing_has_the_images_aspect_all_are_taken() -> None:
    assert names(found(("windows", nn.Softmax(dim=-1), (6, 10, 14)))) == ["windows"]


def test_attention_over_as_many_tokens_is_none() -> None:
    tokens = ("tokens", nn.LayerNorm(6), (16, 6))
    attention = ("attention", nn.Softmax(dim=-1), (2, 16, 16))
    assert names(found(tokens, attention)) == ["tokens"]
    assert names(found(CONV, attention)) == ["conv", "attention"]


def test_one_map_per_class_behind_the_last_linear_is_no_default() -> None:
    per_class = ("scores", nn.Conv2d(6, 10, 1), (10, 16, 16))
    assert default(found(CONV, per_class)) == (
        "conv",
        "last spatial output, 16×16, before scores (one map per class)",
    )
    assert default(found(CONV, per_class, class_names=3))[0] == "scores"
    assert default(found(CONV, per_class, ("fc", nn.Linear(10, 10), (10,))))[0] == "scores"


def test_the_default_of_a_transformer_is_its_last_block_but_one() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(6, 2)

    blocks = [(f"blocks.{i}", Block(), (17, 6)) for i in range(3)]
    layers = found(*blocks, ("norm", nn.LayerNorm(6), (17, 6)))
    name, why = default(layers)
    assert name == "blocks.1"
    assert why.startswith("second-to-last transformer block, 4×4 tokens: after the last one")
    assert default(found(*blocks[:1], ("norm", nn.LayerNorm(6), (17, 6))))[0] == "norm"


def test_without_a_grid_there_is_no_candidate() -> None:
    assert found(("fc", nn.Linear(6, 10), (10,)), ("pool", nn.AdaptiveAvgPool2d(1), (6, 1, 1))) == []


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)),
            {"", "2", "3", "4"},
        ),
        (
            nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)), nn.Sequential(nn.Conv2d(4, 4, 3))),
            {"", "0", "0.1", "1", "1.0"},
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), {"", "0", "1"}),
    ],
)
def test_the_likely_default_ends_from_the_last_operator_but_one(model: nn.Module, expected: set[str]) -> None:
    assert torch.is_tensor(next(model.parameters()))
    assert likely_default(model) == expected
