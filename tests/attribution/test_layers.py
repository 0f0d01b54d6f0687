from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from gradcam_widgets import GradCAM, LayerError, candidate_layers
from gradcam_widgets.attribution.layers import Layer, find_layer, last_of_each_grid
from tests.support.models import ChannelsLast, Pooled, Reused, Tokens, filled, image, random_model

if TYPE_CHECKING:
    from gradcam_widgets.attribution.layers import Layout


class Shuffled(nn.Module):
    """Defines its layers in another order than it calls them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 3)
        self.late = nn.Conv2d(4, 5, 3, 1, 1)
        self.early = nn.Conv2d(3, 4, 3, 2, 1)
        self.between = nn.Conv2d(4, 4, 3, 1, 1)
        self.never = nn.Conv2d(4, 4, 3, 1, 1)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.fc(self.late(self.between(self.early(batch))).mean(dim=(2, 3)))
        return scores


class ClassMaps(nn.Module):
    """Puts out one map per class and pools it: no linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(inplace=True))
        self.classifier: nn.Module = nn.Conv2d(4, 3, 1)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.classifier(self.features(batch)).mean(dim=(2, 3))
        return scores


def one_patch(row: int, column: int, side: int, rows: int = 32, columns: int = 64) -> Tensor:
    """Return an image of zeros but for one square patch."""
    batch = torch.zeros(1, 3, rows, columns)
    batch[:, :, side * row : side * (row + 1), side * column : side * (column + 1)] = 1
    return batch


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "default", "grid", "why"),
    [
        ("vgg19", "features.35", (14, 14), "last spatial output, 14×14, before features.36 (pooling)"),
        ("resnet18", "layer4.1", (7, 7), "last spatial output, 7×7"),
        ("densenet121", "features", (7, 7), "last spatial output, 7×7"),
        (
            "squeezenet1_1",
            "features.12",
            (13, 13),  # 224 → 111 → 55 → 27 → 13 by kernels of 3 with stride 2
            "last spatial output, 13×13, before classifier.1 (one map per class)",
        ),
        ("swin_t", "features.7.0", (7, 7), "second-to-last transformer block, 7×7 tokens"),
        ("vit_b_16", "encoder.layers.encoder_layer_10", (14, 14), "second-to-last transformer block, 14×14 tokens"),
    ],
)
def test_the_default_is_the_last_spatial_output_and_says_why(
    model: str, default: str, grid: tuple[int, int], why: str
) -> None:
    built, batch = random_model(model), image(224, 224)
    found = candidate_layers(built, batch)
    chosen = [layer for layer in found if layer.default]
    assert [(layer.name, layer.grid) for layer in chosen] == [(default, grid)]
    assert chosen[0].why.startswith(why)
    assert not any(layer.why for layer in found if not layer.default)
    assert str(chosen[0]) == f"{default} · {grid[0]}×{grid[1]}"
    trace = GradCAM(built).trace(batch)
    assert [layer.name for layer in trace.layers] == [default]
    assert trace.activations[default].shape[2:] == grid


def test_candidates_are_the_distinct_spatial_outputs_in_call_order() -> None:
    found = candidate_layers(Pooled(), image(24, 36))
    # stem.2 is what stem hands on, features.1 what features does; after the pooling there is one cell.
    assert [(layer.name, layer.kind, layer.shape, layer.default) for layer in found] == [
        ("stem.0", "convolution", (6, 12, 18), False),
        ("stem.1", "normalization", (6, 12, 18), False),
        ("stem", "block", (6, 12, 18), False),
        ("features.0", "convolution", (5, 6, 9), False),
        ("features", "block", (5, 6, 9), False),
        ("relu", "activation", (5, 6, 9), True),
    ]


def test_the_order_is_that_of_the_calls_not_of_the_definition() -> None:
    found = candidate_layers(Shuffled(), image())
    assert [layer.name for layer in found] == ["early", "between", "late"]
    assert [layer.default for layer in found] == [False, False, True]


def test_a_module_called_often_is_ordered_by_its_last_call() -> None:
    found = candidate_layers(Reused(), image())
    assert [(layer.name, layer.calls) for layer in found] == [("stem", 1), ("conv", 2), ("relu", 3)]


def test_what_has_not_the_images_aspect_is_no_candidate() -> None:
    model = ClassMaps()
    model.classifier = nn.Sequential(nn.AdaptiveAvgPool2d((12, 12)), model.classifier)
    assert model(image(32, 64)).shape == (1, 3)
    assert [layer.name for layer in candidate_layers(model, image(32, 64))] == ["features.0", "features"]


def test_maps_per_class_are_listed_but_not_the_default() -> None:
    found = candidate_layers(ClassMaps(), image())
    assert [(layer.name, layer.default) for layer in found] == [
        ("features.0", False),
        ("features", True),
        ("classifier", False),
    ]
    assert found[1].why.endswith("before classifier (one map per class)")


