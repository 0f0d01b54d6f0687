from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from gradcam_widgets import Classifier, GradCAMPanel
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.edits import Edit
from gradcam_widgets.panel.cache import CACHED_TRACES, ExplanationCache, Question
from tests.support.models import PAPER_GRAD_CAM, PAPER_IMAGE, OnPaper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image
    from torch import Tensor

NAMES = ("for", "against", "neither")
CROPS = [(Edit("crop", Box(0, 0, 20 + i, 20)),) for i in range(CACHED_TRACES + 1)]
NEGATIVE = (-np.array(PAPER_GRAD_CAM, np.float64)).tolist()


def on_paper(_: Image.Image) -> Tensor:
    """Show the model the image whose numbers are known, whatever the panel shows."""
    return PAPER_IMAGE[0]


@pytest.fixture
def classifier() -> Classifier:
    return Classifier(OnPaper(), on_paper, NAMES)


@pytest.fixture
def cache(classifier: Classifier) -> ExplanationCache:
    return ExplanationCache(classifier, np.zeros((40, 60, 3), np.uint8))


@pytest.fixture
def panel(classifier: Classifier) -> Iterator[GradCAMPanel]:
    panel = GradCAMPanel(np.zeros((40, 60, 3), np.uint8), classifier, layer="layer")
    yield panel
    panel.close()


def passes_of(classifier: Classifier) -> list[int]:
    passes: list[int] = []
    classifier.model.register_forward_pre_hook(lambda *_: passes.append(1))
    return passes


def negate(classifier: Classifier) -> None:
    """Train the model into its opposite: the scores of classes 0 and 1 change places, and all maps their sign."""
    with torch.no_grad():
        for parameter in classifier.model.get_submodule("fc").parameters():
            parameter.neg_()


def softmax(*scores: float) -> list[float]:
    return [math.exp(score) / sum(map(math.exp, scores)) for score in scores]


def question(crop: int, target: int = 0) -> Question:
    return Question(target, "layer", "grad-cam", CROPS[crop])


# -- weights that change


def test_a_question_is_asked_again_after_training(classifier: Classifier, cache: ExplanationCache) -> None:
    asked = Question(0, "layer", "grad-cam")
    assert cache.heatmap(asked).values.tolist() == PAPER_GRAD_CAM
    assert not cache.clear_if_stale()
    negate(classifier)
    assert cache.clear_if_stale()
    assert cache.heatmap(asked).values.tolist() == NEGATIVE
    assert not cache.clear_if_stale()


def test_classes_are_asked_again_after_training(classifier: Classifier, cache: ExplanationCache) -> None:
    assert [(p.class_index, p.logit) for p in cache.predictions((), "layer")] == [(0, 2.5), (2, 0), (1, -2.5)]
    negate(classifier)
    assert cache.clear_if_stale()
    assert [(p.class_index, p.logit) for p in cache.predictions((), "layer")] == [(1, 2.5), (2, 0), (0, -2.5)]


def test_the_panel_does_not_show_a_map_of_before_the_training(panel: GradCAMPanel, classifier: Classifier) -> None:
    assert panel.target == 0
    assert panel.heatmap.values.tolist() == PAPER_GRAD_CAM
    panel.target = 1
    assert panel.heatmap.values.tolist() == NEGATIVE
    negate(classifier)
    panel.target = 0  # the very question that was answered first
    assert panel.heatmap.values.tolist() == NEGATIVE
    panel.target = 1
    assert panel.heatmap.values.tolist() == PAPER_GRAD_CAM


def test_what_a_change_is_compared_with_is_of_the_trained_model(panel: GradCAMPanel, classifier: Classifier) -> None:
    panel.edits = CROPS[0]
    assert before(panel) == pytest.approx(softmax(2.5, -2.5, 0))
    negate(classifier)
    panel.target = 2
    assert before(panel) == pytest.approx(softmax(-2.5, 2.5, 0))


def before(panel: GradCAMPanel) -> list[float]:
    """Return each class's probability for the unchanged image, as the view shows it."""
    panel.summary()
    shown = {row["class_index"]: row["before"] for row in panel.view.predictions}
    return [shown[index] for index in range(len(NAMES))]


# -- what is remembered


def test_a_question_that_was_asked_lately_costs_no_pass(classifier: Classifier, cache: ExplanationCache) -> None:
    passes = passes_of(classifier)
    first = cache.heatmap(question(0))
    assert len(passes) == 1
    assert cache.heatmap(question(0)) is first
    cache.heatmap(question(0, target=1))
    cache.predictions(CROPS[0], "layer")
    assert len(passes) == 1


def test_what_was_not_used_for_longest_is_forgotten_first(classifier: Classifier, cache: ExplanationCache) -> None:
    passes = passes_of(classifier)
    for crop in range(CACHED_TRACES):
        cache.heatmap(question(crop))
    assert len(passes) == CACHED_TRACES
    cache.heatmap(question(0))  # the oldest, and now the one that was used last
    cache.heatmap(question(CACHED_TRACES))
    assert len(passes) == CACHED_TRACES + 1
    cache.heatmap(question(0))
    assert len(passes) == CACHED_TRACES + 1, "what was used lately was forgotten"
    cache.heatmap(question(1))
    assert len(passes) == CACHED_TRACES + 2, "what was not used for longest was kept"
