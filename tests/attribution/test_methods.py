from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import Tensor

from gradcam_widgets import METHODS, GradCAM, MethodError, register_method
from gradcam_widgets.attribution.methods import cam, find_method, grad_cam, hirescam
from tests.support.models import PAPER_IMAGE, OnPaper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Two images, two channels, one row of two cells, axes (image, channel, row, column).
ACTIVATIONS = torch.tensor([[[[1.0, 2]], [[3, -1]]], [[[0, 4]], [[2, 5]]]], dtype=torch.float64)
GRADIENTS = torch.tensor([[[[2.0, 4]], [[-1, 3]]], [[[1, -1]], [[6, 2]]]], dtype=torch.float64)
# With the classes' weights 4 and -2, and 1 and 3, averaging over two cells has these gradients.
CLASS_WEIGHTS = torch.tensor([[4.0, -2], [1, 3]], dtype=torch.float64)
POOLED_GRADIENTS = torch.tensor([[[[2.0, 2]], [[-1, -1]]], [[[0.5, 0.5]], [[1.5, 1.5]]]], dtype=torch.float64)


def layer_cam(gradients: Tensor, activations: Tensor) -> Tensor:
    """Jiang et al. 2021, with its parameters in another order than the package's own methods have them."""
    return (gradients.relu() * activations).sum(dim=1)


# OnPaper's gradients of class 0 are 3 0 1 / 8 0 6 and 6 -6 0 / 0 -3 -9; LayerCAM drops the negative ones.
PAPER_LAYER_CAM = [[3.0 * 1 + 6 * 2, 0 + 0, 1 * 2 + 0], [8 * 3 + 0, 0 + 0, 6 * 1 + 0]]


@pytest.fixture
def own_method() -> Iterator[str]:
    before = dict(METHODS)
    assert register_method("own-layer-cam", "Jiang et al. 2021, doi 10.1109/TIP.2021.3089943")(layer_cam) is layer_cam
    yield "own-layer-cam"
    del METHODS["own-layer-cam"]
    assert before == METHODS


def test_grad_cam_weighs_channels_by_their_mean_gradient() -> None:
    # means 3 and 1: 3·1 + 1·3, 3·2 − 1; means 0 and 4: 4·2, 4·5
    assert grad_cam(ACTIVATIONS, GRADIENTS).tolist() == [[[6, 5]], [[8, 20]]]


def test_hirescam_weighs_each_cell_by_its_own_gradient() -> None:
    # 2·1 − 1·3, 4·2 − 3·1; 1·0 + 6·2, −1·4 + 2·5
    assert hirescam(ACTIVATIONS, GRADIENTS).tolist() == [[[-1, 5]], [[12, 6]]]


def test_cam_weighs_channels_by_the_classes_weights() -> None:
    # 4·1 − 2·3, 4·2 + 2·1; 1·0 + 3·2, 1·4 + 3·5
    assert cam(ACTIVATIONS, POOLED_GRADIENTS, CLASS_WEIGHTS).tolist() == [[[-2, 10]], [[6, 19]]]


@pytest.mark.parametrize(
    ("gradients", "class_weights"),
    [(GRADIENTS, CLASS_WEIGHTS), (POOLED_GRADIENTS, None), (2 * POOLED_GRADIENTS, CLASS_WEIGHTS)],
    ids=["other gradients", "no linear layer", "a sum instead of a mean"],
)
def test_cam_is_refused_without_global_average_pooling(gradients: Tensor, class_weights: Tensor | None) -> None:
    with pytest.raises(MethodError, match=r"^CAM requires global average pooling followed by a single linear layer"):
        cam(ACTIVATIONS, gradients, class_weights)


