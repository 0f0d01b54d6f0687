"""Class activation methods, each a pure function from one paper.

The parameters of a method name its inputs, any of

- `activations`: the layer's output, `(N, C, H, W)` float tensor;
- `gradients`: the gradient of the class score with respect to the activations, `(N, C, H, W)` float tensor;
- `class_weights`: the class's row of the model's last linear layer, `(N, C)` float tensor, or None if there is no
  such layer or its inputs are not the layer's channels.

It returns a *signed* `(N, H, W)` float tensor in the units of the class score: ReLU is left to the display.
`register_method` adds one.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gradcam_widgets._choices import check_choice
from gradcam_widgets.errors import MethodError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

Function = TypeVar("Function", bound="Callable[..., Tensor]")

INPUTS = ("activations", "gradients", "class_weights")


@dataclass(frozen=True)
class Method:
    """A class activation method.

    Attributes:
        name: Name of the method in menus and arguments.
        citation: Its paper.
        function: The pure function.
        needs: Names of the function's parameters.
    """

    name: str
    citation: str
    function: Callable[..., Tensor]
    needs: tuple[str, ...]


METHODS: dict[str, Method] = {}


def find_method(name: str) -> Method:
    """Return the method of a name.

    Raises:
        MethodError: If the name is unknown.
    """
    check_choice("method", name, tuple(METHODS), error=MethodError)
    return METHODS[name]


def register_method(name: str, citation: str) -> Callable[[Function], Function]:
    """Register a method under a name: `register_method(name, citation)(function)`.

    The function takes any of these parameters, for N images at once:

    - `activations`: the layer's output, `(N, C, H, W)` float tensor;
    - `gradients`: the gradient of each image's class score with respect to the activations, `(N, C, H, W)`;
    - `class_weights`: the classes' rows of the model's last linear layer, `(N, C)`, or None if there is no such layer
      or its inputs are not the layer's channels.

    It returns a signed `(N, H, W)` map, and raises a `MethodError` if its conditions are not met.

    Args:
        name: The method's name in menus and arguments.
        citation: Its paper.

    Returns:
        A decorator that returns the function unchanged; `del METHODS[name]` removes the method.

    Raises:
        MethodError: By the decorator, if the name is taken or the function has other parameters.
    """

    def register(function: Function) -> Function:
        if name in METHODS:
            raise MethodError(
                f"name {name!r} is taken by another method: choose another name, or del METHODS[{name!r}]."
            )
        parameters = inspect.signature(function).parameters.values()
        if any(each.kind is not each.POSITIONAL_OR_KEYWORD or each.name not in INPUTS for each in parameters):
            taken = ", ".join(str(each.replace(annotation=each.empty)) for each in parameters)
            raise MethodError(
                f"The function of method {name!r} has the parameters ({taken}): use plain ones among "
                f"{', '.join(INPUTS)}."
            )
        METHODS[name] = Method(name, citation, function, tuple(each.name for each in parameters))
        return function

    return register


@register_method("grad-cam", "Selvaraju et al. 2017, arXiv 1610.02391")
def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    r"""Weight each channel by its mean gradient: $\sum_k \alpha_k A^k$ with $\alpha_k = \frac{1}{hw}\sum_{ij} \partial y / \partial A^k_{ij}$.

    Equations 1 and 2 of Selvaraju et al. 2017 (arXiv 1610.02391), without the ReLU.
    """  # noqa: E501 - one formula
    alpha = gradients.mean(dim=(2, 3), keepdim=True)
    return (alpha * activations).sum(dim=1)


@register_method("cam", "Zhou et al. 2016, arXiv 1512.04150")
def cam(activations: Tensor, gradients: Tensor, class_weights: Tensor | None) -> Tensor:
    r"""Weight each channel by the class's weight in the linear layer after global average pooling: $\sum_k w_k A^k$.

    Equation 2 of Zhou et al. 2016 (arXiv 1512.04150). The architecture is checked by its gradients, as it implies
    $\partial y / \partial A^k_{ij} = w_k / (hw)$ in every cell.

    Raises:
        MethodError: If anything but global average pooling and one linear layer follows the target layer.
    """
    cells = activations.shape[2] * activations.shape[3]
    if class_weights is not None:
        expected = (class_weights / cells)[:, :, None, None]
        if (gradients - expected).abs().max() <= 1e-2 * expected.abs().max():
            return (class_weights[:, :, None, None] * activations).sum(dim=1)
    raise MethodError(
        "CAM requires global average pooling followed by a single linear layer after the target layer; "
        "use the last layer before pooling or method='grad-cam'."
    )


@register_method("hirescam", "Draelos and Carin 2020, arXiv 2011.08891")
def hirescam(activations: Tensor, gradients: Tensor) -> Tensor:
    r"""Weight each cell of each channel by its own gradient: $\sum_k \partial y / \partial A^k \odot A^k$.

    Draelos and Carin 2020 (arXiv 2011.08891). Before global average pooling and one linear layer it equals Grad-CAM,
    as the gradient is the same in every cell.
    """
    return (gradients * activations).sum(dim=1)
