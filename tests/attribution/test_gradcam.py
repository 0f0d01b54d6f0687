from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn

from gradcam_widgets import (
    GradCAM,
    GradCAMError,
    Heatmap,
    LayerError,
    MethodError,
    ModelError,
    Prediction,
    TargetError,
)
from tests.support.models import (
    PAPER_GRAD_CAM,
    PAPER_HIRESCAM,
    PAPER_IMAGE,
    OnPaper,
    Pooled,
    Reused,
    filled,
    image,
    random_model,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPS = ("submarine", "container ship", "aircraft carrier")


class HiddenLayer(Pooled):
    """Has a hidden layer of the layer's own width behind the pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 5), nn.ReLU())
        filled(self)


class Answering(Pooled):
    """Returns its scores in some container."""

    def __init__(self, wrap: Callable[[Tensor], Any], class_names: int = 3) -> None:
        super().__init__(class_names)
        self.wrap = wrap

    def forward(self, batch: Tensor) -> Any:
        return self.wrap(super().forward(batch))


def double(values: Any) -> Tensor:
    if isinstance(values, Tensor):
        return values.detach().double()
    return torch.tensor(np.array(values), dtype=torch.float64)


def assert_equal(found: Heatmap, expected: Any, tolerance: float = 1e-5) -> None:
    """Compare to a share of the range, after making sure that there is something to compare."""
    reference = double(expected)
    spread = float(reference.max() - reference.min())
    assert spread > 1e-4, "the reference is blank"
    assert found.grid == tuple(reference.shape)
    assert float((double(found.values) - reference).abs().max()) <= tolerance * spread


def output_of(model: nn.Module, layer: str, batch: Tensor) -> Tensor:
    seen: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *args: seen.append(args[2].detach().clone()))
    model(batch)
    handle.remove()
    return seen[-1]


def finite_differences(model: nn.Module, layer: str, batch: Tensor, class_index: int) -> tuple[Tensor, Tensor]:
    """Return what a layer puts out for one image and the score's slope in each of its numbers."""
    activations = output_of(model, layer, batch)[0]
    steps = 1e-6 * torch.eye(activations.numel(), dtype=torch.float64).reshape(-1, *activations.shape)

    def scores(change: Tensor) -> Tensor:
        handle = model.get_submodule(layer).register_forward_hook(lambda *_: activations + change)
        found: Tensor = model(batch.expand(len(change), -1, -1, -1))[:, class_index]
        handle.remove()
        return found.detach()

    return activations, ((scores(steps) - scores(-steps)) / 2e-6).reshape(activations.shape)


def counted(model: nn.Module) -> tuple[list[int], list[int]]:
    """Count the forward and the backward passes of a model."""
    forward: list[int] = []
    backward: list[int] = []
    model.register_forward_pre_hook(lambda *_: forward.append(1))
    model.get_submodule("classifier").register_full_backward_hook(lambda *_: backward.append(1))
    return forward, backward


def test_a_small_model_gives_the_numbers_derived_on_paper() -> None:
    trace = GradCAM(OnPaper()).trace(PAPER_IMAGE, "layer")
    assert trace.logits.tolist() == [[2.5, -2.5, 0]]
    total = np.exp(2.5) + np.exp(-2.5) + 1
    np.testing.assert_allclose(trace.probabilities[0], [np.exp(2.5) / total, np.exp(-2.5) / total, 1 / total])
    assert trace.heatmap(0).values.tolist() == PAPER_GRAD_CAM
    assert trace.heatmap(0, method="hirescam").values.tolist() == PAPER_HIRESCAM
    assert trace.heatmap(1).values.tolist() == (-np.array(PAPER_GRAD_CAM)).tolist()
    nothing = trace.heatmap(2)
    assert not nothing.values.any()
    assert nothing.caveats == ("The map is zero: the score of class 2 does not depend on layer layer.",)


@pytest.mark.parametrize("layer", ["stem.0", "stem", "features", "relu"])
@pytest.mark.parametrize("class_index", [0, 2])
def test_maps_are_those_of_finite_differences(layer: str, class_index: int) -> None:
    model = Pooled().double().eval()
    batch = image(8, 12, dtype=torch.float64)
    activations, slopes = finite_differences(model, layer, batch, class_index)
    trace = GradCAM(model).trace(batch, layer)
    assert_equal(trace.heatmap(class_index), (slopes.mean(dim=(1, 2), keepdim=True) * activations).sum(dim=0))
    assert_equal(trace.heatmap(class_index, method="hirescam"), (slopes * activations).sum(dim=0))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "layer"),
    [
        ("vgg11", "features.18"),
        ("vgg11", "features.3"),
        ("resnet18", "layer4.1.bn2"),
        ("resnet18", "layer1.0.bn1"),
        ("resnet18", "layer3"),
        ("densenet121", "features"),
        ("densenet121", "features.denseblock4.denselayer16.norm1"),
        ("squeezenet1_1", "features.12.squeeze"),
    ],
)
def test_maps_are_captums_even_where_an_in_place_operation_follows(model: str, layer: str) -> None:
    built = random_model(model, num_classes=10)
    batch, classes = image(64, 96, images=2), [3, 7]
    captum = LayerGradCam(built, built.get_submodule(layer))
    expected = captum.attribute(batch, target=torch.tensor(classes), relu_attributions=False).detach()[:, 0]
    for found, reference in zip(GradCAM(built).heatmaps(batch, classes, layer), expected, strict=True):
        assert_equal(found, reference)


