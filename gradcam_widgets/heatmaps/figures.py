"""Matplotlib figures of one heatmap, or of several on one scale, with a color bar in raw units."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from PIL import Image
from typing_extensions import Unpack

from gradcam_widgets._paths import writing
from gradcam_widgets.errors import ExportError, ImageError
from gradcam_widgets.images.encoding import encode_jpeg, shrink

from .display import DEFAULT_COLORMAPS, DisplayKeywords, DisplayOptions, Evidence, resolve, takes_display_options
from .rendering import color_table, overlay
from .scale import shared_vmax

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from .heatmap import Heatmap

PANEL_INCHES, GAP, MARGIN = 3.1, 0.1, 0.12
BAR_INCHES, TITLE_INCHES, LINE_INCHES = 0.13, 0.24, 0.155
MAX_SIDE_PIXELS = 900
EXTENSIONS = (".png", ".jpg", ".jpeg", ".pdf", ".svg")
MUTED = "#555555"
FALLBACK_FONT = "DejaVu Sans"  # included in matplotlib


class _NotebookFigure(Figure):
    """A figure with a notebook representation, independent of pyplot and its global state."""

    def __repr__(self) -> str:
        """Return a deterministic one-line representation."""
        width, height = self.get_size_inches()
        return f"Figure({width:.1f}×{height:.1f} inches)"

    def _repr_jpeg_(self) -> bytes:
        return encode_jpeg(np.asarray(rendered(self)))


def single_figure(heatmap: Heatmap, display: DisplayOptions) -> Figure:
    """Draw the input image, the map as cells, and the overlay, with a color bar.

    Args:
        heatmap: The heatmap; without an image, only the map is drawn.
        display: Display options.
    """
    evidence = display.evidence
    top = heatmap.vmax(evidence) if display.vmax is None else display.vmax
    image = None if heatmap.image is None else shrink(heatmap.image, MAX_SIDE_PIXELS)
    notes = [heatmap.caption(evidence, top), *heatmap.caveats]
    figure, axes, bar = _canvas(1 if image is None else 3, _aspect(heatmap), notes, _headline(heatmap))
    map_axes = axes[0] if image is None else axes[1]
    if image is not None:
        _show(axes[0], image, "what the model saw")
        colors = overlay(heatmap.values, image, display, top)
        _show(axes[2], colors, f"overlay, {'cells' if display.interpolation == 'cells' else 'smoothed'}")
    extent = None if image is None else (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
    shades = _shades(top, display)
    map_axes.imshow(
        heatmap.evidence(evidence),
        cmap=shades.cmap,
        clim=shades.get_clim(),
        extent=extent,
        interpolation="nearest",
        aspect="auto",
    )
    _frame(map_axes, f"{heatmap.method}, {heatmap.grid[0]}×{heatmap.grid[1]}")
    _bar(bar, shades, evidence)
    return figure


@takes_display_options
def comparison_figure(
    heatmaps: Sequence[Heatmap], *, display: DisplayOptions | None = None, **changes: Unpack[DisplayKeywords]
) -> Figure:
    """Draw several heatmaps of one image side by side on one scale.

    Args:
        heatmaps: The heatmaps, with their image.
        display: Display options; without `vmax`, the scale ends at the largest value of all maps.
        changes: Fields of `DisplayOptions`, by keyword.

    Raises:
        ImageError: If a heatmap has no image.
        OptionError: If an option is unknown or out of range.
        GradCAMError: If there are no heatmaps.
    """
    options = resolve(display, changes)
    evidence = options.evidence
    top = shared_vmax(heatmaps, evidence) if options.vmax is None else options.vmax
    images = [shrink(heatmap.image, MAX_SIDE_PIXELS) for heatmap in heatmaps if heatmap.image is not None]
    if len(images) < len(heatmaps):
        raise ImageError("Cannot draw a heatmap without an image: add one with heatmap.with_image(image).")
    notes = [_common_caption(heatmaps, top, evidence)]
    notes += list(dict.fromkeys(caveat for heatmap in heatmaps for caveat in heatmap.caveats))
    figure, axes, bar = _canvas(1 + len(heatmaps), _aspect(heatmaps[0]), notes, None)
    _show(axes[0], images[0], "what the model saw")
    for panel_axes, heatmap, image in zip(axes[1:], heatmaps, images, strict=True):
        colors = overlay(heatmap.values, image, options, top)
        _show(panel_axes, colors, _headline(heatmap, short=True), emphasis=True)
    _bar(bar, _shades(top, options), evidence)
    return figure


def export_figure(figure: Figure, path: Path) -> Path:
    """Write a figure to a file.

    Raises:
        ExportError: If the extension is not supported, or the file cannot be written.
    """
    if path.suffix.lower() not in EXTENSIONS:
        extensions = f"{', '.join(EXTENSIONS[:-1])} or {EXTENSIONS[-1]}"
        raise ExportError(f"Cannot export a figure as '{path}': unsupported extension; use {extensions}.")
    with writing(path):
        figure.savefig(path, dpi=150)
    return path


def rendered(figure: Figure, dpi: int = 110) -> Image.Image:
    """Render a figure to an RGB PIL image."""
    return Image.open(io.BytesIO(_png(figure, dpi))).convert("RGB")


def _canvas(panels: int, aspect: float, notes: Sequence[str], headline: str | None) -> tuple[Figure, list[Axes], Axes]:
    """Lay out panels of the image's aspect ratio, a color bar, a headline and footnotes, with sizes in inches."""
    panel_height = min(PANEL_INCHES / aspect, 1.6 * PANEL_INCHES)
    panel_width = panel_height * aspect
    width = MARGIN + panels * (panel_width + GAP) + BAR_INCHES + 0.75
    lines = [line for note in notes for line in textwrap.wrap(note, int(width * 15.5))]
    footer = LINE_INCHES * len(lines) + 2 * MARGIN
    height = footer + panel_height + 2 * TITLE_INCHES + (0.08 if headline else 0)
    figure = _NotebookFigure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)

    def add_axes(left: float, inches: float) -> Axes:
        return figure.add_axes((left / width, footer / height, inches / width, panel_height / height))

    axes = [add_axes(MARGIN + i * (panel_width + GAP), panel_width) for i in range(panels)]
    bar = add_axes(MARGIN + panels * (panel_width + GAP), BAR_INCHES)
    left = MARGIN / width
    figure.text(
        left,
        MARGIN / height,
        "\n".join(lines),
        fontsize=8,
        fontfamily=_fonts(),
        color=MUTED,
        va="bottom",
        linespacing=1.3,
        parse_math=False,
    )
    if headline:
        top = 1 - MARGIN / height
        figure.text(
            left, top, headline, fontsize=12, fontfamily=_fonts(), fontweight="bold", va="top", parse_math=False
        )
    return figure, axes, bar