@pytest.mark.parametrize("embedding", [True, False])
def test_tokens_become_a_grid_behind_class_token_and_registers(embedding: bool) -> None:
    # 32×64 in patches of 8: 4×8, behind one class token and four registers
    found = {layer.name: layer for layer in candidate_layers(Tokens(embedding=embedding), image(32, 64))}
    assert {layer.grid for layer in found.values()} == {(4, 8)}
    assert (found["blocks.2"].shape, found["blocks.2"].layout) == ((37, 8), "tokens")
    assert [name for name, layer in found.items() if layer.default] == ["blocks.1"]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 5), (3, 7), (2, 0)])
@pytest.mark.parametrize(
    ("model", "layer", "side"),
    [
        (Tokens(), "blocks.0.norm", 8),
        (Tokens(embedding=False), "patches", 8),
        (ChannelsLast(), "norm", 4),
        (ChannelsLast(), "mix", 4),
        (ChannelsLast(), "stem", 4),
    ],
)
def test_one_patch_of_the_image_lands_on_its_cell(
    model: nn.Module, layer: str, side: int, row: int, column: int
) -> None:
    engine = GradCAM(model)
    seen, blank = (
        engine.trace(batch, layer).activations[layer]
        for batch in (one_patch(row, column, side), torch.zeros(1, 3, 32, 64))
    )
    assert seen.shape == (1, len(seen[0]), 32 // side, 64 // side)
    assert (seen - blank).abs().sum(dim=1)[0].nonzero().tolist() == [[row, column]]


@pytest.mark.parametrize(
    ("layout", "shape", "axes"),
    [
        ("channels first", (2, 3), "nkhw"),
        ("channels last", (2, 3), "nhwk"),
    ],
)
def test_any_layout_is_brought_into_image_channel_row_column(layout: Layout, shape: tuple[int, int], axes: str) -> None:
    expected = torch.arange(2 * 5 * 2 * 3).reshape(2, 5, 2, 3)
    given = torch.einsum(f"nkhw->{axes}", expected)
    assert torch.equal(Layer("x", "block", tuple(given.shape[1:]), shape, layout).maps(given), expected)


def test_tokens_are_read_row_by_row_after_the_prefix() -> None:
    tokens = torch.tensor([[-1.0, -1, 11, 12, 13, 21, 22, 23]])[:, :, None]
    maps = Layer("x", "block", (8, 1), (2, 3), "tokens").maps(tokens)
    assert maps.tolist() == [[[[11, 12, 13], [21, 22, 23]]]]


@pytest.mark.parametrize("size", [(32, 64), (64, 32), (48, 48), (32, 96)])
@pytest.mark.parametrize("width", [6, 20])
def test_channels_are_found_last_or_first_on_any_aspect(size: tuple[int, int], width: int) -> None:
    found = {layer.name: layer for layer in candidate_layers(ChannelsLast(width), image(*size))}
    assert {layer.grid for layer in found.values()} == {(size[0] // 4, size[1] // 4)}
    assert {name: layer.layout for name, layer in found.items()} == {
        "stem": "channels first",
        "norm": "channels last",
        "mix.0": "channels last",
        "mix": "channels last",
    }


def test_ambiguous_tokens_are_an_error_with_shape_and_remedy() -> None:
    # Ten tokens over 12×12 are 3×3 behind one, or 2×2 behind six.
    model, batch = Tokens(patch=4, registers=0, embedding=False), image(12, 12)
    with pytest.raises(
        LayerError,
        match=r"^The 10 tokens of layer 'blocks\.1' \(shape 1×10×8\) form 2×2 or 3×3 over an image of 12×12: "
        r"set GradCAM\(model, token_grid=\(rows, columns\)\)\.$",
    ):
        GradCAM(model).trace(batch, "blocks.1")
    assert GradCAM(model, token_grid=(3, 3)).trace(batch, "blocks.1").layers[0].grid == (3, 3)
    found = candidate_layers(model, batch, token_grid=(3, 3))
    assert [layer.name for layer in found if layer.default] == ["blocks.1"]


def test_tokens_that_form_no_grid_are_an_error_with_shape_and_remedy() -> None:
    with pytest.raises(LayerError, match=r"^The 53 tokens of .* \(shape 1×53×8\) form no grid over .*token_grid.*\.$"):
        GradCAM(Tokens(registers=20)).trace(image(32, 64), "blocks.1")


@pytest.mark.parametrize("token_grid", [(9, 8), (0, 4)])
def test_a_token_grid_that_does_not_fit_is_refused(token_grid: tuple[int, int]) -> None:
    with pytest.raises(
        LayerError, match=r"^token_grid must fit into the 37 tokens of layer 'blocks\.1', got .*: .*\.$"
    ):
        GradCAM(Tokens(), token_grid=token_grid).trace(image(32, 64), "blocks.1")


def test_a_layer_is_found_by_its_path_or_as_a_module() -> None:
    model = Pooled()
    assert find_layer(model, "features.1") == ("features.1", model.features[1])
    assert find_layer(model, model.features) == ("features", model.features)


def test_a_model_without_a_spatial_layer_has_no_candidate() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 2))
    assert candidate_layers(model, image(8, 8)) == []
    with pytest.raises(LayerError, match=r"^No layer of this Sequential has an output with rows and columns: .*\.$"):
        GradCAM(model).trace(image(8, 8))


def test_a_cube_is_read_by_the_layers_that_work_along_its_last_axis() -> None:
    swin = {layer.name: layer for layer in candidate_layers(random_model("swin_t"), torch.randn(1, 3, 384, 384))}
    assert swin["features.1.0"].shape == (96, 96, 96)
    assert swin["features.1.0"].layout == swin["features.1.0.norm1"].layout == "channels last"
    convnext = candidate_layers(random_model("convnext_tiny"), torch.randn(1, 3, 384, 384))
    (block,) = [layer for layer in convnext if layer.name == "features.1.0"]
    assert (block.shape, block.layout) == ((96, 96, 96), "channels first")


class Attending(nn.Module):
    """A block whose attention is nested in another one, and whose attention weights are a module's output."""

    class ScaledAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = Attending.Attention()

        def forward(self, x: Tensor) -> Tensor:
            scaled: Tensor = 0.5 * self.attention(x)
            return scaled

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.qkv, self.softmax = nn.Linear(6, 18), nn.Softmax(dim=-1)

        def forward(self, x: Tensor) -> Tensor:
            q, k, v = self.qkv(x).reshape(len(x), -1, 2, 9).transpose(1, 2).chunk(3, dim=-1)
            mixed: Tensor = (self.softmax(q @ k.transpose(-1, -2)) @ v).transpose(1, 2).flatten(2)
            return mixed

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.attention = nn.LayerNorm(6), Attending.ScaledAttention()

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.attention(self.norm(x))
        return added


class Attentive(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.blocks = nn.Sequential(Attending(), Attending(), Attending())
        self.head = nn.Linear(6, 3)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        tokens = self.patches(batch).flatten(2).transpose(1, 2)
        scores: Tensor = self.head(self.blocks(tokens)[:, 0])
        return scores


def test_nested_attention_and_attention_weights_are_no_maps() -> None:
    layers = candidate_layers(Attentive(), torch.randn(1, 3, 32, 32))
    assert [layer.name for layer in layers if layer.default] == ["blocks.1"]
    assert not [layer.name for layer in layers if layer.name.endswith("softmax")]
    assert GradCAM(Attentive()).heatmap(torch.randn(1, 3, 32, 32), 1).values.any()


class ImagesSecond(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=False)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.head(self.encoder(self.patches(batch).flatten(2).permute(2, 0, 1)).mean(dim=0))
        return scores


def test_images_are_not_taken_for_tokens() -> None:
    batch = torch.randn(5, 3, 32, 32)
    assert {layer.name for layer in candidate_layers(ImagesSecond(), batch)} == {"patches"}
    with pytest.raises(LayerError, match=r"first axis is not the batch of 5 images"):
        GradCAM(ImagesSecond()).trace(batch, "encoder.layers.1")


def test_channels_are_not_taken_for_tokens() -> None:
    model = nn.Sequential(nn.Conv2d(3, 256, 32, 32), nn.Flatten(2), nn.AdaptiveAvgPool1d(1), nn.Flatten())
    layers = candidate_layers(model, torch.randn(1, 3, 224, 224))
    assert [layer.name for layer in layers] == ["0"]
    with pytest.raises(LayerError, match="256 tokens or 256 channels"):
        GradCAM(model).trace(torch.randn(1, 3, 224, 224), "1")


def test_of_each_grid_up_to_the_default_the_last_main_layer_is_taken() -> None:
    model = nn.Sequential()
    for name, channels, stride in (("a", 3, 2), ("b", 4, 1), ("c", 4, 2), ("d", 4, 2)):
        model.add_module(name, nn.Sequential(nn.Conv2d(channels, 4, 3, stride, 1), nn.ReLU()))
    model.add_module("end", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)))
    layers = candidate_layers(model, torch.zeros(1, 3, 64, 64))
    assert [layer.name for layer in layers if layer.default] == ["d"]
    assert [(layer.name, layer.grid) for layer in last_of_each_grid(layers)] == [
        ("b", (32, 32)),
        ("c", (16, 16)),
        ("d", (8, 8)),
    ]
    assert [layer.name for layer in last_of_each_grid(layers, most=2)] == ["c", "d"]
