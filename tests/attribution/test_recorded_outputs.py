from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from gradcam_widgets import GradCAM
from tests.support.models import PAPER_GRAD_CAM, PAPER_HIRESCAM, PAPER_IMAGE, OnPaper

if TYPE_CHECKING:
    from collections.abc import Callable


class Found(NamedTuple):
    """What a layer may put out: its maps, and something else."""

    maps: Tensor
    scale: float


class Wrapping(nn.Module):
    """Hands its input on, as the first of several things."""

    def __init__(self, wrap: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.wrap = wrap

    def forward(self, batch: Tensor) -> Any:
        return self.wrap(batch)


class OnPaperWithin(OnPaper):
    """Reads from what its layer puts out the maps, and checks that the rest came with them."""

    def __init__(self, wrap: Callable[[Tensor], Any], read: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.wrapping, self.read = Wrapping(wrap), read

    def forward(self, batch: Tensor) -> Tensor:
        scores: Tensor = self.fc(self.relu(self.read(self.wrapping(self.layer(batch)))).flatten(1))
        return scores


def of_named_tuple(found: Any) -> Tensor:
    assert isinstance(found, Found)
    assert found.scale == 0.5
    return found.maps


def of_pair(found: Any) -> Tensor:
    assert found[1:] in (("more", 3), ["more", 3])
    maps: Tensor = found[0]
    return maps


@pytest.mark.parametrize(
    ("wrap", "read", "kind"),
    [
        (lambda maps: Found(maps, 0.5), of_named_tuple, Found),
        (lambda maps: (maps, "more", 3), of_pair, tuple),
        (lambda maps: [maps, "more", 3], of_pair, list),
    ],
    ids=["named tuple", "tuple", "list"],
)
def test_of_several_things_a_layer_puts_out_the_first_is_kept(
    wrap: Callable[[Tensor], Any], read: Callable[[Any], Tensor], kind: type
) -> None:
    model = OnPaperWithin(wrap, read)
    assert type(model.wrapping(PAPER_IMAGE)) is kind
    trace = GradCAM(model).trace(PAPER_IMAGE, "wrapping")
    assert trace.logits.tolist() == [[2.5, -2.5, 0]]
    assert torch.equal(trace.activations["wrapping"], PAPER_IMAGE)  # before the in-place ReLU behind it
    assert trace.heatmap(0).values.tolist() == PAPER_GRAD_CAM
    assert trace.heatmap(0, method="hirescam").values.tolist() == PAPER_HIRESCAM