def _show(axes: Axes, image: NDArray[np.uint8], title: str, *, emphasis: bool = False) -> None:
    axes.imshow(image, interpolation="bilinear", aspect="auto")
    _frame(axes, title, emphasis=emphasis)


def _frame(axes: Axes, title: str, *, emphasis: bool = False) -> None:
    color = "black" if emphasis else MUTED
    axes.set_title(title, fontsize=9.5, fontfamily=_fonts(), color=color, parse_math=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _shades(top: float, display: DisplayOptions) -> ScalarMappable:
    table = color_table(display.colormap or DEFAULT_COLORMAPS[display.evidence])
    low = -top if display.evidence == "both" else 0.0
    return ScalarMappable(Normalize(low, top or 1.0), ListedColormap(list(table / 255)))


def _bar(axes: Axes, shades: ScalarMappable, evidence: Evidence) -> None:
    label = {
        "for": "evidence for the class",
        "against": "evidence against the class",
        "both": "against   ·   for",
    }
    bar = Colorbar(axes, shades)
    bar.set_label(f"{label[evidence]} (raw)", fontsize=8, fontfamily=_fonts(), color=MUTED)
    axes.tick_params(labelsize=8, colors=MUTED)
    for tick in axes.get_yticklabels():
        tick.set_fontfamily(_fonts())
    bar.outline.set_visible(False)


def _fonts() -> list[str]:
    """Return the configured fonts, and a fallback for missing glyphs."""
    return [*rcParams["font.family"], FALLBACK_FONT]


def _headline(heatmap: Heatmap, *, short: bool = False) -> str:
    scores = f"logit {heatmap.logit:.2f}, probability {heatmap.probability:.3f}"
    return f"{heatmap.title}\n{scores}" if short else f"{heatmap.title}: {scores}"


def _common_caption(heatmaps: Sequence[Heatmap], top: float, evidence: Evidence) -> str:
    if len(heatmaps) == 1:
        return heatmaps[0].caption(evidence, top)
    sources = list(dict.fromkeys(heatmap.provenance(evidence, top) for heatmap in heatmaps))
    return " ".join(["One scale for all:", *sources])


def _aspect(heatmap: Heatmap) -> float:
    rows, columns = heatmap.grid if heatmap.image is None else heatmap.image.shape[:2]
    return float(columns / rows)


def _png(figure: Figure, dpi: int = 110) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()
