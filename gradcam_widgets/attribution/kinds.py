"""Classification of modules by the name of their type."""

from __future__ import annotations

from functools import cache

from torch import nn


def kind_of(module: nn.Module) -> str:
    """Return "block", "convolution", "normalization", "linear", "activation", "attention", "pooling" or the type."""
    module_type = type(module)
    has_children = bool(module._modules)  # noqa: SLF001 - `children()` takes ten times as long
    return _kind_of_type(
        module_type.__name__.lower(),
        module_type.__module__,
        has_children=has_children,
        is_weighted_pooling=_is_weighted_pooling(module),
    )


def _is_weighted_pooling(module: nn.Module) -> bool:
    return "pool" in type(module).__name__.lower() and next(module.parameters(), None) is not None


@cache
def _kind_of_type(name: str, defined_in: str, *, has_children: bool, is_weighted_pooling: bool) -> str:
    if "attention" in name:
        return "attention"
    if "pool" in name and not is_weighted_pooling:
        return "pooling"
    if has_children:
        return "block"
    for word, kind in (("conv", "convolution"), ("norm", "normalization"), ("linear", "linear")):
        if word in name:
            return kind
    if defined_in == nn.ReLU.__module__:
        return "activation"
    return name


def is_operator(module: nn.Module) -> bool:
    """Return whether a module is a convolution or an attention layer."""
    return kind_of(module) in ("convolution", "attention")
