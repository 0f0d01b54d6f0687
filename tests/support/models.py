"""Tiny models with fixed weights, and torchvision models with cheap random weights."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any
from unittest import mock

import torch
import torchvision
from torch import Tensor, nn

ONE_BLOCK_OF_NOISE = 1 << 20  # drawing 600 million weights separately would take half a minute


def filled(model: nn.Module, seed: int = 0) -> nn.Module:
    """Set reproducible random weights that keep activations nonzero and in range, and return the model."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(ONE_BLOCK_OF_NOISE, generator=generator)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim < 2:
                parameter.fill_(1.0 if name.endswith("weight") else 0.0)
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
                continue
            flat, done = parameter.view(-1), 0
            start = int(torch.randint(ONE_BLOCK_OF_NOISE // 2, (), generator=generator))
            while done < len(flat):
                block = noise[start : start + len(flat) - done]
                flat[done : done + len(block)] = block
                done, start = done + len(block), 0
            parameter.mul_(math.sqrt(2 / math.prod(parameter.shape[1:])))
    return model


def random_model(name: str, **options: Any) -> nn.Module:
    """Create a torchvision model in eval mode, without its slow initialization."""
    if name in ("googlenet", "inception_v3"):
        options = {"init_weights": False, **options}
    with ExitStack() as stack:
        for initializer in dir(nn.init):
            if initializer.endswith("_") and not initializer.startswith("_"):
                stack.enter_context(mock.patch.object(nn.init, initializer, _leave))
        model: nn.Module = torchvision.models.get_model(name, **options)
    return filled(model).eval()


def _leave(tensor: Tensor, *_args: object, **_options: object) -> Tensor:
    return tensor


def image(rows: int = 24, columns: int = 36, images: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return a fixed random batch, axes (image, channel, row, column)."""
    generator = torch.Generator().manual_seed(7)
    return torch.randn(images, 3, rows, columns, generator=generator, dtype=torch.float64).to(dtype)


class Pooled(nn.Module):
    """Convolution, batch norm, in-place ReLU, convolution, global average pooling, one linear layer."""

    def __init__(self, class_names: int = 3) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.ReLU(inplace=True))
        self.features = nn.Sequential(nn.Conv2d(6, 5, 3, 2, 1), nn.BatchNorm2d(5))
        self.relu: nn.Module = nn.ReLU(inplace=True)
        self.pooling: nn.Module = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(5, class_names)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        return self.head(self.relu(self.features(self.stem(batch))))

    def head(self, maps: Tensor) -> Tensor:
        scores: Tensor = self.classifier(self.dropout(self.pooling(maps).flatten(1)))
        return scores


class OnPaper(nn.Module):
    """Identity `layer`, in-place ReLU, and one weight per cell, so that maps can be computed by hand.

    For x = PAPER_IMAGE and class 0, the gradient is the weight where x > 0, else 0:

        x0 =  1 -1  2     w0 = 3  9  1     dy/dx0 = 3  0  1    mean 18 / 6 =  3
              3 -2  1          8  9  6              8  0  6
        x1 =  2  1 -1     w1 = 6 -6  1     dy/dx1 = 6 -6  0    mean -12 / 6 = -2
             -3  1  4          1 -3 -9              0 -3 -9

    The logit is 3 + 2 + 24 + 6 + 12 - 6 - 3 - 36 + the bias of 0.5 = 2.5. Class 1 has the negated weights and
    bias, class 2 zeros.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(12, 3)
        weights = torch.tensor([3.0, 9, 1, 8, 9, 6, 6, -6, 1, 1, -3, -9])
        with torch.no_grad():
            self.layer.weight.copy_(torch.eye(2)[:, :, None, None])
            self.fc.weight.copy_(torch.stack([weights, -weights, 0 * weights]))
            self.fc.bias.copy_(torch.tensor([0.5, -0.5, 0]))
        self.double()

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.fc(self.relu(self.layer(batch)).flatten(1))
        return scores


PAPER_IMAGE = torch.tensor([[[[1.0, -1, 2], [3, -2, 1]], [[2, 1, -1], [-3, 1, 4]]]], dtype=torch.float64)
PAPER_GRAD_CAM = [[-1.0, -5, 8], [15, -8, -5]]  # 3 x0 - 2 x1
PAPER_HIRESCAM = [[15.0, -6, 2], [24, -3, -30]]  # dy/dx0 x0 + dy/dx1 x1; sums to the logit without its bias


class Block(nn.Module):
    """A transformer block."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU())

    def forward(self, tokens: Tensor) -> Tensor:
        normed = self.norm(tokens)
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        mixed: Tensor = tokens + self.mlp(tokens)
        return mixed


class Tokens(nn.Module):
    """A vision transformer with a class token and registers before the patches."""

    def __init__(self, patch: int = 8, registers: int = 4, *, embedding: bool = True) -> None:
        super().__init__()
        self.patch = patch
        self.patches: nn.Module = nn.Conv2d(3, 8, patch, patch) if embedding else nn.Linear(3 * patch * patch, 8)
        self.prefix = nn.Parameter(torch.empty(1, 1 + registers, 8))
        self.blocks = nn.Sequential(Block(), Block(), Block())
        self.head = nn.Linear(8, 4)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        if isinstance(self.patches, nn.Conv2d):
            patches = self.patches(batch).flatten(2).mT
        else:
            patches = self.patches(nn.functional.unfold(batch, self.patch, stride=self.patch).mT)
        tokens = self.blocks(torch.cat([self.prefix.expand(len(batch), -1, -1), patches], dim=1))
        scores: Tensor = self.head(tokens[:, 0])
        return scores


class ChannelsLast(nn.Module):
    """A model with channels last between the convolution and the linear layer, as in a Swin transformer."""

    def __init__(self, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Sequential(nn.Linear(width, width), nn.GELU())
        self.head = nn.Linear(width, 3)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        cells = self.mix(self.norm(self.stem(batch).movedim(1, -1)))
        scores: Tensor = self.head(cells.mean(dim=(1, 2)))
        return scores


class Reused(nn.Module):
    """A model that calls one convolution twice, and one activation three times."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, 2, 1)
        self.conv = nn.Conv2d(4, 4, 3, 1, 1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(4, 3)
        filled(self)

    def forward(self, batch: Tensor) -> Tensor:
        once = self.relu(self.conv(self.relu(self.stem(batch))))
        scores: Tensor = self.fc(self.relu(self.conv(once)).mean(dim=(2, 3)))
        return scores
