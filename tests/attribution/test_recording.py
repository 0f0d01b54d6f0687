from __future__ import annotations

import copy
import gc
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.utils.checkpoint import checkpoint

from gradcam_widgets import METHODS, GradCAM, LayerError, MethodError, ModelError
from tests.support.models import Pooled, Reused, filled, image, random_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Mode = Callable[[], AbstractContextManager[Any]]

MODES = {"enable_grad": torch.enable_grad, "no_grad": torch.no_grad, "inference_mode": torch.inference_mode}


class BrokenError(Exception):
    """What a user's own code raises."""


class Raising(nn.Module):
    def __init__(self, error: type[BaseException] = BrokenError) -> None:
        super().__init__()
        self.error = error

    def forward(self, _batch: Tensor) -> NoReturn:
        raise self.error


class BackwardRaises(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, batch: Tensor) -> Tensor:
        return batch.clone()

    @staticmethod
    def backward(_context: Any, *_gradients: Tensor) -> NoReturn:
        raise BrokenError


class RaisingBackwards(nn.Module):
    def forward(self, batch: Tensor) -> Any:
        return BackwardRaises.apply(batch)


class Unhookable(nn.Identity):
    def register_forward_hook(self, *_args: Any, **_options: Any) -> NoReturn:
        raise BrokenError


class Counting(Pooled):
    """Writes into one buffer and puts another in the place of a second, in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1))
        self.register_buffer("last", torch.zeros(()))
        self.features.register_buffer("calls", self.calls)
        self.calls: Tensor
        self.last: Tensor

    def forward(self, batch: Tensor) -> Tensor:
        self.calls.add_(1)
        self.last = batch.mean()
        scores: Tensor = super().forward(batch) + self.features.get_buffer("calls")
        return scores


class Caching(Pooled):
    """Fills an empty buffer, and registers another."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("cache", None)

    def forward(self, batch: Tensor) -> Tensor:
        self.cache = batch.mean()
        self.register_buffer("late", batch.mean())
        return super().forward(batch)


class MonteCarlo(Pooled):
    """Leaves its dropout switched on, whatever mode it is in."""

    def forward(self, batch: Tensor) -> Tensor:
        scores = super().forward(batch)
        self.dropout.train()
        return scores


class Centering(Pooled):
    """Shifts its input in place before all else."""

    def forward(self, batch: Tensor) -> Tensor:
        return super().forward(batch.sub_(0.5))


class FrozenBackbone(Pooled):
    """Runs all but its head under no_grad."""

    def __init__(self, neck: nn.Module) -> None:
        super().__init__()
        self.neck = filled(neck)

    def forward(self, batch: Tensor) -> Tensor:
        with torch.no_grad():
            maps = self.relu(self.features(self.stem(batch)))
        return self.head(self.neck(maps))


class Recycling(Pooled):
    """Writes into the memory of an in-place layer once it has been used."""

    def forward(self, batch: Tensor) -> Tensor:
        memory = self.features(self.stem(batch))
        scores = self.head(self.relu(memory))
        memory.zero_()
        return scores


def trained(model: nn.Module) -> nn.Module:
    model.train()
    model(image(images=2)).sum().backward()
    return model


def half_trained() -> nn.Module:
    model = Pooled()
    model.classifier(torch.ones(1, 5)).sum().backward()
    model.stem.requires_grad_(requires_grad=False).eval()
    model.register_forward_hook(lambda *_: None)
    model.classifier.register_full_backward_hook(lambda *_: None)
    return model


def tied() -> nn.Module:
    model = Pooled()
    model.features[1].running_mean = model.features[1].running_var
    model.alias = model.features
    return model.train()


def under_inference_mode(build: Callable[[], nn.Module] = Pooled) -> nn.Module:
    with torch.inference_mode():
        return build()


