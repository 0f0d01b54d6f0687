"""One forward pass that keeps what chosen layers put out, and gives the model back as it was."""

from __future__ import annotations

import weakref
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from .errors import LayerError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Output:
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
class Capture:
    """What a forward pass left behind.

    Attributes:
        logits: The class scores as `finish` read them from the network's output, connected to the graph.
        kept: Each kept layer's own output at its last call, connected to the graph, by name in call order.
        outputs: Every watched module's output, in the order in which their last calls ended.
        weights: The network's parameters and buffers, with how often each had been written to.
        in_training: Whether a part of the network was in training mode.
    """

    logits: Tensor
    kept: dict[str, Tensor]
    outputs: list[Output]
    weights: list[tuple[Tensor, int]]
    in_training: bool

    @property
    def is_current(self) -> bool:
        """Whether the network's weights and buffers are still those of the pass."""
        return all(tensor._version == version for tensor, version in self.weights)  # noqa: SLF001 - torch's own


def unwrap(model: nn.Module) -> nn.Module:
    """Return the network inside `DataParallel`, `DistributedDataParallel` and `torch.compile`."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def forward(
    model: nn.Module,
    batch: Tensor,
    layers: Mapping[str, nn.Module],
    finish: Callable[[Any], Tensor],
    keep: Callable[[str], bool] = lambda _name: True,
) -> Capture:
    """Run one forward pass in eval mode and keep what layers put out, with a graph from the first of them on.

    No graph is built before the first kept layer, and no parameter is touched. Each kept layer hands a clone
    on, so that an in-place operation behind it cannot change what is kept. Flags, buffers, hooks and grad mode
    are afterwards what they were, on errors too.

    Args:
        model: The network, not wrapped.
        batch: Its input, axes (picture, channel, row, column), on its device and in its dtype.
        layers: The modules to watch, by name.
        finish: Reads the class scores, axes (picture, category), from what the network returns.
        keep: Says by its name whether a watched module's output is kept.

    Raises:
        ModelError: If the network cannot be traced.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise ModelError(
            "A scripted network (torch.jit) does not show its layers: give the Python module it was made from."
        )
    wanted = frozenset(filter(keep, layers))
    tape = _Tape(wanted)
    logits = _run(model, batch, layers, finish, tape, grad_before_the_cut=False)
    if tape.interrupted:
        # The network itself runs a part under no_grad, and on leaving it put our no_grad back.
        tape = _Tape(wanted)
        logits = _run(model, batch, layers, finish, tape, grad_before_the_cut=True)
    modules = _modules(model)
    weights = [
        (tensor, tensor._version)  # noqa: SLF001 - torch's own
        for module in modules
        for table in (module._parameters, module._buffers)  # noqa: SLF001 - `parameters()` takes four times as long
        for tensor in table.values()
        if tensor is not None and not tensor.is_inference()
    ]
    in_training = any(module.training for module in modules)
    return Capture(logits, tape.kept, list(tape.outputs.values()), weights, in_training)


def gradients(model: nn.Module, capture: Capture, class_indices: Tensor, names: list[str]) -> list[Tensor | None]:
    """Differentiate one class score of each picture with respect to kept outputs; no `.grad` is written.

    Args:
        model: The network, whose checkpointed parts run again.
        capture: What its forward pass left behind.
        class_indices: One category for each picture, int64, axis (picture).
        names: Of the kept outputs.

    Returns:
        One gradient in the shape of each kept output; None where the score does not depend on it.

    Raises:
        ModelError: If the network was changed since the pass, or checkpoints in the way that allows no gradients
            of activations.
    """
    if not capture.is_current:
        raise ModelError("The network's weights or buffers were changed since this trace was made: trace again.")
    if not capture.logits.requires_grad:
        return [None] * len(names)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        if capture.in_training:
            stack.enter_context(_given_back(model))
        one_hot = torch.zeros_like(capture.logits, requires_grad=False)
        one_hot[torch.arange(len(one_hot)), class_indices] = 1
        kept = [capture.kept[name] for name in names]
        try:
            found = torch.autograd.grad(capture.logits, kept, one_hot, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            if "use_reentrant" not in str(error):
                raise
            raise ModelError(
                "The network checkpoints with use_reentrant=True, which allows no gradients of activations: "
                "set use_reentrant=False."
            ) from error
    return list(found)


def _run(
    model: nn.Module,
    batch: Tensor,
    layers: Mapping[str, nn.Module],
    finish: Callable[[Any], Tensor],
    tape: _Tape,
    *,
    grad_before_the_cut: bool,
) -> Tensor:
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(grad_before_the_cut))
        stack.enter_context(_given_back(model))
        for name, module in layers.items():
            stack.callback(module.register_forward_hook(partial(tape.see, name), with_kwargs=True).remove)
        # A network may write into its input, and one made under inference_mode cannot enter a graph: hence the clone.
        output = model(batch.clone())
        tape.watch_grad_mode()
        return finish(output)


