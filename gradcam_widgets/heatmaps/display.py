"""How a heatmap is shown: which side of the evidence, on which scale, in which colors."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, get_args

from gradcam_widgets._choices import check_choice
from gradcam_widgets.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable


Evidence = Literal["for", "against", "both"]
Interpolation = Literal["cells", "bilinear", "cubic"]
Function = TypeVar("Function", bound="Callable[..., Any]")

DEFAULT_COLORMAPS: dict[str, str] = {"for": "inferno", "against": "inferno", "both": "RdBu_r"}


class DisplayKeywords(TypedDict, total=False):
    """The fields of `DisplayOptions` as keyword arguments, for type checkers."""

    evidence: Evidence
    opacity: float
    fade: bool
    threshold: float
    colormap: str | None
    vmax: float | None
    interpolation: Interpolation


@dataclass(frozen=True, kw_only=True)
class DisplayOptions:
    """How a heatmap is shown; nothing of it asks the model.

    Attributes:
        evidence: Which side to show: "for" the class (the paper's ReLU), "against" it, or "both", signed.
        opacity: 0 shows the image alone, 1 the map alone.
        fade: Whether weaker evidence is more transparent, in proportion to the scale, so that the image stays as it
            is where there is none.
        threshold: Evidence up to this fraction of the map's maximum, in [0, 1), is not shown at all.
        colormap: Any of matplotlib's; None takes a perceptually uniform one, a diverging one for "both".
        vmax: Upper end of the scale in raw units; None takes the map's own maximum.
        interpolation: "cells" for the grid as it is, or "bilinear" or "cubic" for a smooth one.

    Raises:
        OptionError: If a value is out of its range.
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
        if not 0 <= self.opacity <= 1:
            raise OptionError(f"opacity must be between 0 and 1, got {self.opacity:g}.")
        if not 0 <= self.threshold < 1:
            raise OptionError(f"threshold must be in [0, 1), got {self.threshold:g}.")
        if self.vmax is not None and not (self.vmax > 0 and math.isfinite(self.vmax)):
            raise OptionError(f"vmax must be a positive, finite number or None, got {self.vmax:g}.")
        if self.colormap is not None:
            from matplotlib import colormaps  # noqa: PLC0415 - only who chooses one pays for matplotlib

            check_choice("colormap", self.colormap, tuple(colormaps))

    def changed(self) -> dict[str, Any]:
        """Return the options that differ from the defaults, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {field.name: values[field.name] for field in fields(self) if values[field.name] != field.default}


def resolve(display: DisplayOptions | None, changes: DisplayKeywords) -> DisplayOptions:
    """Return display options with changes; without any, the defaults."""
    return replace(display or DisplayOptions(), **changes)


def takes_display_options(function: Function) -> Function:
    """Show the fields of `DisplayOptions` in the signature of a function that takes them as `**changes`."""
    signature = inspect.signature(function)
    options = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields(DisplayOptions)
    ]
    others = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    function.__signature__ = signature.replace(parameters=[*others, *options])  # type: ignore[attr-defined]
    return function
