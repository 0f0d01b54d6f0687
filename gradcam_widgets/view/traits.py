"""Traits for display options and guesses, independent of widgets."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import traitlets

from gradcam_widgets.heatmaps.display import DisplayOptions

COLORMAPS = ("inferno", "viridis", "cividis", "jet", "RdBu_r")
DISPLAY = tuple(field.name for field in fields(DisplayOptions))


def _trait(kind: Any, default: Any) -> traitlets.TraitType[Any, Any]:
    """Return the trait for a field type of `DisplayOptions`."""
    if get_origin(kind) is Literal:
        return traitlets.Enum(get_args(kind), default)
    types: dict[Any, Any] = {float: traitlets.Float, bool: traitlets.Bool, str: traitlets.Unicode}
    optional = type(None) in get_args(kind)
    plain = next(member for member in get_args(kind) or (kind,) if member is not type(None))
    trait: traitlets.TraitType[Any, Any] = types[plain](default, allow_none=optional)
    return trait


_DisplayFields = type(
    "_DisplayFields",
    (traitlets.HasTraits,),
    {field.name: _trait(get_type_hints(DisplayOptions)[field.name], field.default) for field in fields(DisplayOptions)},
)


class DisplayTraits(_DisplayFields):  # type: ignore[misc, valid-type]  # made from the fields of DisplayOptions
    """One trait per field of `DisplayOptions`; changes do not call the model."""

    @property
    def display(self) -> DisplayOptions:
        """The current display options."""
        return DisplayOptions(**{name: getattr(self, name) for name in DISPLAY})

    @traitlets.validate(*DISPLAY)
    def _checked(self, proposal: Any) -> Any:
        DisplayOptions(**{proposal.trait.name: proposal.value})
        return proposal.value


class Guess(traitlets.HasTraits):
    """The student's guess, drawn before the map is revealed.

    Attributes:
        guessing: Whether the map is hidden until it is revealed.
        guess: Left, top, right and bottom of the drawn rectangle, in pixels of the displayed image, or None.
        revealed: Whether the map has been revealed.
    """

    guessing = traitlets.Bool(default_value=False)
    guess: Any = traitlets.List(traitlets.Int(), None, allow_none=True, minlen=4, maxlen=4)
    revealed = traitlets.Bool(default_value=False)

    @property
    def hides(self) -> bool:
        """Whether the map is hidden until a guess is made."""
        return bool(self.guessing and not self.revealed)


GUESS = tuple(Guess.class_trait_names())
