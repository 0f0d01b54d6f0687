"""The traits that say how maps are shown and what was guessed, for whoever holds them: no widget is needed."""

from __future__ import annotations

from typing import Any, get_args

import traitlets

from gradcam_widgets.errors import PictureError
from gradcam_widgets.heatmaps.display import Evidence, Interpolation
from gradcam_widgets.heatmaps.rendering import color_table

COLORMAPS = ("inferno", "viridis", "cividis", "jet", "RdBu_r")


class Look(traitlets.HasTraits):
    """How maps are shown; nothing of it asks the network.

    Attributes:
        opacity: 0 shows the picture alone, 1 the map alone.
        colormap: Any of matplotlib's; "" takes a perceptually uniform one, a diverging one for "both".
        threshold: Share of the map's maximum up to which nothing is shown; above 0 a box is drawn round the rest.
        evidence: "for", "against" or "both".
        interpolation: "cells", "bilinear" or "cubic".
        limit: Upper end of the scale in raw units; None takes that of the maps shown.
        fade: Whether weaker evidence is more transparent.
    """

    opacity = traitlets.Float(0.75, min=0, max=1)
    colormap = traitlets.Unicode("")
    threshold = traitlets.Float(0.0, min=0, max=0.99)
    evidence = traitlets.Enum(get_args(Evidence), "for")
    interpolation = traitlets.Enum(get_args(Interpolation), "bilinear")
    limit = traitlets.Float(None, allow_none=True)
    fade = traitlets.Bool(default_value=True)

    @property
    def look(self) -> dict[str, Any]:
        """The arguments with which `comparison_figure` shows the same."""
        values = {name: getattr(self, name) for name in Look.class_trait_names()}
        return values | {"colormap": self.colormap or None}

    @traitlets.validate("colormap")
    def _known_colormap(self, proposal: Any) -> str:
        if proposal.value:
            color_table(proposal.value)
        return str(proposal.value)

    @traitlets.validate("limit")
    def _usable_limit(self, proposal: Any) -> float | None:
        limit: float | None = proposal.value
        if limit is not None and not 0 < limit < float("inf"):
            raise PictureError(f"A scale ends at a positive number, not at {limit:g}: give one, or None for its own.")
        return limit


LOOK = tuple(Look.class_trait_names())
DEFAULT_LOOK = {name: trait.default() for name, trait in Look.class_traits().items()}


class Guess(traitlets.HasTraits):
    """The student's guess, drawn before the map is seen.

    Attributes:
        guessing: Whether the map is hidden until it is revealed.
        guess: The rectangle drawn, left, top, right and bottom in the shown picture's pixels, or None.
        revealed: Whether the map is shown.
    """

    guessing = traitlets.Bool(default_value=False)
    guess: Any = traitlets.List(traitlets.Int(), None, allow_none=True, minlen=4, maxlen=4)
    revealed = traitlets.Bool(default_value=False)

    @property
    def hides(self) -> bool:
        """Whether the map waits for a guess."""
        return bool(self.guessing and not self.revealed)


GUESS = tuple(Guess.class_trait_names())
