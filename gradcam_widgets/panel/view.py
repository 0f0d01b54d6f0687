"""The picture view: maps over their picture, with every control that needs no network."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import anywidget
import numpy as np
import traitlets

from gradcam_widgets.errors import GradCAMError, PictureError
from gradcam_widgets.heatmaps import captions
from gradcam_widgets.heatmaps.display import Evidence, Interpolation
from gradcam_widgets.heatmaps.heatmap import Heatmap
from gradcam_widgets.heatmaps.rendering import color_table
from gradcam_widgets.images.encoding import encode_jpeg, shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from gradcam_widgets.attribution.trace import Prediction
    from gradcam_widgets.images.box import Box

STATIC = Path(__file__).parent / "static"
VIEW_MODULE, VIEW_STYLE = ((STATIC / name).read_text(encoding="utf-8") for name in ("view.mjs", "view.css"))
COLORMAPS = ("inferno", "viridis", "cividis", "jet", "RdBu_r")
LONGEST_SIDE = 768  # what the browser repaints at 60 Hz
MOST_MAPS = 2


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


class HeatmapView(anywidget.AnyWidget, Look, Guess):
    """Show one or two maps of a picture, with controls for how they are shown; no network is needed.

    Args:
        heatmaps: One map, or two to compare on one scale, with their picture.
        look: Traits of `Look`, by keyword.

    Raises:
        GradCAMError: If there are more than two maps.
        PictureError: If a map came without its picture.
    """

    _esm: ClassVar[str] = VIEW_MODULE  # as a string: a path would keep closed widgets alive
    _css: ClassVar[str] = VIEW_STYLE

    picture = traitlets.Dict().tag(sync=True)
    maps = traitlets.Dict().tag(sync=True)
    predictions: Any = traitlets.List().tag(sync=True)
    class_index = traitlets.Int(-1).tag(sync=True)
    edits: Any = traitlets.List().tag(sync=True)
    can_edit = traitlets.Bool(default_value=False).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    explanation = traitlets.Unicode("").tag(sync=True)
    tables = traitlets.Dict().tag(sync=True)
    upload = traitlets.Dict().tag(sync=True)
    largest_upload = traitlets.Int(0).tag(sync=True)

    def __init__(self, heatmaps: Heatmap | Sequence[Heatmap], **look: Any) -> None:
        """Show the maps."""
        chosen = [heatmaps] if isinstance(heatmaps, Heatmap) else list(heatmaps)
        self._heatmaps = chosen
        first = chosen[0] if chosen else None
        super().__init__(
            picture=pack_picture(chosen),
            maps=pack_maps(chosen, 0),
            tables={name: table_bytes(name) for name in COLORMAPS},
            class_index=first.class_index if first else -1,
            **look,
        )

    def __repr__(self) -> str:
        """Return one line; between machines, at most the last digit of a number differs."""
        return f"HeatmapView({'; '.join(heatmap.digest() for heatmap in self._heatmaps)})"

    @property
    def heatmaps(self) -> tuple[Heatmap, ...]:
        """The maps that are shown."""
        return tuple(self._heatmaps)

    def show(self, heatmaps: Sequence[Heatmap], window: Box | None = None) -> None:
        """Show other maps; the picture is sent only where it is another one.

        Args:
            heatmaps: One or two.
            window: Which part of the whole picture they lie over.
        """
        same = heatmaps[0].picture is self._heatmaps[0].picture
        self._heatmaps = list(heatmaps)
        if not same or (window is not None and self.picture["window"] != list(window)):
            self.picture = pack_picture(heatmaps, window)
        self.maps = pack_maps(heatmaps, self.maps["seq"] + 1)

    def snapshot(self) -> Image.Image:
        """Return what is shown as a PIL picture, captioned with network, layer, class, score, method and scale."""
        return snapshot(self._heatmaps, self.look)

    def close(self) -> None:
        """Close the view; nothing of it stays behind."""
        if self.comm is not None:
            self.layout.close()
        super().close()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return mimebundle(self.model_id, repr(self), self._heatmaps, self.look, hides=self.hides)

    @traitlets.default("keys")
    def _synced(self) -> list[str]:
        return [*super()._default_keys(), *LOOK, *GUESS]

    @traitlets.validate("colormap")
    def _known_colormap(self, proposal: Any) -> str:
        name = str(super()._known_colormap(proposal))
        if name and name not in self.tables:  # sent before the name that needs it
            self.tables = {**self.tables, name: table_bytes(name)}
        return name


def pack_picture(heatmaps: Sequence[Heatmap], window: Box | None = None) -> dict[str, Any]:
    """Encode the picture that maps lie over: JPEG bytes, its own size, and which part of the whole it shows.

    Raises:
        GradCAMError: If there is no map, or more than two.
        PictureError: If a map came without its picture.
    """
    if not 1 <= len(heatmaps) <= MOST_MAPS:
        raise GradCAMError(f"A view shows one map or compares two, not {len(heatmaps)}: choose among them.")
    if any(heatmap.picture is None for heatmap in heatmaps):
        raise PictureError("A map came without its picture: give it one by heatmap.on(picture).")
    picture = heatmaps[0].picture
    assert picture is not None  # noqa: S101 - for the type checker
    rows, columns = picture.shape[:2]
    return {
        "jpeg": encode_jpeg(shrink(picture, LONGEST_SIDE)),
        "size": [rows, columns],
        "window": list(window or (0, 0, columns, rows)),
    }


def pack_maps(heatmaps: Sequence[Heatmap], sequence_number: int) -> dict[str, Any]:
    """Put maps into one trait, numbered so that a late one can be told."""
    return {"seq": sequence_number, "items": [pack_map(heatmap) for heatmap in heatmaps]}


def pack_map(heatmap: Heatmap) -> dict[str, Any]:
    """Put a map into what view.mjs reads: its float32 values, its grid, and what is said of it."""
    return {
        "values": heatmap.values.tobytes(),
        "grid": list(heatmap.grid),
        "title": heatmap.title,
        "layer": heatmap.layer,
        "method": heatmap.method,
        "caption": f"{captions.score(heatmap)}; {captions.origin(heatmap)}.",
        "note": captions.resolution(heatmap),
        "alt": {side: heatmap.description(side) for side in get_args(Evidence)},
        "remarks": list(heatmap.remarks),
    }


def pack_class(scored: Prediction | Heatmap, before: float | None = None) -> dict[str, Any]:
    """Put a class's scores into what view.mjs reads, with its probability before the picture was changed, if it was."""
    return {
        "class_index": scored.class_index,
        "name": scored.category or f"class {scored.class_index}",
        "probability": scored.probability,
        "logit": scored.logit,
        "before": before,
    }