@pytest.mark.parametrize("method", ["grad-cam", "hirescam"])
def test_negating_the_score_flips_the_map(method: str) -> None:
    model = Pooled()
    first = GradCAM(model).heatmap(image(), 1, "features", method)
    assert first.values.min() < 0 < first.values.max()
    negated = GradCAM(model, output=lambda scores: -scores).heatmap(image(), 1, "features", method)
    assert np.array_equal(negated.values, -first.values)
    assert negated.logit == -first.logit


def test_cam_is_the_classes_weights_times_the_activations() -> None:
    model = Pooled().eval()
    expected = torch.einsum("k,khw->hw", model.classifier.weight[2], output_of(model, "relu", image())[0])
    assert_equal(GradCAM(model).heatmap(image(), 2, "relu", "cam"), expected.detach())


@pytest.mark.parametrize(
    ("model", "layer", "cells"),
    [(Pooled(), "relu", 6 * 9), (random_model("resnet18"), "layer4.1", 2 * 3)],
    ids=["pooled", "resnet18"],
)
def test_after_global_pooling_the_three_methods_agree(model: nn.Module, layer: str, cells: int) -> None:
    batch = image() if cells == 54 else image(64, 96)
    trace = GradCAM(model).trace(batch, layer)
    reference = trace.heatmap(1, method="cam").values / cells
    assert_equal(trace.heatmap(1), reference)
    assert_equal(trace.heatmap(1, method="hirescam"), reference)


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (Pooled(), "features"),
        (HiddenLayer(), "relu"),
        (random_model("mobilenet_v3_small"), None),
        (random_model("vgg11", num_classes=10), None),
        (random_model("densenet121"), None),
        (random_model("squeezenet1_1"), None),
    ],
    ids=["ReLU between", "hidden layer", "MobileNetV3", "VGG", "DenseNet", "SqueezeNet"],
)
def test_cam_is_refused_where_more_than_pooling_and_one_layer_follows(model: nn.Module, layer: str | None) -> None:
    with pytest.raises(
        MethodError, match=r"^CAM requires global average pooling followed by a single linear layer .*'grad-cam'.*\.$"
    ):
        GradCAM(model).heatmap(image(64, 96), 1, layer, "cam")


def test_every_image_of_a_batch_has_its_own_class_or_one_for_all() -> None:
    engine, batch = GradCAM(Pooled(), class_names=SHIPS), image(images=2)
    single = [[engine.heatmap(batch[i : i + 1], c, "features").values for c in range(3)] for i in range(2)]
    assert not np.allclose(single[0][1], single[1][1], rtol=0.1)
    trace = engine.trace(batch, "features")
    questions: list[tuple[Any, list[int]]] = [
        ([2, 0], [2, 0]),
        ("submarine", [0, 0]),
        (1, [1, 1]),
        (["carrier", 1], [2, 1]),
    ]
    for asked, classes in questions:
        found = trace.heatmaps(asked)
        assert [each.class_index for each in found] == classes
        for i in range(2):
            assert_equal(found[i], single[i][classes[i]])
    best = trace.logits.argmax(dim=1).tolist()
    assert [each.class_index for each in trace.heatmaps()] == best


@pytest.mark.parametrize("one", [np.int64(1), torch.tensor(1)], ids=["numpy", "torch"])
def test_an_index_may_come_from_numpy_or_torch(one: Any) -> None:
    trace = GradCAM(Pooled()).trace(image(images=2), "features")
    assert [each.class_index for each in trace.heatmaps([one, one])] == [1, 1]
    assert [each.class_index for each in trace.heatmaps(one)] == [1, 1]


