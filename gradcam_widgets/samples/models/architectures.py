"""Models of the walkthroughs' three families, small enough to ship: residual, VGG-like, densely connected."""

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
        """Make a block; where it changes the grid or the channels its shortcut is a 1×1 convolution."""
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
        """Run the block, axes (image, channel, row, column)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        result: Tensor = self.relu(out)
        return result


class Residual(nn.Module):
    """Four stages, global average pooling and one linear layer, as in ResNet-18; its last map is 7×7.

    Args:
        class_names: Number of class scores.
    """

    def __init__(self, class_names: int) -> None:
        """Make the model."""
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.layer1 = ResidualBlock(16, 24, 2)
        self.layer2 = ResidualBlock(24, 48, 2)
        self.layer3 = ResidualBlock(48, 96, 2)
        self.layer4 = ResidualBlock(96, 128, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, class_names)

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores, axes (image, class), of images, axes (image, channel, row, column)."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
        scores: Tensor = self.fc(self.avgpool(x).flatten(1))
        return scores


def vgg_like(class_names: int) -> nn.Sequential:
    """Make convolutions, pooling and hidden fully connected layers, as in VGG: no CAM, and a last map of 14×14.

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
            nn.Linear(48, class_names),
        ),
    )
    return model


def dense(class_names: int) -> DenseNet:
    """Make torchvision's DenseNet with few and narrow layers; its last map is 7×7, at `features`.

    Huang et al. 2017, arXiv 1608.06993.
    """
    return DenseNet(growth_rate=12, block_config=(2, 3, 4, 4), num_init_features=16, bn_size=2, num_classes=class_names)


ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {"residual": Residual, "vgg_like": vgg_like, "dense": dense}