@pytest.mark.parametrize(
    ("name", "function", "needs", "paper"),
    [
        ("grad-cam", grad_cam, ("activations", "gradients"), "1610.02391"),
        ("cam", cam, ("activations", "gradients", "class_weights"), "1512.04150"),
        ("hirescam", hirescam, ("activations", "gradients"), "2011.08891"),
    ],
)
def test_a_method_has_its_paper_and_what_it_needs(
    name: str, function: Callable[..., Tensor], needs: tuple[str, ...], paper: str
) -> None:
    found = find_method(name)
    assert (found.name, found.function, found.needs) == (name, function, needs)
    assert paper in found.citation
    assert list(METHODS) == ["grad-cam", "cam", "hirescam"]


@pytest.mark.parametrize(
    ("given", "hint"),
    [("gradcam", "; did you mean 'grad-cam'?"), ("HiResCAM", "; did you mean 'hirescam'?"), ("zzz", "."), (5, ".")],
)
def test_an_unknown_method_is_told_with_a_close_one_and_all(given: Any, hint: str) -> None:
    expected = f"method must be 'grad-cam', 'cam' or 'hirescam', got {given!r}{hint}"
    with pytest.raises(MethodError, match=f"^{re.escape(expected)}$"):
        find_method(given)


def test_a_method_of_ones_own_gives_the_map_of_its_formula(own_method: str) -> None:
    heatmap = GradCAM(OnPaper()).heatmap(PAPER_IMAGE, 0, "layer", method=own_method)
    assert PAPER_LAYER_CAM == [[15, 0, 2], [24, 0, 6]]
    assert heatmap.values.tolist() == PAPER_LAYER_CAM
    assert heatmap.method == "own-layer-cam"


def test_a_method_of_ones_own_is_found_like_the_others(own_method: str) -> None:
    found = find_method(own_method)
    assert (found.function, found.needs) == (layer_cam, ("gradients", "activations"))
    assert found.citation.startswith("Jiang et al. 2021")
    with pytest.raises(MethodError, match="method must be 'grad-cam', 'cam', 'hirescam' or 'own-layer-cam'"):
        find_method("zzz")


def test_a_method_may_need_the_class_weights_alone() -> None:
    try:
        register_method("weights", "none")(lambda class_weights: class_weights[:, :, None])
        assert METHODS["weights"].needs == ("class_weights",)
    finally:
        METHODS.pop("weights", None)


@pytest.mark.parametrize("name", ["grad-cam", "cam", "hirescam"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    before = dict(METHODS)
    expected = f"name {name!r} is taken by another method: choose another name, or del METHODS[{name!r}]."
    with pytest.raises(MethodError, match=f"^{re.escape(expected)}$"):
        register_method(name, "none")(layer_cam)
    assert before == METHODS


def positional_only(activations: Tensor, /) -> Tensor:
    return activations[:, 0]


def keyword_only(*, activations: Tensor) -> Tensor:
    return activations[:, 0]


def any_number(*activations: Tensor) -> Tensor:
    return activations[0][:, 0]


def any_keyword(**gradients: Tensor) -> Tensor:
    return gradients["gradients"][:, 0]


def unknown(activations: Tensor, gradient: Tensor) -> Tensor:
    return (activations * gradient).sum(dim=1)


def unknown_with_default(activations: Tensor, power: int = 2) -> Tensor:
    return (activations**power).sum(dim=1)


@pytest.mark.parametrize(
    ("function", "taken"),
    [
        (positional_only, "activations"),
        (keyword_only, "activations"),
        (any_number, "*activations"),
        (any_keyword, "**gradients"),
        (unknown, "activations, gradient"),
        (unknown_with_default, "activations, power=2"),
    ],
)
def test_a_function_that_takes_anything_else_is_refused(function: Callable[..., Tensor], taken: str) -> None:
    before = dict(METHODS)
    assert inspect.signature(function).parameters
    expected = (
        f"The function of method 'own' has the parameters ({taken}): use plain ones among activations, gradients, "
        "class_weights."
    )
    with pytest.raises(MethodError, match=f"^{re.escape(expected)}$"):
        register_method("own", "none")(function)
    assert before == METHODS