@pytest.mark.parametrize(
    ("wanted", "index"), [("submarine", 0), ("Aircraft_Carrier", 2), ("container", 1), ("2", 2), (np.int64(1), 1)]
)
def test_a_class_is_asked_for_by_name_part_or_index(wanted: str, index: int) -> None:
    trace = GradCAM(Pooled(), class_names=SHIPS).trace(image())
    found = trace.heatmap(wanted)
    assert (found.class_index, found.class_name) == (index, SHIPS[index])
    assert found.logit == pytest.approx(float(trace.logits[0, index]))
    assert found.probability == pytest.approx(float(trace.logits[0].softmax(0)[index]))


def test_a_map_says_what_it_explains() -> None:
    shown = np.full((24, 36, 3), 90, np.uint8)
    trace = GradCAM(Pooled(), class_names=SHIPS, name="Pooled").trace(image(), "features", images=[shown])
    best = int(trace.logits.argmax())
    found = trace.heatmap(method="hirescam")
    assert (found.class_index, found.layer, found.method, found.model) == (best, "features", "hirescam", "Pooled")
    assert found.image is not None
    assert np.array_equal(found.image, shown)
    assert found.values.dtype == np.float32
    assert found.caveats == ()
    assert repr(trace) == "Trace(1 × 3 scores, features · 6×9)"


def test_predictions_are_the_most_probable_classes_best_first() -> None:
    trace = GradCAM(OnPaper(), class_names=SHIPS).trace(PAPER_IMAGE)
    found = trace.predictions(2)
    assert [(each.class_index, each.class_name, each.logit) for each in found] == [
        (0, "submarine", 2.5),
        (2, "aircraft carrier", 0.0),
    ]
    assert found[1].probability / found[0].probability == pytest.approx(np.exp(-2.5))


def test_compare_takes_one_backward_pass_for_each_target() -> None:
    model, layers = Pooled(), ["relu", "stem", "features"]
    single = [GradCAM(model).heatmap(image(), c, layer).values for c in (2, 0) for layer in layers]
    forward, backward = counted(model)
    trace = GradCAM(model).trace(image(), layers)
    assert [layer.name for layer in trace.layers] == layers
    found = trace.compare([2, 0])
    assert [(each.class_index, each.layer) for each in found] == [(c, layer) for c in (2, 0) for layer in layers]
    for each, reference in zip(found, single, strict=True):
        assert_equal(each, reference)
    assert (len(forward), len(backward)) == (1, 2)
    assert [each.layer for each in trace.compare([1], [model.stem])] == ["stem"]


def test_a_batch_with_a_target_each_takes_one_backward_pass() -> None:
    model = Pooled()
    forward, backward = counted(model)
    trace = GradCAM(model).trace(image(images=3))
    trace.heatmaps([0, 1, 2])
    trace.heatmaps([2, 1, 0], method="hirescam")
    assert (len(forward), len(backward)) == (1, 2)


def test_a_module_called_twice_explains_its_last_call_and_says_so() -> None:
    model = Reused().eval()
    with torch.no_grad():
        activations = model.conv(model.relu(model.conv(model.relu(model.stem(image())))))
    activations.requires_grad_()
    (slopes,) = torch.autograd.grad(model.fc(activations.relu().mean(dim=(2, 3)))[0, 1], activations)
    found = GradCAM(model).heatmap(image(), 1, "conv")
    assert_equal(found, (slopes.mean(dim=(2, 3), keepdim=True) * activations).sum(dim=1)[0].detach())
    assert found.caveats[0] == "Layer conv was called 2 times in the pass: this map explains the last call."


@pytest.mark.parametrize(
    "wrap",
    [
        lambda scores: (scores, None),
        lambda scores: [scores, scores * 2],
        lambda scores: {"aux": scores * 2, "logits": scores},
        lambda scores: OrderedDict(out=scores, aux=scores * 2),
        lambda scores: SimpleNamespace(loss=None, logits=scores),
    ],
    ids=["tuple", "list", "logits in a dict", "out in a dict", "object with logits"],
)
def test_scores_are_unwrapped(wrap: Callable[[Tensor], Any]) -> None:
    assert_equal(GradCAM(Answering(wrap)).heatmap(image(), 1, "features"), plain_map(1))


def plain_map(class_index: int) -> Tensor:
    return double(GradCAM(Pooled()).heatmap(image(), class_index, "features").values)