STATES: dict[str, Callable[[], nn.Module]] = {
    "eval": lambda: Pooled().eval(),
    "train": lambda: Pooled().train(),
    "trained": lambda: trained(Pooled()),
    "half trained, with hooks": half_trained,
    "frozen": lambda: Pooled().requires_grad_(requires_grad=False),
    "made under inference_mode": under_inference_mode,
}
OTHERS: dict[str, Callable[[], nn.Module]] = {
    "writing into buffers": lambda: Counting().eval(),
    "writing into buffers, in train mode": lambda: trained(Counting()),
    "writing into buffers made under inference_mode": lambda: under_inference_mode(Counting),
    "filling empty buffers": lambda: Caching().eval(),
    "setting its own flags": lambda: MonteCarlo().eval(),
    "tied": tied,
    "bfloat16": lambda: Pooled().bfloat16(),
    "DataParallel": lambda: nn.DataParallel(trained(Pooled())),
    "frozen backbone": lambda: FrozenBackbone(nn.Conv2d(5, 5, 1)),
}


def raw(tensor: Tensor | None) -> bytes | None:
    if tensor is None or is_lazy(tensor):
        return None
    return bytes(tensor.detach().reshape(-1).view(torch.uint8).numpy())


def portrait(model: nn.Module) -> dict[str, Any]:
    """Describe all that a question could change in a model: values, identities, flags, gradients, hooks."""
    return {
        name: {
            "training": module.training,
            "attributes": list(vars(module)),
            "hooks": {each: list(hooks) for each, hooks in vars(module).items() if each.endswith("hooks") and hooks},
            "tensors": {
                key: (id(tensor), raw(tensor), id(tensor.grad), raw(tensor.grad), tensor.requires_grad, tensor.dtype)
                for key, tensor in [*module._parameters.items(), *module._buffers.items()]
                if tensor is not None
            },
        }
        for name, module in model.named_modules(remove_duplicate=False)
    }


def by_hand(model: nn.Module, batch: Tensor, class_index: int, *, at_relu: bool = False) -> Tensor:
    """Return the Grad-CAM map of `features` or `relu` of a copy of a Pooled, with plain autograd."""
    model = copy.deepcopy(model)
    assert isinstance(model, Pooled)
    model.eval()
    with torch.inference_mode(mode=False), torch.enable_grad():
        maps = model.features(model.stem(batch.clone())).detach()
        maps = (maps.relu() if at_relu else maps).requires_grad_()
        scores = model.head(maps if at_relu else maps.relu())
        (gradient,) = torch.autograd.grad(scores[:, class_index].sum(), maps)
        found: Tensor = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1).detach()
        return found


def assert_close(values: Any, expected: Tensor, tolerance: float = 1e-6) -> None:
    spread = float(expected.max() - expected.min())
    assert spread > 1e-3, "the reference is blank"
    assert torch.as_tensor(values.copy()).shape == expected.shape
    assert float((torch.as_tensor(values.copy()) - expected.float()).abs().max()) <= tolerance * spread


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("build", [*STATES.values(), *OTHERS.values()], ids=[*STATES, *OTHERS])
def test_the_model_is_given_back_bit_identical(build: Callable[[], nn.Module], mode: Mode) -> None:
    model = build()
    before = portrait(model)
    with mode():
        engine = GradCAM(model)
        engine.layers(image())
        engine.heatmap(image(), 1)
        trace = engine.trace(image(), ["stem", "relu"])
        trace.compare([0, 2], method="hirescam")
        engine.heatmaps(image(images=2), [0, 1], "features")
    assert portrait(model) == before


