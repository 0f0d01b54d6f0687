"""One forward pass that records the outputs of chosen layers and leaves the model unchanged."""

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
    """Output of a module at its last call.

    Attributes:
        name: Dotted path of the module.
        module: The module.
        shape: Shape of the output, or of its first element if it is a tuple or list; empty if that is not a
            floating-point tensor.
        calls: Number of calls in the pass.
        same_as_previous: Whether the output is the previous module's, unchanged, as for a block that returns the
            output of its last layer.
    """

    name: str
    module: nn.Module
    shape: tuple[int, ...]
    calls: int
    same_as_previous: bool


@dataclass(frozen=True)
class Recording:
    """Outputs and graph of one forward pass.

    Attributes:
        logits: `(N, classes)` float tensor of class scores as read by `finish`, connected to the graph.
        kept: Output of each kept layer at its last call, connected to the graph, by name in call order.
        outputs: Output of every watched module, in the order in which the last calls ended.
        weights: The model's parameters and buffers with their version counters.
        in_training: Whether a part of the model was in training mode.
    """

    logits: Tensor
    kept: dict[str, Tensor]
    outputs: list[ModuleOutput]
    weights: list[tuple[Tensor, int]]
    in_training: bool

    @property
    def is_current(self) -> bool:
        """Whether the model's weights and buffers are unchanged since the pass."""
        return all(tensor._version == version for tensor, version in self.weights)  # noqa: SLF001 - torch's counter


def record(
    model: nn.Module,
    batch: Tensor,
    layers: Mapping[str, nn.Module],
    finish: Callable[[Any], Tensor],
    keep: Callable[[str], bool] = lambda _name: True,
) -> Recording:
    """Run one forward pass in eval mode and keep layer outputs, with a graph that starts at the first kept layer.

    Each kept layer passes on a clone, so that later in-place operations cannot change the kept output. Flags,
    buffers, hooks and grad mode are restored afterwards, also after errors.

    Args:
        model: The unwrapped model.
        batch: `(N, C, H, W)` float tensor on the model's device and in its dtype.
        layers: The modules to watch, by name.
        finish: Extracts the `(N, classes)` float class scores from the model's output.
        keep: Returns by name whether to keep a watched module's output.

    Raises:
        ModelError: If the model cannot be traced.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise ModelError("A scripted model (torch.jit) hides its layers: use the original Python module.")
    kept_names = frozenset(filter(keep, layers))
    recorder = _Recorder(kept_names)
    logits = _run(model, batch, layers, finish, recorder, grad_from_start=False)
    if recorder.interrupted:
        # The model has a no_grad block, whose exit restored the no_grad mode in which the pass started.
        recorder = _Recorder(kept_names)
        logits = _run(model, batch, layers, finish, recorder, grad_from_start=True)
    modules = _modules(model)
    weights = [
        (tensor, tensor._version)  # noqa: SLF001 - torch's counter
        for module in modules
        for table in (module._parameters, module._buffers)  # noqa: SLF001 - `parameters()` takes four times as long
        for tensor in table.values()
        if tensor is not None and not tensor.is_inference()
    ]
    in_training = any(module.training for module in modules)
    return Recording(logits, recorder.kept, list(recorder.outputs.values()), weights, in_training)


def gradients(model: nn.Module, recording: Recording, class_indices: Tensor, names: list[str]) -> list[Tensor | None]:
    """Differentiate one class score per image with respect to kept outputs, without writing to any `.grad`.

    Args:
        model: The model; its checkpointed parts run again.
        recording: Its recorded forward pass.
        class_indices: `(N,)` int64 tensor, one class per image.
        names: Names of the kept outputs.

    Returns:
        For each kept output a gradient of its shape, or None if the score does not depend on it.

    Raises:
        ModelError: If the model changed since the pass, or uses reentrant checkpointing.
    """
    if not recording.is_current:
        raise ModelError("The model's weights or buffers have changed since this trace: trace again.")
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
            result = torch.autograd.grad(recording.logits, kept, one_hot, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            if "compatible with .grad()" not in str(error):  # in all of torch's wordings
                raise
            raise ModelError(
                "The model's checkpointing with use_reentrant=True does not support gradients of activations: "
                "set use_reentrant=False."
            ) from error
    return list(result)


def _run(
    model: nn.Module,
    batch: Tensor,
    layers: Mapping[str, nn.Module],
    finish: Callable[[Any], Tensor],
    recorder: _Recorder,
    *,
    grad_from_start: bool,
) -> Tensor:
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(grad_from_start))
        stack.enter_context(restoring_model_state(model))
        for name, module in layers.items():
            stack.callback(module.register_forward_hook(partial(recorder.record_output, name), with_kwargs=True).remove)
        # Cloned because the model may write to it, and because inference tensors cannot enter a graph.
        output = model(batch.clone())
        recorder.watch_grad_mode()
        return finish(output)


@dataclass
class _Recorder:
    """Outputs recorded by the forward hooks of one pass.

    `interrupted` is set if grad mode was off after the first kept layer.
    """

    kept_names: frozenset[str]
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
        previous_call = self.outputs.pop(name, None)  # removed, so that the order is that of the last calls
        calls = previous_call.calls + 1 if previous_call else 1
        self.kept.pop(name, None)
        if tensor is None:
            self.outputs[name] = ModuleOutput(name, module, (), calls, same_as_previous=False)
            return None
        unchanged = self._last() is tensor and self._last_version == tensor._version  # noqa: SLF001 - torch's counter
        self.outputs[name] = ModuleOutput(name, module, tuple(tensor.shape), calls, same_as_previous=unchanged)
        if name in self.kept_names and unchanged and self._last_name in self.kept:
            self.kept[name] = self.kept[self._last_name]
        elif name in self.kept_names:
            self.kept[name] = self._start_graph(name, tensor, (*args, *kwargs.values()))
            tensor = self.kept[name].clone()
            output = _with_first_tensor(output, tensor)
        self._last, self._last_version, self._last_name = weakref.ref(tensor), tensor._version, name  # noqa: SLF001
        return output

    def watch_grad_mode(self) -> None:
        self.interrupted = self.interrupted or (bool(self.kept) and not torch.is_grad_enabled())

    def _start_graph(self, name: str, tensor: Tensor, args: tuple[Any, ...]) -> Tensor:
        if tensor.is_inference():
            raise LayerError(
                f"The model runs layer {name!r} under torch.inference_mode: use torch.no_grad there instead."
            )
        torch.set_grad_enabled(True)
        kept = tensor if tensor.requires_grad else tensor.detach().requires_grad_()
        # An in-place layer's output shares memory with its input, which other modules could still modify.
        memory = tensor.untyped_storage().data_ptr()
        is_shared = any(isinstance(arg, Tensor) and arg.untyped_storage().data_ptr() == memory for arg in args)
        if not is_shared:
            return kept
        copy = kept.clone()
        return copy if tensor.requires_grad else copy.detach().requires_grad_()


def _first_tensor(output: Any) -> Tensor | None:
    """Return a layer's output, or the first element of a tuple or list, if it is a floating-point tensor."""
    if isinstance(output, (tuple, list)) and output:
        output = output[0]
    return output if isinstance(output, Tensor) and output.is_floating_point() else None


def _with_first_tensor(output: Any, tensor: Tensor) -> Any:
    if isinstance(output, Tensor):
        return tensor
    if hasattr(output, "_replace"):
        return output._replace(**{output._fields[0]: tensor})
    return type(output)((tensor, *output[1:]))