def test_scores_elsewhere_are_read_by_the_users_function() -> None:
    model = Answering(lambda scores: {"heads": [scores * 2, scores]})
    engine = GradCAM(model, output=lambda result: result["heads"][1])
    assert_equal(engine.heatmap(image(), 1, "features"), plain_map(1))


@pytest.mark.parametrize(
    ("wrap", "given"),
    [
        (lambda scores: scores[:, :, None, None].expand(-1, -1, 4, 5), "(1, 3, 4, 5)"),
        (lambda scores: {"scores": scores}, "dict"),
        (lambda scores: (None, scores), "tuple"),
        (lambda _scores: None, "NoneType"),
        (lambda scores: scores[:, :0], "(1, 0)"),
        (lambda scores: scores.argmax(dim=1), "int64"),
    ],
    ids=["4-D", "dict", "tuple", "nothing", "no class", "labels"],
)
def test_an_output_without_scores_is_an_error_that_names_the_remedy(wrap: Callable[[Tensor], Any], given: str) -> None:
    assert_one_sentence(lambda: GradCAM(Answering(wrap)).heatmap(image()), ModelError, given, "output=")


@pytest.mark.parametrize("wrap", [lambda scores: scores, lambda scores: scores[:, 0]], ids=["(N, 1)", "(N,)"])
def test_a_single_logit_has_a_sigmoid_and_a_signed_map(wrap: Callable[[Tensor], Any]) -> None:
    model = Answering(wrap, class_names=1).eval()
    trace = GradCAM(model).trace(image(images=2), "features")
    expected = model(image(images=2)).reshape(2).tolist()
    found = trace.heatmaps()
    assert [each.logit for each in found] == pytest.approx(expected)
    assert [each.probability for each in found] == pytest.approx([1 / (1 + np.exp(-score)) for score in expected])
    assert {each.class_index for each in found} == {0}
    assert found[0].vmax("for") > 0
    assert found[0].vmax("against") > 0


def test_probabilities_get_a_caveat_and_no_second_softmax() -> None:
    model = Answering(lambda scores: scores.softmax(dim=1)).eval()
    trace = GradCAM(model).trace(image())
    np.testing.assert_allclose(trace.probabilities, model(image()).detach(), rtol=1e-6)
    assert any("look like probabilities" in caveat and "output=" in caveat for caveat in trace.heatmap(0).caveats)
    assert not GradCAM(Pooled()).heatmap(image(), 0).notes


def test_layers_are_chosen_by_path_or_as_modules() -> None:
    model = Pooled()
    trace = GradCAM(model).trace(image(), [model.features, "relu"])
    assert [layer.name for layer in trace.layers] == ["features", "relu"]
    assert trace.heatmap(0, model.relu).layer == "relu"
    assert trace.heatmap(0, "features").layer == "features"


def assert_one_sentence(ask: Callable[[], object], error: type[GradCAMError], *named: str) -> None:
    """Assert that an error is one sentence that names what was given, or what to do."""
    with pytest.raises(error) as caught:
        ask()
    text = str(caught.value)
    assert "\n" not in text
    assert text.endswith((".", "?"))
    for each in named:
        assert each in text


@pytest.mark.parametrize(
    ("batch", "named"),
    [
        (torch.zeros(0, 3, 24, 36), ["(0, 3, 24, 36)"]),
        (torch.zeros(1, 3, 0, 36), ["(1, 3, 0, 36)"]),
        (torch.zeros(3, 24, 36), ["(3, 24, 36)", "batch[None]"]),
        (torch.zeros(24, 36), ["(24, 36)"]),
        (torch.zeros(1, 3, 24, 36, dtype=torch.uint8), ["torch.uint8", "preprocess"]),
        (np.zeros((1, 3, 24, 36), np.float32), ["ndarray"]),
        (torch.full((1, 3, 24, 36), float("nan")), ["batch", "NaN"]),
        (torch.full((1, 3, 24, 36), float("inf")), ["batch", "infinity"]),
    ],
    ids=["no image", "no row", "three axes", "two axes", "uint8", "array", "NaN", "infinity"],
)
def test_a_batch_that_is_none_is_refused(batch: Any, named: list[str]) -> None:
    engine = GradCAM(Pooled())
    assert_one_sentence(lambda: engine.trace(batch), ModelError, *named)
    assert_one_sentence(lambda: engine.heatmap(batch, 0, "features"), ModelError, *named)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("classifier.weight", float("nan")),
        ("classifier.weight", float("-inf")),
        ("features.0.bias", float("inf")),
        ("stem.1.running_mean", float("nan")),
    ],
)
def test_weights_that_are_not_finite_are_named(name: str, bad: float) -> None:
    model = Pooled()
    with torch.no_grad():
        model.state_dict()[name].view(-1)[0] = bad
    assert_one_sentence(lambda: GradCAM(model).heatmap(image()), ModelError, repr(name), "NaN or infinity")