def table_bytes(colormap: str) -> bytes:
    """Return a colour map's 256 colours as bytes R, G, B."""
    return color_table(colormap).tobytes()


def snapshot(heatmaps: Sequence[Heatmap], look: dict[str, Any]) -> Image.Image:
    """Draw maps beside their picture with a colour bar in raw numbers and a caption."""
    from gradcam_widgets.heatmaps.figures import comparison_figure, rendered  # noqa: PLC0415 - matplotlib loads only for who draws

    return rendered(comparison_figure(heatmaps, **look))


def mimebundle(
    model_id: str, text: str, heatmaps: Sequence[Heatmap], look: dict[str, Any], *, hides: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a widget's live view with a JPEG and a line of text beside it, for pages that cannot show the view."""
    picture = snapshot(heatmaps, look | {"opacity": 0.0} if hides else look)
    described = " ".join(heatmap.description(look["evidence"]) for heatmap in heatmaps)
    alternative = "The map is hidden until a guess is made." if hides else described
    data = {
        "application/vnd.jupyter.widget-view+json": {"version_major": 2, "version_minor": 0, "model_id": model_id},
        "image/jpeg": base64.b64encode(encode_jpeg(np.asarray(picture))).decode("ascii"),
        "text/plain": text,
    }
    return data, {"image/jpeg": {"alt": alternative}}
