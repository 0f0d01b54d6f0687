"""The heatmap view: an anywidget that shows maps over their image."""

from __future__ import annotations

import base64
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar

import anywidget
import numpy as np
import traitlets
from typing_extensions import Unpack

from gradcam_widgets.heatmaps.display import DisplayKeywords, DisplayOptions, resolve, takes_display_options
from gradcam_widgets.heatmaps.heatmap import Heatmap
from gradcam_widgets.images.encoding import encode_jpeg

from .modules import lean, styles, view_module
from .traits import COLORMAPS, DISPLAY, GUESS, DisplayTraits, Guess
from .wire import pack_image, pack_maps, table_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from gradcam_widgets.heatmaps.display import DisplayOptions
    from gradcam_widgets.images.box import Box

VIEW_MODULE, VIEW_STYLE = lean(view_module()), styles("view.css")


class HeatmapView(anywidget.AnyWidget, DisplayTraits, Guess):
    """Interactive view of one or two maps over their image, with display controls; needs no model.

    Args:
        heatmaps: One map, or two to compare on one scale, with their image.
        can_edit: Whether to offer edits and uploads; the owner of the view must handle them.
        max_upload_bytes: Largest accepted upload; 0 rejects all.
        guessing: Whether the map is hidden until a guess is drawn.
        display: Display options of the maps.
        changes: Fields of `DisplayOptions`, by keyword.

    Raises:
        GradCAMError: If there are not one or two maps.
        ImageError: If a map has no image.
    """

    _esm: ClassVar[str] = VIEW_MODULE  # as a string: a path would keep closed widgets alive
    _css: ClassVar[str] = VIEW_STYLE

    image = traitlets.Dict().tag(sync=True)
    maps = traitlets.Dict().tag(sync=True)
    predictions: Any = traitlets.List().tag(sync=True)
    target = traitlets.Int(-1).tag(sync=True)
    edits: Any = traitlets.List().tag(sync=True)
    can_edit = traitlets.Bool(default_value=False).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    explanation = traitlets.Unicode("").tag(sync=True)
    tables = traitlets.Dict().tag(sync=True)
    upload = traitlets.Dict().tag(sync=True)
    max_upload_bytes = traitlets.Int(0).tag(sync=True)

    @takes_display_options
    def __init__(
        self,
        heatmaps: Heatmap | Sequence[Heatmap],
        *,
        can_edit: bool = False,
        max_upload_bytes: int = 0,
        guessing: bool = False,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> None:
        """Create the view."""
        self._heatmaps = [heatmaps] if isinstance(heatmaps, Heatmap) else list(heatmaps)
        first = self._heatmaps[0] if self._heatmaps else None
        super().__init__(
            image=pack_image(self._heatmaps),
            maps=pack_maps(self._heatmaps, 0),
            tables={name: table_bytes(name) for name in COLORMAPS},
            target=first.class_index if first else -1,
            can_edit=can_edit,
            max_upload_bytes=max_upload_bytes,
            guessing=guessing,
            **asdict(resolve(display, changes)),
        )

    def __repr__(self) -> str:
        """Return a one-line description, equal on all machines up to a number's last digit."""
        return f"HeatmapView({'; '.join(heatmap.summary() for heatmap in self._heatmaps)})"

    @property
    def heatmaps(self) -> tuple[Heatmap, ...]:
        """The displayed maps."""
        return tuple(self._heatmaps)

    def show(self, heatmaps: Sequence[Heatmap], window: Box | None = None) -> None:
        """Replace the displayed maps; the image is sent only if it has changed.

        Args:
            heatmaps: One or two maps.
            window: The part of the original image that they cover, in pixels.
        """
        is_same_image = heatmaps[0].image is self._heatmaps[0].image
        self._heatmaps = list(heatmaps)
        if not is_same_image or (window is not None and self.image["window"] != list(window)):
            self.image = pack_image(heatmaps, window)
        self.maps = pack_maps(heatmaps, self.maps["seq"] + 1)

    def snapshot(self) -> Image.Image:
        """Draw the displayed maps as a PIL image, captioned with model, layer, class, score, method and scale."""
        return snapshot(self._heatmaps, self.display)

    def close(self) -> None:
        """Close the view and its layout."""
        if self.comm is not None:
            self.layout.close()
        super().close()

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return mimebundle(self.model_id, repr(self), self._heatmaps, self.display, hides=self.hides)

    @traitlets.default("keys")
    def _synced(self) -> list[str]:
        return [*super()._default_keys(), *DISPLAY, *GUESS]

    @traitlets.validate("colormap")
    def _checked_colormap(self, proposal: Any) -> Any:
        name = self._checked(proposal)
        if name and name not in self.tables:  # sent before the name that refers to it
            self.tables = {**self.tables, name: table_bytes(name)}
        return name


def snapshot(heatmaps: Sequence[Heatmap], display: DisplayOptions) -> Image.Image:
    """Draw maps beside their image, with a color bar in raw units and a caption, as a PIL image."""
    from gradcam_widgets.heatmaps import figures  # noqa: PLC0415 - matplotlib is slow to import

    return figures.rendered(figures.comparison_figure(heatmaps, display=display))


def mimebundle(
    model_id: str, text: str, heatmaps: Sequence[Heatmap], display: DisplayOptions, *, hides: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build the MIME bundle: the live widget plus a static JPEG and text fallback."""
    image = snapshot(heatmaps, replace(display, opacity=0.0) if hides else display)
    description = " ".join(heatmap.description(display.evidence) for heatmap in heatmaps)
    alternative = "The map is hidden until a guess is made." if hides else description
    data = {
        "application/vnd.jupyter.widget-view+json": {"version_major": 2, "version_minor": 0, "model_id": model_id},
        "image/jpeg": base64.b64encode(encode_jpeg(np.asarray(image))).decode("ascii"),
        "text/plain": text,
    }
    return data, {"image/jpeg": {"alt": alternative}}