def test_scores_beyond_half_precision_are_refused_with_the_remedy() -> None:
    model = Answering(lambda scores: scores * 1e30 * 1e30)
    assert_one_sentence(lambda: GradCAM(model).heatmap(image()), ModelError, "float32")


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ("feature", ["'feature'", "did you mean 'features'"]),
        ("features.2", ["'features.2'", "did you mean", "'features.1'"]),
        ("zzz", ["'zzz'", "candidate_layers"]),
        ("", ["''"]),
        (3, ["int"]),
        (nn.Conv2d(1, 1, 1), ["Conv2d", "Pooled"]),
        ("spare", ["'spare'", "never called"]),
        ("classifier", ["'classifier'", "1×3", "not spatial"]),
        ("pooling", ["'pooling'", "1×5×1×1", "one cell"]),
        ([], ["empty list"]),
        (["relu", "feature"], ["'feature'", "did you mean 'features'"]),
    ],
)
def test_a_layer_that_cannot_be_asked_is_named_with_what_to_do(layer: Any, named: list[str]) -> None:
    model = Pooled()
    model.spare = nn.Conv2d(3, 3, 1)
    assert_one_sentence(lambda: GradCAM(model).trace(image(), layer), LayerError, *named)


@pytest.mark.parametrize(
    ("layer", "named"),
    [(None, ["relu, features"]), ("stem", ["'stem'", "not traced"]), ("sten", ["did you mean 'stem'"])],
)
def test_a_question_about_a_layer_that_was_not_traced_is_refused(layer: str | None, named: list[str]) -> None:
    trace = GradCAM(Pooled()).trace(image(), ["relu", "features"])
    assert_one_sentence(lambda: trace.heatmap(0, layer), LayerError, *named)


def test_scores_independent_of_the_layer_are_an_error_naming_it() -> None:
    class Aside(Pooled):
        def forward(self, batch: Tensor) -> Tensor:
            maps = self.stem(batch)
            self.features(maps)
            return self.head(maps[:, :5])

    trace = GradCAM(Aside()).trace(image(), ["stem", "features"])
    assert_one_sentence(lambda: trace.heatmap(0, "features"), LayerError, "'features'")
    assert trace.heatmap(0, "stem").values.any()
    detached = GradCAM(Answering(lambda scores: scores.detach())).trace(image(), "features")
    assert_one_sentence(lambda: detached.heatmap(0), LayerError, "'features'")


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (3, ["3", "0 to 2"]),
        (-1, ["-1", "0 to 2"]),
        ("7", ["7", "0 to 2"]),
        ("submarina", ["'submarina'", "did you mean submarine (0)?"]),
        ("zzz", ["'zzz'"]),
        ("ar", ["'ar'", "submarine (0)", "aircraft carrier (2)"]),
        ("", ["''"]),
        (1.5, ["1.5"]),
        (True, ["True"]),
    ],
)
def test_an_unknown_or_ambiguous_target_is_named_with_the_remedy(wanted: Any, named: list[str]) -> None:
    trace = GradCAM(Pooled(), class_names=SHIPS).trace(image())
    assert_one_sentence(lambda: trace.heatmap(wanted), TargetError, *named)


def test_a_name_where_none_are_known_is_refused() -> None:
    trace = GradCAM(Pooled()).trace(image())
    assert_one_sentence(lambda: trace.heatmap("submarine"), TargetError, "'submarine'", "class_names=")


@pytest.mark.parametrize("class_names", [SHIPS[:2], (*SHIPS, "raft")])
def test_names_that_are_not_as_many_as_the_scores_are_refused(class_names: tuple[str, ...]) -> None:
    engine = GradCAM(Pooled(), class_names=class_names)
    assert_one_sentence(lambda: engine.heatmap(image(), class_names[-1]), GradCAMError, str(len(class_names)), "3")


@pytest.mark.parametrize("classes", [[0], [0, 1, 2], []])
def test_a_number_of_classes_that_fits_no_batch_is_refused(classes: list[int]) -> None:
    trace = GradCAM(Pooled()).trace(image(images=2))
    assert_one_sentence(lambda: trace.heatmaps(classes), TargetError, f"{len(classes)} classes", "2 images")