@pytest.mark.parametrize("build", [Counting, Caching, MonteCarlo])
def test_a_plain_pass_would_have_changed_these_models(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    before = portrait(model)
    model(image())
    assert portrait(model) != before


def a_hook(module: str) -> Callable[[Pooled], Callable[[], object]]:
    def install(model: Pooled) -> Callable[[], object]:
        def hook(*_args: object) -> NoReturn:
            raise BrokenError

        model.get_submodule(module).register_forward_hook(hook)
        return lambda: GradCAM(model).heatmap(image(), layer="features")

    return install


def a_part(replaced: str, part: nn.Module) -> Callable[[Pooled], Callable[[], object]]:
    def install(model: Pooled) -> Callable[[], object]:
        setattr(model, replaced, part)
        return lambda: GradCAM(model).heatmap(image(), 0, "features")

    return install


def a_question(*args: Any, **options: Any) -> Callable[[Pooled], Callable[[], object]]:
    return lambda model: lambda: GradCAM(model, **options).heatmap(image(), *args)


def a_broken_reader(_output: object) -> NoReturn:
    raise BrokenError


def nan_weights(model: Pooled) -> Callable[[], object]:
    with torch.no_grad():
        model.classifier.weight[0, 0] = float("nan")
    return lambda: GradCAM(model).heatmap(image())


def an_uncalled_layer(model: Pooled) -> Callable[[], object]:
    model.spare = nn.Conv2d(3, 3, 1)
    return lambda: GradCAM(model).heatmap(image(), 0, "spare")


def two_layers_the_second_unhookable(model: Pooled) -> Callable[[], object]:
    model.relu = Unhookable()
    return lambda: GradCAM(model).trace(image(), ["features", "relu"])


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize(
    ("install", "error"),
    [
        pytest.param(a_hook("stem"), BrokenError, id="a hook before the layer"),
        pytest.param(a_hook("features"), BrokenError, id="a hook at the layer"),
        pytest.param(a_hook("classifier"), BrokenError, id="a hook behind the layer"),
        pytest.param(a_part("stem", Raising()), BrokenError, id="forward before the layer"),
        pytest.param(a_part("relu", Raising()), BrokenError, id="forward behind the layer"),
        pytest.param(a_part("relu", Raising(KeyboardInterrupt)), KeyboardInterrupt, id="an interrupt"),
        pytest.param(a_part("relu", RaisingBackwards()), BrokenError, id="backward"),
        pytest.param(a_part("relu", nn.LazyBatchNorm2d()), ModelError, id="a lazy module"),
        pytest.param(two_layers_the_second_unhookable, BrokenError, id="the second hook's registration"),
        pytest.param(a_question(0, output=a_broken_reader), BrokenError, id="output="),
        pytest.param(a_question(0, "nowhere"), LayerError, id="a layer that does not exist"),
        pytest.param(an_uncalled_layer, LayerError, id="a layer that is never called"),
        pytest.param(a_question(0, "classifier"), LayerError, id="a layer that is not spatial"),
        pytest.param(a_question(0, "features", "no-cam"), MethodError, id="an unknown method"),
        pytest.param(a_question(0, "features", "cam"), MethodError, id="a method that cannot answer"),
        pytest.param(nan_weights, ModelError, id="NaN weights"),
    ],
)
def test_the_model_is_given_back_after_an_error_at_any_stage(
    install: Callable[[Pooled], Callable[[], object]], error: type[BaseException], mode: Mode
) -> None:
    model = trained(Counting())
    assert isinstance(model, Pooled)
    model.stem.eval()
    ask = install(model)
    before = portrait(model)
    with mode():
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        with pytest.raises(error):
            ask()
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == modes
    assert portrait(model) == before


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_the_callers_grad_mode_is_left_as_it_was(mode: Mode) -> None:
    with mode():
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        trace = GradCAM(Pooled()).trace(image())
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == modes
        trace.heatmap()
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == modes


@pytest.mark.parametrize("made", MODES.values(), ids=[f"batch of {mode}" for mode in MODES])
@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("build", STATES.values(), ids=STATES)
def test_the_map_is_the_same_in_every_state_and_mode(build: Callable[[], nn.Module], mode: Mode, made: Mode) -> None:
    with made():
        batch = image()
    model = build()
    expected = by_hand(model, batch, 1)[0]
    with mode():
        assert_close(GradCAM(model).heatmap(batch, 1, "features").values, expected)


def test_a_trace_made_in_one_mode_answers_in_another() -> None:
    expected = by_hand(Pooled(), image(), 1)[0]
    for made in MODES.values():
        with made():
            trace = GradCAM(Pooled()).trace(image(), "features")
        for asked in MODES.values():
            with asked():
                assert_close(trace.heatmap(1).values, expected)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize(
    ("neck", "layers"),
    [
        (nn.Identity(), None),
        (nn.Identity(), ["relu"]),
        (nn.Identity(), ["features", "relu"]),
        (nn.Conv2d(5, 5, 1), ["relu", "neck"]),
    ],
    ids=["the default", "by name", "two within", "one within and one behind"],
)
def test_a_backbone_that_the_model_runs_under_no_grad_is_explained(
    neck: nn.Module, layers: list[str] | None, mode: Mode
) -> None:
    model = FrozenBackbone(neck)
    plain = Pooled()
    plain.load_state_dict(model.state_dict(), strict=False)
    plain.pooling = nn.Sequential(neck, plain.pooling)
    with mode():
        found = GradCAM(model).trace(image(), layers).heatmap(1, "relu" if layers else None)
    assert found.layer == "relu"
    assert_close(found.values, by_hand(plain, image(), 1, at_relu=True)[0])


def test_half_precision_gives_roughly_the_map_of_float32() -> None:
    expected = by_hand(Pooled(), image(), 1)[0]
    found = GradCAM(Pooled().bfloat16()).heatmap(image(), 1, "features")
    assert found.values.dtype.name == "float32"
    assert_close(found.values, expected, tolerance=0.05)


def test_a_wrapped_model_is_explained_under_its_own_names() -> None:
    expected = by_hand(Pooled(), image(), 1)[0]
    assert_close(GradCAM(nn.DataParallel(Pooled())).heatmap(image(), 1, "features").values, expected)


def test_two_calls_are_bit_identical() -> None:
    engine = GradCAM(Pooled())
    first, second = (engine.heatmap(image(), 1).values for _ in range(2))
    assert first.max() > first.min()
    assert first.tobytes() == second.tobytes()


def test_no_graph_is_built_before_the_first_chosen_layer() -> None:
    model, seen = Pooled(), {}
    for name in ("stem", "features.0", "features", "relu"):

        def note(_module: nn.Module, _args: object, output: Tensor, name: str = name) -> None:
            seen[name] = output.requires_grad

        model.get_submodule(name).register_forward_hook(note)
    GradCAM(model).trace(image(), ["relu", "features"])
    assert seen == {"stem": False, "features.0": False, "features": False, "relu": True}


def test_the_output_before_in_place_operations_is_kept() -> None:
    model = Pooled().eval()
    with torch.no_grad():
        expected = model.features(model.stem(image()))
    assert expected.min() < -0.1
    trace = GradCAM(model).trace(image(), ["features", "relu"])
    assert torch.equal(trace.activations["features"], expected)
    assert torch.equal(trace.activations["relu"], expected.relu())


def test_later_writes_of_the_model_do_not_reach_the_recording() -> None:
    model, plain = Recycling(), Pooled()
    assert_close(GradCAM(model).heatmap(image(), 1, "relu").values, by_hand(plain, image(), 1, at_relu=True)[0])


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_a_model_that_writes_into_its_input_leaves_the_batch(mode: Mode) -> None:
    with mode():
        batch = image()
        found = GradCAM(Centering()).heatmap(batch, 1, "features")
    assert torch.equal(batch, image())
    assert_close(found.values, by_hand(Pooled(), image() - 0.5, 1)[0])


@pytest.mark.parametrize("build", [Pooled, Counting])
def test_the_scores_are_those_of_the_plain_pass(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    with torch.inference_mode():
        expected = copy.deepcopy(model)(image(images=2))
    assert torch.equal(GradCAM(model).trace(image(images=2), ["stem", "stem.1", "features"]).logits, expected)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["resnet18", "vgg11", "densenet121", "squeezenet1_1", "vit_b_16", "swin_t"])
def test_a_map_of_the_default_layer_takes_exactly_one_forward_pass(model: str) -> None:
    options = {"image_size": 64} if model.startswith("vit") else {}
    built = random_model(model, num_classes=5, **options)
    passes = []
    built.register_forward_pre_hook(lambda *_: passes.append(1))
    trace = GradCAM(built).trace(image(64, 64))
    trace.heatmap(1)
    trace.heatmap(2, method="hirescam")
    assert len(passes) == 1


@pytest.mark.slow
def test_two_hundred_layers_leave_no_hook_and_no_tensor() -> None:
    model, batch = Reused(), image()
    engine = GradCAM(model)
    names = [layer.name for layer in engine.layers(batch)]
    before = portrait(model)

    def live() -> int:
        gc.collect()
        return sum(issubclass(type(each), Tensor) for each in gc.get_objects())

    def ask(times: int) -> None:
        for i in range(times):
            engine.trace(batch, names[i % len(names)]).heatmap(i % 3)

    ask(10)
    tensors = live()
    assert tensors > len(list(model.parameters()))
    ask(200)
    assert live() == tensors
    assert portrait(model) == before


def test_a_trace_is_freed_at_once_without_the_garbage_collector() -> None:
    trace = GradCAM(Pooled()).trace(image())
    trace.heatmap(method=next(iter(METHODS)))
    references: list[Callable[[], object]] = [weakref.ref(trace), weakref.ref(trace._recording.logits)]
    references += [weakref.ref(tensor) for tensor in trace._kept.values()]
    gc.disable()
    try:
        del trace
        assert [reference() for reference in references] == [None] * 3
    finally:
        gc.enable()


class Checkpointed(Pooled):
    def __init__(self, *, use_reentrant: bool) -> None:
        super().__init__()
        self.use_reentrant = use_reentrant

    def forward(self, batch: Tensor) -> Tensor:
        stem = self.stem(batch)
        stem = stem if stem.requires_grad else stem.requires_grad_(torch.is_grad_enabled())
        maps = checkpoint(self.features, stem, use_reentrant=self.use_reentrant)
        scores: Tensor = self.classifier(self.pooling(self.relu(maps)).flatten(1))
        return scores


def test_a_part_that_runs_again_backwards_runs_in_eval_mode_too() -> None:
    plain, model = Pooled(), Checkpointed(use_reentrant=False)
    model.load_state_dict(plain.state_dict())
    expected = GradCAM(plain).heatmap(image(), 1, "stem").values
    assert expected.std() > 0
    model.train()
    before = portrait(model)
    assert_close(GradCAM(model).heatmap(image(), 1, "stem").values, torch.tensor(expected))
    assert portrait(model) == before


def test_a_checkpoint_that_allows_no_gradients_is_told() -> None:
    with pytest.raises(ModelError, match="set use_reentrant=False"):
        GradCAM(Checkpointed(use_reentrant=True)).heatmap(image(), 1, "stem")


def test_what_modules_store_of_the_pass_is_not_left_in_them() -> None:
    model = Pooled()
    model.stem = nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(3, 4, 3, padding=1)))
    model.features = nn.Sequential(nn.Conv2d(4, 5, 3, padding=1))
    GradCAM(model).heatmap(image(), 1, "stem")
    copy.deepcopy(model)


