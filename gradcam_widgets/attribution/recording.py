"""One forward pass that keeps what chosen layers put out, and gives the model back as it was."""

from __future__ import annotations

import weakref
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gradcam_widgets.errors import LayerError, ModelError

from .model_state import _modules, restoring_model_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class ModuleOutput:
    """What one module put out at its last call.

    Attributes:
        name: Dotted path of the module.
        module: The module.
        shape: Shape of its output (of the first tensor, if it put out several); empty if that is no tensor
            of floating-point numbers.
        calls: How often the module was called in the pass.
        same_as_previous: Whether it handed on, untouched, what the previous output in call order already was,
            as a block does with the output of its last layer.
    """

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    calls: int
    same_as_previous: bool


@dataclass(frozen=True)
class Recording:
    """What a forward pass left behind.

    Attributes:
        logits: The class scores as `finish` read them from the model's output, connected to the graph.
        kept: Each kept layer's own output at its last call, connected to the graph, by name in call order.
        outputs: Every watched module's output, in the order in which their last calls ended.
        weights: The model's parameters and buffers, with how often each had been written to.
        in_training: Whether a part of the model was in training mode.
    """

    logits: Tensor
    kept: dict[str, Tensor]
    outputs: list[ModuleOutput]
    weights: list[tuple[Tensor, int]]
    in_training: bool

    @property
    def is_current(self) -> bool:
        """Whether the model's weights and buffers are still those of the pass."""
        return all(tensor._version == version for tensor, version in self.weights)  # noqa: SLF001 - torch's own


