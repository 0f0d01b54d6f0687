"""How activations and gradients become a map: one pure function and one paper each.

A method is a function whose parameters name what it needs, any of

- `activations`: what the layer put out, axes (image, channel, row, column), floating point;
- `gradients`: the gradient of the class score with respect to them, same axes;
- `class_weights`: the class's row of the model's last linear layer, axes (image, channel), or None where
  there is no such layer or its inputs are not the layer's channels.

It returns a *signed* map, axes (image, row, column): ReLU is a way of looking at it, not part of its making.
`register_method` adds one.
"""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gradcam_widgets.errors import MethodError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Function = TypeVar("Function", bound="Callable[..., Tensor]")

INPUTS = ("activations", "gradients", "class_weights")


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


def register_method(name: str, citation: str) -> Callable[[Function], Function]:
    """Add a method of one's own, which is then asked for by its name: `register_method(name, citation)(function)`.

    The function takes by name what it needs, in any order, for N images at once:

    - `activations`: what the layer put out, shape (N, C, H, W), floating point;
    - `gradients`: the gradient of each image's class score with respect to them, shape (N, C, H, W);
    - `class_weights`: the classes' rows of the model's last linear layer, shape (N, C), or None where there is no
      such layer or its inputs are not the layer's channels.

    It returns a signed map, shape (N, H, W), and raises a `MethodError` where its conditions are not met.

    Args:
        name: What the method is called in menus and arguments.
        citation: Its paper.

    Returns:
        A decorator that registers a function and returns it as it is; `del METHODS[name]` takes it out again.

    Raises:
        MethodError: By the decorator, if there is a method of that name, or the function takes anything else.
    """

    def register(function: Function) -> Function:
        if name in METHODS:
            raise MethodError(f"There is a method {name!r} already: choose another name, or del METHODS[{name!r}].")
        parameters = inspect.signature(function).parameters.values()
        if any(each.kind is not each.POSITIONAL_OR_KEYWORD or each.name not in INPUTS for each in parameters):
            taken = ", ".join(str(each.replace(annotation=each.empty)) for each in parameters)
            raise MethodError(
                f"The function of method {name!r} takes ({taken}): give one whose plain parameters are named after "
                f"what it needs of {', '.join(INPUTS)}."
            )
        METHODS[name] = Method(name, citation, function, tuple(each.name for each in parameters))
        return function

    return register


@register_method("grad-cam", "Selvaraju et al. 2017, arXiv 1610.02391")
def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    r"""Weigh each channel by its mean gradient: $\sum_k \alpha_k A^k$ with $\alpha_k = \frac{1}{hw}\sum_{ij} \partial y / \partial A^k_{ij}$.

    Equations 1 and 2 of the paper, without its ReLU.
    """  # noqa: E501 - one formula
    alpha = gradients.mean(dim=(2, 3), keepdim=True)
    return (alpha * activations).sum(dim=1)


@register_method("cam", "Zhou et al. 2016, arXiv 1512.04150")
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


@register_method("hirescam", "Draelos and Carin 2020, arXiv 2011.08891")
def hirescam(activations: Tensor, gradients: Tensor) -> Tensor:
    r"""Weigh each cell of each channel by its own gradient: $\sum_k \partial y / \partial A^k \odot A^k$.

    Where global average pooling and one linear layer follow, it equals Grad-CAM: the gradient is the same in
    every cell.
    """
    return (gradients * activations).sum(dim=1)
