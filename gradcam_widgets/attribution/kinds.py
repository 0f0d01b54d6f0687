"""What a module is, by the name of its type."""

from __future__ import annotations

from functools import cache

from torch import nn


def kind_of(module: nn.Module) -> str:
    """Return "block", "convolution", "normalization", "activation", "attention", "pooling" or the type's own name."""
    kind = type(module)
    has_parts = bool(module._modules)  # noqa: SLF001 - `children()` takes ten times as long
    name = kind.__name__.lower()
    return _kind_of_type(name, kind.__module__, has_parts=has_parts, has_weights=_pools_with_weights(module))


def _pools_with_weights(module: nn.Module) -> bool:
    return "pool" in type(module).__name__.lower() and next(module.parameters(), None) is not None


@cache
def _kind_of_type(name: str, home: str, *, has_parts: bool, has_weights: bool) -> str:
    if "attention" in name:
        return "attention"
    if "pool" in name and not has_weights:
        return "pooling"
    if has_parts:
        return "block"
    for word, said in (("conv", "convolution"), ("norm", "normalization"), ("linear", "linear")):
        if word in name:
            return said
    if home == nn.ReLU.__module__:
        return "activation"
    return name


def is_operator(module: nn.Module) -> bool:
    """Return whether a module is a convolution or an attention."""
    return kind_of(module) in ("convolution", "attention")