def changed_by_training(model: nn.Module) -> None:
    model.train()
    model(image())


def changed_by_a_step(model: nn.Module) -> None:
    with torch.no_grad():
        next(model.parameters()).mul_(0.5)


@pytest.mark.parametrize("change", [changed_by_training, changed_by_a_step])
def test_a_trace_does_not_outlive_the_weights_it_was_made_with(change: Callable[[nn.Module], None]) -> None:
    model = Pooled()
    trace = GradCAM(model).trace(image(), "stem")
    trace.heatmap(1)
    change(model)
    with pytest.raises(ModelError, match="changed since this trace: trace again"):
        trace.heatmap(1)


def test_memory_handed_in_by_keyword_does_not_reach_what_is_kept() -> None:
    class ByKeyword(Pooled):
        def forward(self, batch: Tensor) -> Tensor:
            maps = self.features(self.stem(batch))
            relu = self.relu(input=maps)
            scores: Tensor = self.classifier(self.pooling(relu).flatten(1))
            maps.zero_()
            return scores

    plain, model = Pooled(), ByKeyword()
    model.load_state_dict(plain.state_dict())
    model.relu = nn.ReLU(inplace=True)
    expected = GradCAM(plain).trace(image(), "relu").activations["relu"]
    assert expected.std() > 0
    assert torch.equal(GradCAM(model).trace(image(), "relu").activations["relu"], expected)
