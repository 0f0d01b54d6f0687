"""Display options of heatmaps: sign of the evidence, scale, colors and blending."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, get_args

import numpy as np

from gradcam_widgets._choices import check_choice
from gradcam_widgets.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable


Evidence = Literal["for", "against", "both"]
Interpolation = Literal["cells", "bilinear", "cubic"]
Function = TypeVar("Function", bound="Callable[..., Any]")

DEFAULT_COLORMAPS: dict[str, str] = {"for": "inferno", "against": "inferno", "both": "RdBu_r"}


class DisplayKeywords(TypedDict, total=False):
    """Fields of `DisplayOptions` as keyword arguments, for type checkers."""

    evidence: Evidence
    opacity: float
    fade: bool
    threshold: float
    colormap: str | None
    vmax: float | None
    interpolation: Interpolation


@dataclass(frozen=True, kw_only=True)
class DisplayOptions:
    """Display options of a heatmap; changing them needs no computation by the model.

    Attributes:
        evidence: Evidence "for" the class (the paper's ReLU), "against" it, or "both", signed.
        opacity: Opacity of the map in 0…1.
        fade: Whether opacity is proportional to the evidence, so that the image is unchanged where there is none.
        threshold: Fraction of the map's maximum, in [0, 1), up to which evidence is hidden.
        colormap: Name of a matplotlib colormap; None for a perceptually uniform one, or a diverging one for "both".
        vmax: Upper end of the scale in raw units; None for the map's maximum.
        interpolation: "cells" for the unsmoothed grid, "bilinear" or "cubic".

    Raises:
        OptionError: If a value is unknown or out of range.
    """

    evidence: Evidence = "for"
    opacity: float = 0.75
    fade: bool = True
    threshold: float = 0.0
    colormap: str | None = None
    vmax: float | None = None
    interpolation: Interpolation = "bilinear"

    def __post_init__(self) -> None:
        """Check every value."""
        check_choice("evidence", self.evidence, get_args(Evidence))
        check_choice("interpolation", self.interpolation, get_args(Interpolation))
        for name in ("opacity", "threshold", "vmax"):
            value = getattr(self, name)
            if not isinstance(value, Real) and not (name == "vmax" and value is None):
                raise OptionError(f"{name} must be a number, got {value!r}.")
        if not isinstance(self.fade, (bool, np.bool_)):
            raise OptionError(f"fade must be True or False, got {self.fade!r}.")
        if not 0 <= self.opacity <= 1:
            raise OptionError(f"opacity must be between 0 and 1, got {self.opacity:g}.")
        if not 0 <= self.threshold < 1:
            raise OptionError(f"threshold must be in [0, 1), got {self.threshold:g}.")
        if self.vmax is not None and not (self.vmax > 0 and math.isfinite(self.vmax)):
            raise OptionError(f"vmax must be a positive, finite number or None, got {self.vmax:g}.")
        if self.colormap is not None:
            from matplotlib import colormaps  # noqa: PLC0415 - slow to import

            check_choice("colormap", self.colormap, tuple(colormaps), registry="matplotlib.colormaps")

    def changed(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {field.name: values[field.name] for field in fields(self) if values[field.name] != field.default}


def resolve(display: DisplayOptions | None, changes: DisplayKeywords) -> DisplayOptions:
    """Return the display options, or else the defaults, with changes applied."""
    return replace(display or DisplayOptions(), **changes)


def takes_display_options(function: Function) -> Function:
    """Decorate a function whose `**changes` are fields of `DisplayOptions` to list them in its signature."""
    signature = inspect.signature(function)
    options = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields(DisplayOptions)
    ]
    named = [
        parameter for parameter in signature.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    function.__signature__ = signature.replace(parameters=[*named, *options])  # type: ignore[attr-defined]
    return function
