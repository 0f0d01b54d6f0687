from __future__ import annotations

import re
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gradcam_widgets import ModelError
from gradcam_widgets.attribution.scored_model import ScoredModel
from tests.support.models import OnPaper

LOGITS, OTHERS = torch.tensor([[1.0, 2, 3]]), torch.tensor([[9.0, 8, 7]])


class WithAttributes:
    """What a model may return, with attributes in an order of its own and nothing to index."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Numbered(nn.Module):
    """Has parameters of whole numbers before its weights, as a quantized model has."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.step = nn.Parameter(torch.tensor([3]), requires_grad=False)
        self.codes = nn.Parameter(torch.tensor([[1, 2]], dtype=torch.uint8), requires_grad=False)
        self.layer = nn.Conv2d(3, 2, 1).to(dtype)


@pytest.mark.parametrize(
    "output",
    [
        {"logits": LOGITS, "out": OTHERS},
        {"out": OTHERS, "logits": LOGITS},
        OrderedDict(aux=OTHERS, out=OTHERS, logits=LOGITS),
        SimpleNamespace(out=OTHERS, logits=LOGITS),
        WithAttributes(logits=LOGITS, out=OTHERS),
        {"logits": None, "out": LOGITS},
        {"logits": [OTHERS], "out": LOGITS},
        {"out": LOGITS, "aux": OTHERS},
        {"aux": OTHERS, "logits": LOGITS},
        (LOGITS, OTHERS),
        [LOGITS, OTHERS],
        LOGITS,
    ],
)
def test_logits_are_read_before_out_and_out_before_the_first(output: Any) -> None:
    assert ScoredModel(nn.Identity()).read_scores(output) is LOGITS


def test_a_function_of_ones_own_reads_the_scores_from_any_place() -> None:
    scored = ScoredModel(nn.Identity(), output=lambda output: output["aux"])
    assert scored.read_scores({"logits": LOGITS, "out": LOGITS, "aux": OTHERS}) is OTHERS


def test_one_score_for_each_image_is_a_column() -> None:
    assert ScoredModel(nn.Identity()).read_scores(torch.tensor([2.0, 5.0])).tolist() == [[2], [5]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_a_batch_is_brought_to_the_first_weights_of_floats(dtype: torch.dtype) -> None:
    batch = torch.tensor([[[[0.25, -1.5]]]])
    ready = ScoredModel(Numbered(dtype)).prepare(batch)
    assert ready.dtype == dtype
    assert ready.tolist() == [[[[0.25, -1.5]]]]


def test_a_batch_stays_as_it_is_where_there_are_no_weights() -> None:
    batch = torch.tensor([[[[0.25, -1.5]]]], dtype=torch.float64, requires_grad=True)
    ready = ScoredModel(nn.ReLU()).prepare(batch)
    assert (ready.dtype, ready.requires_grad) == (torch.float64, False)
    assert torch.equal(ready, batch)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        ([[0.5]], "batch must be a torch tensor, got list: preprocess the image first."),
        (torch.zeros(3, 4, 5), "batch must have shape (N, C, H, W), got (3, 4, 5): add the first axis by batch[None]."),
        (torch.zeros(1, 3, 0, 5), "without empty axes, got (1, 3, 0, 5)."),
        (torch.zeros(3, 4), "batch must have shape (N, C, H, W) without empty axes, got (3, 4)."),
        (torch.zeros(1, 3, 4, 5, dtype=torch.uint8), "floating-point tensor, got torch.uint8: preprocess"),
    ],
)
def test_what_is_no_batch_is_told_in_one_sentence(batch: Any, said: str) -> None:
    with pytest.raises(ModelError, match=re.escape(said)):
        ScoredModel(OnPaper()).prepare(batch)


@pytest.mark.parametrize(
    ("output", "what"),
    [
        (torch.zeros(1, 3, 2), "got float32 of shape (1, 3, 2):"),
        (torch.zeros(1, 0), "got float32 of shape (1, 0):"),
        (torch.zeros(1, 3, dtype=torch.int64), "got int64 of shape (1, 3):"),
        ({"logits": [1, 2]}, "got dict:"),
        ((), "got tuple:"),
        (None, "got NoneType:"),
    ],
)
def test_an_output_without_scores_is_told_with_the_remedy(output: Any, what: str) -> None:
    with pytest.raises(ModelError, match=re.escape(what) + " set GradCAM"):
        ScoredModel(nn.Identity()).read_scores(output)


@pytest.mark.parametrize(("names", "name"), [(("a", "b", "c"), "c"), (None, None), ((), None)])
def test_a_class_has_its_name_where_names_are_known(names: tuple[str, ...] | None, name: str | None) -> None:
    assert ScoredModel(nn.Identity(), names).class_name(2) == name


def test_scores_are_told_from_what_batch_and_weights_hold() -> None:
    bad, good = torch.full((1, 3), torch.nan), torch.zeros(1, 2, 2, 3)
    scored = ScoredModel(OnPaper())
    scored.check_scores(LOGITS, good)
    with pytest.raises(ModelError, match=r"^batch contains NaN or infinity"):
        scored.check_scores(bad, good / 0)
    with pytest.raises(ModelError, match=r"^The class scores are not finite in torch\.float32: run the model"):
        scored.check_scores(bad, good)
    with torch.no_grad():
        set_first(scored.model.get_parameter("fc.bias"))
    with pytest.raises(ModelError, match=r"^The weights 'fc\.bias' contain NaN or infinity"):
        scored.check_scores(bad, good)


def set_first(values: Tensor) -> None:
    values[0] = torch.inf