def test_a_number_of_images_that_fits_no_batch_is_refused() -> None:
    shown = [np.zeros((24, 36, 3), np.uint8)] * 3
    assert_one_sentence(
        lambda: GradCAM(Pooled()).trace(image(images=2), images=shown), ModelError, "images must", "got 3 for 2"
    )


@pytest.mark.parametrize("method", ["heatmap", "compare"])
def test_a_question_for_one_image_of_several_is_refused(method: str) -> None:
    trace = GradCAM(Pooled()).trace(image(images=2))
    assert_one_sentence(lambda: getattr(trace, method)([0]), ModelError, method, "holds 2", "heatmaps")


@pytest.mark.parametrize(
    ("method", "named"), [("gradcam", "did you mean 'grad-cam'"), ("zzz", "'grad-cam', 'cam' or 'hirescam'")]
)
def test_an_unknown_method_is_named_with_those_there_are(method: str, named: str) -> None:
    trace = GradCAM(Pooled()).trace(image())
    assert_one_sentence(lambda: trace.heatmap(0, method=method), MethodError, repr(method), named)


def test_a_layer_under_inference_mode_is_named_with_the_remedy() -> None:
    class Closed(Pooled):
        @torch.inference_mode()
        def forward(self, batch: Tensor) -> Tensor:
            return super().forward(batch)

    model = Closed()
    assert_one_sentence(
        lambda: GradCAM(model).heatmap(image(), 0, "features"), LayerError, "'features'", "torch.no_grad"
    )


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_a_scripted_model_is_refused_with_the_remedy() -> None:
    scripted = torch.jit.script(Pooled().eval())
    assert_one_sentence(lambda: GradCAM(scripted).trace(image()), ModelError, "torch.jit", "Python module")


def test_a_lazy_model_that_was_never_run_is_refused() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(2))
    assert_one_sentence(lambda: GradCAM(model).trace(image()), ModelError, "LazyLinear", "run the model")


@pytest.mark.parametrize("given", ["resnet18", Pooled])
def test_what_is_no_model_is_refused(given: Any) -> None:
    assert_one_sentence(lambda: GradCAM(given), ModelError, type(given).__name__)


def test_an_entry_of_the_candidates_names_a_layer() -> None:
    engine = GradCAM(Pooled())
    (layer,) = [layer for layer in engine.layers(image()) if layer.default]
    assert engine.heatmap(image(), 1, layer).layer == layer.name
    trace = engine.trace(image(), [layer])
    assert trace.heatmap(1, trace.layers[0]).layer == layer.name


def test_one_class_or_one_layer_need_no_list_to_be_compared() -> None:
    trace = GradCAM(Pooled(), class_names=SHIPS).trace(image(), ["stem", "features"])
    assert [h.layer for h in trace.compare("container", "features")] == ["features"]
    assert [h.class_index for h in trace.compare(1)] == [1, 1]


def test_each_image_of_a_batch_comes_with_its_own_map() -> None:
    images = [np.full((24, 36, 3), level, np.uint8) for level in (10, 200)]
    maps = GradCAM(Pooled()).trace(image(images=2), "features", images=images).heatmaps(1)
    assert [int(each.image[0, 0, 0]) for each in maps if each.image is not None] == [10, 200]


def test_scores_that_are_not_one_row_for_each_image_are_refused() -> None:
    for engine in (GradCAM(Answering(Tensor.squeeze)), GradCAM(Answering(lambda scores: scores.repeat(4, 1)))):
        assert_one_sentence(lambda: engine.heatmap(image()), ModelError, "output=")  # noqa: B023 - called at once


def test_a_model_that_mixes_a_batch_takes_one_image_at_a_time() -> None:
    model = Pooled()
    model.features = nn.Sequential(model.features, nn.BatchNorm2d(5, track_running_stats=False))
    assert GradCAM(model).heatmap(image(), 1, "features").values.any()
    assert_one_sentence(lambda: GradCAM(model).heatmaps(image(images=2), 1, "features"), ModelError, "one by one")


def test_a_prediction_reads_the_same_on_every_machine() -> None:
    assert (
        repr(Prediction(3, "tench", 0.58255649, 23.13378)) == "Prediction(tench (3), probability 0.583, logit 23.134)"
    )
    assert repr(Prediction(3, None, 0.1, -2.0)) == "Prediction(class 3, probability 0.100, logit -2.000)"
