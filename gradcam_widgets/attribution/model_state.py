"""Run a model in eval mode and give it back as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from gradcam_widgets.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside `DataParallel`, `DistributedDataParallel` and `torch.compile`."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


@contextmanager
def restoring_model_state(model: nn.Module) -> Iterator[None]:
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
                module.training = False  # not by `eval()`, which a model may have overridden to merge weights
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
                f"The lazy {name!r} of {type(module).__name__} has no shape yet: run the model on a batch once first."
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
