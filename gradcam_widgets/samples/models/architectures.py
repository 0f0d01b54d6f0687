"""Small versions of the walkthroughs' three architectures: residual, VGG-like and densely connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torchvision.models import DenseNet

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016, arXiv 1512.03385)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """Create a block; if it changes the grid or the channels, the shortcut is a 1×1 convolution."""
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Map `(N, C, H, W)` float32 activations to those of the next block."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        result: Tensor = self.relu(out)
        return result


class Residual(nn.Module):
    """Four stages, global average pooling and one linear layer, as in ResNet-18; the last grid is 7×7.

    Args:
        num_classes: Number of classes.
    """

    def __init__(self, num_classes: int) -> None:
        """Create the model with random weights."""
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.layer1 = ResidualBlock(16, 24, 2)
        self.layer2 = ResidualBlock(24, 48, 2)
        self.layer3 = ResidualBlock(48, 96, 2)
        self.layer4 = ResidualBlock(96, 128, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images, `(N, 3, H, W)` float32, to logits, `(N, classes)`."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        scores: Tensor = self.fc(self.avgpool(x).flatten(1))
        return scores


def vgg_like(num_classes: int) -> nn.Sequential:
    """Create a VGG with three linear layers, so that CAM does not apply; the last grid is 14×14.

    Simonyan and Zisserman 2015, arXiv 1409.1556, with batch normalization.
    """
    features: list[nn.Module] = []
    inputs = 3
    for outputs, stride in (
        (16, 2),
        ("pool", 0),
        (32, 1),
        ("pool", 0),
        (64, 1),
        (64, 1),
        ("pool", 0),
        (96, 1),
        (96, 1),
    ):
        if isinstance(outputs, str):
            features.append(nn.MaxPool2d(2))
            continue
        features += [
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
        inputs = outputs
    model = nn.Sequential()
    model.add_module("features", nn.Sequential(*features))
    model.add_module("pool", nn.AdaptiveMaxPool2d(4))
    model.add_module("flatten", nn.Flatten())
    model.add_module(
        "classifier",
        nn.Sequential(
            nn.Linear(4 * 4 * inputs, 96),
            nn.ReLU(inplace=True),
            nn.Dropout(0.2),
            nn.Linear(96, 48),
            nn.ReLU(inplace=True),
            nn.Linear(48, num_classes),
        ),
    )
    return model


def dense(num_classes: int) -> DenseNet:
    """Create torchvision's DenseNet with few, narrow layers; the last grid is 7×7, at `features`.

    Huang et al. 2017, arXiv 1608.06993.
    """
    return DenseNet(growth_rate=12, block_config=(2, 3, 4, 4), num_init_features=16, bn_size=2, num_classes=num_classes)


ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {"residual": Residual, "vgg_like": vgg_like, "dense": dense}