def record(
    model: nn.Module,
    batch: Tensor,
    layers: Mapping[str, nn.Module],
    finish: Callable[[Any], Tensor],
    keep: Callable[[str], bool] = lambda _name: True,
) -> Recording:
    """Run one forward pass in eval mode and keep what layers put out, with a graph from the first of them on.

    No graph is built before the first kept layer, and no parameter is touched. Each kept layer hands a clone
    on, so that an in-place operation behind it cannot change what is kept. Flags, buffers, hooks and grad mode
    are afterwards what they were, on errors too.

    Args:
        model: The model, not wrapped.
        batch: Its input, axes (image, channel, row, column), on its device and in its dtype.
        layers: The modules to watch, by name.
        finish: Reads the class scores, axes (image, class), from what the model returns.
        keep: Says by its name whether a watched module's output is kept.

    Raises:
        ModelError: If the model cannot be traced.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            "A scripted model (torch.jit) does not show its layers: give the Python module it was made from."
        )
    wanted = frozenset(filter(keep, layers))
    recorder = _Recorder(wanted)
    logits = _run(model, batch, layers, finish, recorder, grad_before_the_cut=False)
    if recorder.interrupted:
        # The model itself runs a part under no_grad, and on leaving it put our no_grad back.
        recorder = _Recorder(wanted)
        logits = _run(model, batch, layers, finish, recorder, grad_before_the_cut=True)
    modules = _modules(model)
    weights = [
        (tensor, tensor._version)  # noqa: SLF001 - torch's own
        for module in modules
        for table in (module._parameters, module._buffers)  # noqa: SLF001 - `parameters()` takes four times as long
        for tensor in table.values()
        if tensor is not None and not tensor.is_inference()
    ]
    in_training = any(module.training for module in modules)
    return Recording(logits, recorder.kept, list(recorder.outputs.values()), weights, in_training)


def gradients(model: nn.Module, recording: Recording, class_indices: Tensor, names: list[str]) -> list[Tensor | None]:
    """Differentiate one class score of each image with respect to kept outputs; no `.grad` is written.

    Args:
        model: The model, whose checkpointed parts run again.
        recording: What its forward pass left behind.
        class_indices: One class for each image, int64, axis (image).
        names: Of the kept outputs.

    Returns:
        One gradient in the shape of each kept output; None where the score does not depend on it.

    Raises:
        ModelError: If the model was changed since the pass, or checkpoints in the way that allows no gradients
            of activations.
    """
    if not recording.is_current:
        raise ModelError("The model's weights or buffers were changed since this trace was made: trace again.")
    if not recording.logits.requires_grad:
        return [None] * len(names)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        if recording.in_training:
            stack.enter_context(restoring_model_state(model))
        one_hot = torch.zeros_like(recording.logits, requires_grad=False)
        one_hot[torch.arange(len(one_hot)), class_indices] = 1
        kept = [recording.kept[name] for name in names]
        try:
            found = torch.autograd.grad(recording.logits, kept, one_hot, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            if "compatible with .grad()" not in str(error):  # in torch 2.2's words and in 2.15's
                raise
            raise ModelError(
                "The model checkpoints with use_reentrant=True, which allows no gradients of activations: "
                "set use_reentrant=False."
            ) from error
    return list(found)


def _run(
    model: nn.Module,
    batch: Tensor,
    layers: Mapping[str, nn.Module],
    finish: Callable[[Any], Tensor],
    recorder: _Recorder,
    *,
    grad_before_the_cut: bool,
) -> Tensor:
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(grad_before_the_cut))
        stack.enter_context(restoring_model_state(model))
        for name, module in layers.items():
            stack.callback(module.register_forward_hook(partial(recorder.record_output, name), with_kwargs=True).remove)
        # A model may write into its input, and one made under inference_mode cannot enter a graph: hence the clone.
        output = model(batch.clone())
        recorder.watch_grad_mode()
        return finish(output)


@dataclass
class _Recorder:
    """What the forward hooks of one pass write down; `interrupted` if grad mode was switched off after the cut."""

    wanted: frozenset[str]
    outputs: dict[str, ModuleOutput] = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)
    interrupted: bool = False
    _last: Callable[[], Tensor | None] = lambda: None
    _last_version: int = -1
    _last_name: str = ""

    def record_output(
        self,
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Any,
    ) -> Any:
        self.watch_grad_mode()
        tensor = _first_tensor(output)
        before = self.outputs.pop(name, None)  # popped, so that the order is that of the last calls
        calls = before.calls + 1 if before else 1
        self.kept.pop(name, None)
        if tensor is None:
            self.outputs[name] = ModuleOutput(name, module, (), calls, same_as_previous=False)
            return None
        same = self._last() is tensor and self._last_version == tensor._version  # noqa: SLF001 - torch's own
        self.outputs[name] = ModuleOutput(name, module, tuple(tensor.shape), calls, same_as_previous=same)
        if name in self.wanted and same and self._last_name in self.kept:
            self.kept[name] = self.kept[self._last_name]
        elif name in self.wanted:
            self.kept[name] = self._cut(name, tensor, (*args, *kwargs.values()))
            tensor = self.kept[name].clone()
            output = _with_first_tensor(output, tensor)
        self._last, self._last_version, self._last_name = weakref.ref(tensor), tensor._version, name  # noqa: SLF001
        return output

    def watch_grad_mode(self) -> None:
        self.interrupted = self.interrupted or (bool(self.kept) and not torch.is_grad_enabled())

    def _cut(self, name: str, tensor: Tensor, args: tuple[Any, ...]) -> Tensor:
        if tensor.is_inference():
            raise LayerError(
                f"The model runs layer {name!r} under torch.inference_mode: use torch.no_grad there instead."
            )
        torch.set_grad_enabled(True)
        kept = tensor if tensor.requires_grad else tensor.detach().requires_grad_()
        # Whoever else holds the input could yet write into it, so a layer that works in place is copied.
        memory = tensor.untyped_storage().data_ptr()
        shared = any(isinstance(arg, Tensor) and arg.untyped_storage().data_ptr() == memory for arg in args)
        if not shared:
            return kept
        copy = kept.clone()
        return copy if tensor.requires_grad else copy.detach().requires_grad_()


def _first_tensor(output: Any) -> Tensor | None:
    """Return the tensor of floating-point numbers that a layer put out, or the first of a tuple or list."""
    if isinstance(output, (tuple, list)) and output:
        output = output[0]
    return output if isinstance(output, Tensor) and output.is_floating_point() else None


def _with_first_tensor(output: Any, tensor: Tensor) -> Any:
    if isinstance(output, Tensor):
        return tensor
    if hasattr(output, "_replace"):
        return output._replace(**{output._fields[0]: tensor})
    return type(output)((tensor, *output[1:]))
