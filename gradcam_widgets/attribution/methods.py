"""How activations and gradients become a map: one pure function and one paper each.

A method is a function whose parameters name what it needs, any of

- `activations`: what the layer put out, axes (image, channel, row, column), floating point;
- `gradients`: the gradient of the class score with respect to them, same axes;
- `class_weights`: the class's row of the model's last linear layer, axes (image, channel), or None where
  there is no such layer or its inputs are not the layer's channels.

It returns a *signed* map, axes (image, row, column): ReLU is a way of looking at it, not part of its making.
"""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcam_widgets.errors import MethodError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Method:
    """A way to make a map.

    Attributes:
        name: What the method is called in menus and arguments.
        citation: Its paper.
        function: The pure function.
        needs: The names of the function's parameters.
    """

    name: str
    citation: str
    function: Callable[..., Tensor]
    needs: tuple[str, ...]


METHODS: dict[str, Method] = {}


def find_method(name: str) -> Method:
    """Look a method up by its name.

    Raises:
        MethodError: If there is none of that name.
    """
    if name in METHODS:
        return METHODS[name]
    close = difflib.get_close_matches(str(name).lower(), METHODS, n=1, cutoff=0.3)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise MethodError(f"There is no method {name!r}: {hint}choose one of {', '.join(METHODS)}.")


def _method(name: str, citation: str) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    def register(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        METHODS[name] = Method(name, citation, function, tuple(inspect.signature(function).parameters))
        return function

    return register


@_method("grad-cam", "Selvaraju et al. 2017, arXiv 1610.02391")
def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    r"""Weigh each channel by its mean gradient: $\sum_k \alpha_k A^k$ with $\alpha_k = \frac{1}{hw}\sum_{ij} \partial y / \partial A^k_{ij}$.

    Equations 1 and 2 of the paper, without its ReLU.
    """  # noqa: E501 - one formula
    alpha = gradients.mean(dim=(2, 3), keepdim=True)
    return (alpha * activations).sum(dim=1)


@_method("cam", "Zhou et al. 2016, arXiv 1512.04150")
def cam(activations: Tensor, gradients: Tensor, class_weights: Tensor | None) -> Tensor:
    r"""Weigh each channel by the class's weight in the linear layer behind global average pooling: $\sum_k w_k A^k$.

    Under that architecture, and only there, $\partial y / \partial A^k_{ij} = w_k / (hw)$ in every cell, which is
    what is checked.

    Raises:
        MethodError: If anything but global average pooling and one linear layer follows the target layer.
    """
    cells = activations.shape[2] * activations.shape[3]
    if class_weights is not None:
        expected = (class_weights / cells)[:, :, None, None]
        if (gradients - expected).abs().max() <= 1e-2 * expected.abs().max():
            return (class_weights[:, :, None, None] * activations).sum(dim=1)
    raise MethodError(
        "CAM needs global average pooling and one linear layer right after the target layer, which is not so here: "
        "choose the last layer before the pooling, or the method 'grad-cam', which needs neither."
    )


@_method("hirescam", "Draelos and Carin 2020, arXiv 2011.08891")
def hirescam(activations: Tensor, gradients: Tensor) -> Tensor:
    r"""Weigh each cell of each channel by its own gradient: $\sum_k \partial y / \partial A^k \odot A^k$.

    Where global average pooling and one linear layer follow, it equals Grad-CAM: the gradient is the same in
    every cell.
    """
    return (gradients * activations).sum(dim=1)