@contextmanager
def _given_back(model: nn.Module) -> Iterator[None]:
    """Put the model into eval mode with stand-ins for its buffers, and put everything back afterwards.

    That includes what its modules keep as attributes: some store what they computed, with its graph.
    """
    saved: list[tuple[dict[str, Any], dict[str, Any]]] = []
    stand_ins: dict[int, Tensor] = {}

    def stand_in(tensor: Tensor) -> Tensor:
        if id(tensor) not in stand_ins:
            stand_ins[id(tensor)] = tensor.detach().clone()
        return stand_ins[id(tensor)]

    try:
        for module in _modules(model):
            saved.append((module.__dict__, dict(module.__dict__)))
            if module.training:
                module.training = False  # not by `eval()`, which a network may have overridden to merge weights
            # In eval mode batch norm only reads its buffers; cloning them all would cost some per cent.
            only_reads = isinstance(module, _BatchNorm) and type(module).forward is _BatchNorm.forward
            # torch has no public way to swap tensors that is as fast.
            tables: tuple[tuple[dict[str, Any], bool], ...] = (
                (module._parameters, False),  # noqa: SLF001
                (module._buffers, not only_reads),  # noqa: SLF001
            )
            for table, may_be_written in tables:
                if may_be_written or _has_inference_tensors(module, table):
                    saved.append((table, dict(table)))
                    table.update({name: stand_in(tensor) for name, tensor in table.items() if tensor is not None})
        yield
    finally:
        for table, entries in saved:
            table.clear()
            table.update(entries)


def _has_inference_tensors(module: nn.Module, tensors: dict[str, Any]) -> bool:
    """Say whether some were made under `inference_mode` and cannot enter a graph; refuse lazy ones."""
    found = False
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if is_lazy(tensor):
            raise ModelError(
                f"The lazy {name!r} of {type(module).__name__} has no shape yet: run the network on a batch once first."
            )
        found = found or tensor.is_inference()
    return found


def _modules(model: nn.Module) -> list[nn.Module]:
    """List what `model.modules()` yields, in another order and a quarter of the time."""
    found = {id(model)}
    listed = [model]
    for module in listed:
        for child in module._modules.values():  # noqa: SLF001 - what `children()` reads
            if child is not None and id(child) not in found:
                found.add(id(child))
                listed.append(child)
    return listed


@dataclass
class _Tape:
    """What the forward hooks of one pass write down; `interrupted` if grad mode was switched off after the cut."""

    wanted: frozenset[str]
    outputs: dict[str, Output] = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)
    interrupted: bool = False
    _last: Callable[[], Tensor | None] = lambda: None
    _last_version: int = -1
    _last_name: str = ""

    def see(
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
            self.outputs[name] = Output(name, module, (), calls, same_as_previous=False)
            return None
        same = self._last() is tensor and self._last_version == tensor._version  # noqa: SLF001 - torch's own
        self.outputs[name] = Output(name, module, tuple(tensor.shape), calls, same_as_previous=same)
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
                f"The network runs layer {name!r} under torch.inference_mode: use torch.no_grad there instead."
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
