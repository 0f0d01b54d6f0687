from __future__ import annotations

import gc
import math

import pytest
import torch
from torch import Tensor, nn

from gradcam_widgets import GradCAM
from gradcam_widgets.attribution.recording import ModuleOutput
from tests.support.models import PAPER_IMAGE, OnPaper, Pooled, filled, image


class Fixed(nn.Module):
    """Puts out the class scores that it was given, at a slope of 1 in the mean of its one layer."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 1, bias=False).double()
        self.register_buffer("scores", torch.tensor([scores], dtype=torch.float64))

    def forward(self, batch: Tensor) -> Tensor:
        mean = self.layer(batch).mean(dim=(1, 2, 3))[:, None]
        scores: Tensor = self.scores + (mean - mean.detach())
        return scores


class TwoHeads(Pooled):
    """Has two linear layers of one shape; the one that is defined first plays no part in the scores."""

    def __init__(self) -> None:
        super().__init__()
        classifier = self.classifier
        del self.classifier
        self.auxiliary = nn.Linear(5, 3)
        self.classifier = classifier
        filled(self, seed=3)


# -- what a trace keeps


def test_activations_are_those_of_the_pass_and_detached() -> None:
    activations = GradCAM(OnPaper()).trace(PAPER_IMAGE, "layer").activations["layer"]
    assert torch.equal(activations, PAPER_IMAGE)  # the layer hands its input on
    assert not activations.requires_grad
    assert activations.grad_fn is None


def test_activations_of_several_layers_are_detached() -> None:
    trace = GradCAM(Pooled()).trace(image(), ["stem.0", "features", "relu"])
    assert [tuple(each.shape) for each in trace.activations.values()] == [(1, 6, 12, 18), (1, 5, 6, 9), (1, 5, 6, 9)]
    assert not any(each.requires_grad for each in trace.activations.values())


def test_logits_and_probabilities_are_detached() -> None:
    trace = GradCAM(OnPaper()).trace(PAPER_IMAGE, "layer")
    assert trace.logits.tolist() == [[2.5, -2.5, 0]]
    assert not trace.logits.requires_grad
    assert not trace.probabilities.requires_grad


def test_a_trace_keeps_the_output_of_no_layer_but_its_own() -> None:
    engine, batch = GradCAM(Pooled()), image()
    assert len(engine.layers(batch)) == 6
    gc.collect()
    before = count_of_outputs()
    traces = [engine.trace(batch), engine.trace(batch, ["relu", "stem.0"])]
    assert [list(trace.activations) for trace in traces] == [["relu"], ["relu", "stem.0"]]
    gc.collect()
    assert count_of_outputs() == before
    assert [sorted(trace._recording.kept) for trace in traces] == [["relu"], ["relu", "stem.0"]]


def count_of_outputs() -> int:
    return sum(type(each) is ModuleOutput for each in gc.get_objects())


# -- classes and their scores


@pytest.mark.parametrize("count", [2, 64, 1000])
def test_classes_of_one_score_stand_in_the_order_of_their_index(count: int) -> None:
    trace = GradCAM(Fixed(*[0.5] * count)).trace(PAPER_IMAGE, "layer")
    found = trace.predictions(count)
    assert [prediction.class_index for prediction in found] == list(range(count))
    assert [prediction.probability for prediction in found] == pytest.approx([1 / count] * count)
    assert trace.heatmap().class_index == 0


def test_ties_behind_the_best_class_stand_in_order_too() -> None:
    scores = [0.0] * 100
    scores[70], scores[99] = 2, -1
    trace = GradCAM(Fixed(*scores)).trace(PAPER_IMAGE, "layer")
    others = [i for i in range(100) if i not in (70, 99)]
    assert [prediction.class_index for prediction in trace.predictions(100)] == [70, *others, 99]


@pytest.mark.parametrize("logit", [1.0, 0.0, 0.5, -2.0, 3.0])
def test_one_logit_is_no_probability_whatever_its_value(logit: float) -> None:
    trace = GradCAM(Fixed(logit)).trace(PAPER_IMAGE, "layer")
    sigmoid = 1 / (1 + math.exp(-logit))
    assert trace.probabilities.tolist() == [[pytest.approx(sigmoid, rel=1e-12)]]
    heatmap = trace.heatmap()
    assert heatmap.values.any()
    assert heatmap.logit == logit
    assert heatmap.probability == pytest.approx(sigmoid, rel=1e-12)
    assert heatmap.caveats == heatmap.notes == ()


@pytest.mark.parametrize(
    ("scores", "probabilities"),
    [
        ((0.25, 0.75), (0.25, 0.75)),
        ((0.25, 0.7495), (0.25, 0.7495)),  # half precision rounds to a thousandth
        ((0.25, 0.70), (math.exp(0.25) / (math.exp(0.25) + math.exp(0.7)),)),
        ((-0.25, 1.25), (math.exp(-0.25) / (math.exp(-0.25) + math.exp(1.25)),)),
        ((0.5, 0.5, 0.5), (1 / 3, 1 / 3, 1 / 3)),
    ],
)
def test_scores_in_0_to_1_that_sum_to_1_are_probabilities(
    scores: tuple[float, ...], probabilities: tuple[float, ...]
) -> None:
    trace = GradCAM(Fixed(*scores)).trace(PAPER_IMAGE, "layer")
    assert trace.probabilities[0, : len(probabilities)].tolist() == pytest.approx(probabilities, rel=1e-12)
    told = any("look like probabilities" in note for note in trace.heatmap(0).notes)
    assert told == (scores[0] == probabilities[0])


# -- the class's weights


def test_cam_takes_the_last_of_two_linear_layers_that_fit() -> None:
    model = TwoHeads().eval()
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    assert names == ["auxiliary", "classifier"]
    batch = image()
    with torch.no_grad():
        maps = model.relu(model.features(model.stem(batch)))
        expected = torch.einsum("k,khw->hw", model.classifier.weight[1], maps[0])
    assert expected.std() > 0.1, "the reference is blank"
    found = GradCAM(model).heatmap(batch, 1, "relu", method="cam")
    torch.testing.assert_close(torch.from_numpy(found.values.copy()), expected)
