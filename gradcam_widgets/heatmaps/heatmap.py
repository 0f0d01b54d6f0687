"""A map and what it explains: immutable, signed and raw, with ways of looking at it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from typing_extensions import Unpack

from gradcam_widgets._paths import writing
from gradcam_widgets.errors import ImageError, ModelError
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.encoding import encode_png
from gradcam_widgets.images.reading import read_image

from . import captions, rendering
from .display import DisplayKeywords, DisplayOptions, resolve, takes_display_options
from .formatting import decimal
from .rendering import colorize, select, upsample

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gradcam_widgets.images.reading import ImageLike

    from .display import Evidence, Interpolation

NEGLIGIBLE = 1e-6
BORDER_CAVEAT_SHARE = 0.5
IMAGE_SIZE_WITHOUT_ONE = 224


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap:
    """Where in the image a layer's evidence for and against a class lies.

    Attributes:
        values: The map, axes (row, column), float32, read-only; signed and in raw units (of the logit, as far as
            the method shares it out), never normalized.
        class_index: Index of the class asked for.
        class_name: Its name, or None where names are not known.
        logit: The class score that was differentiated, before softmax.
        probability: Its softmax probability among all classes (sigmoid for a model with one logit).
        layer: Dotted path of the target layer.
        method: Name of the method.
        model: Name of the model, or None.
        image: What the model saw, axes (row, column, RGB), uint8, or None where it is not known.
        notes: What was noted when the map was made; `caveats` has it and what the map itself shows.

    Raises:
        ModelError: If the map is empty or holds NaN or infinity.
    """

    values: NDArray[np.float32]
    class_index: int
    class_name: str | None
    logit: float
    probability: float
    layer: str
    method: str
    model: str | None = None
    image: NDArray[np.uint8] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Copy and check the arrays."""
        values = np.array(self.values, dtype=np.float32, order="C")
        if values.ndim != 2 or values.size == 0:
            raise ModelError(f"A map has rows and columns, not shape {values.shape}: give a two-dimensional array.")
        if not np.isfinite(values).all():
            raise ModelError(
                f"The {self.method} map of layer {self.layer!r} holds NaN or infinity: compute it in float32, or "
                "choose another layer."
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        if self.image is not None and self.image.flags.writeable:
            object.__setattr__(self, "image", _frozen(self.image))

    def __repr__(self) -> str:
        """Return one line; between machines, at most the last digit of a number differs."""
        logit = decimal(self.logit, 3)
        return f"Heatmap({self.title}, logit {logit}, {self.layer} {captions.grid(self)}, {self.method})"

    def __reduce__(self) -> tuple[type[Heatmap], tuple[Any, ...]]:
        """Copy and unpickle by way of the checks, so that the arrays stay read-only."""
        return Heatmap, tuple(getattr(self, each.name) for each in fields(self))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return (self.values.shape[0], self.values.shape[1])

    @property
    def title(self) -> str:
        """The class as a person reads it, "submarine (833)"."""
        return f"class {self.class_index}" if self.class_name is None else f"{self.class_name} ({self.class_index})"

    def evidence(self, evidence: Evidence = "for") -> NDArray[np.float32]:
        """Return the evidence for the class (the paper's ReLU), that against it turned positive, or both, signed.

        Returns:
            Array, axes (row, column), float32, raw units.
        """
        return select(self.values, evidence)

    def vmax(self, evidence: Evidence = "for") -> float:
        """Return the largest value on one side of the map, the upper end of its own scale, raw units."""
        return float(np.abs(self.evidence(evidence)).max())

    def has_evidence(self, evidence: Evidence = "for") -> bool:
        """Say whether there is evidence on a side: more than a millionth of the map's largest value, which is noise."""
        return self.vmax(evidence) > NEGLIGIBLE * self.vmax("both")

    def positive_fraction(self) -> float:
        """Return the part of all evidence that speaks for the class, in 0…1; NaN for a map of zeros."""
        total = float(np.abs(self.values).sum())
        return float(self.evidence("for").sum()) / total if total else float("nan")

    def peak(self, evidence: Evidence = "for") -> tuple[int, int] | None:
        """Return the cell (row, column) with most evidence, or None where there is none on that side."""
        if not self.has_evidence(evidence):
            return None
        seen = np.abs(self.evidence(evidence))
        row, column = np.unravel_index(int(seen.argmax()), seen.shape)
        return int(row), int(column)

    def centroid(self, evidence: Evidence = "for") -> tuple[float, float] | None:
        """Return the evidence's center of mass (row, column) in cells, or None where there is none on that side."""
        if not self.has_evidence(evidence):
            return None
        seen = np.abs(self.evidence(evidence)).astype(np.float64)
        rows, columns = np.indices(seen.shape)
        return float((rows * seen).sum() / seen.sum()), float((columns * seen).sum() / seen.sum())

    def box(
        self, threshold: float = 0.15, size: tuple[int, int] | None = None, evidence: Evidence = "for"
    ) -> Box | None:
        """Return the box round the largest connected region above a share of the maximum.

        This is the localization of Grad-CAM's paper (section 4.1, arXiv 1610.02391), with its share of 15 %.

        Args:
            threshold: Share of the upsampled map's maximum, in 0…1.
            size: Rows and columns of the image in whose pixels the box is wanted; by default those of the
                image that the model saw, or the grid itself where that is not known.
            evidence: "for" or "against".

        Returns:
            The box in pixels, or None where there is no evidence on that side.

        Raises:
            ImageError: If the threshold is no share.
        """
        DisplayOptions(threshold=threshold)
        if not self.has_evidence(evidence):
            return None
        seen = np.abs(self.upsampled(size, evidence=evidence))
        region = (seen > threshold * seen.max()).astype(np.uint8)
        count, _, boxes, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
        largest = 1 + int(boxes[1:count, cv2.CC_STAT_AREA].argmax())
        left, top, width, height = (int(v) for v in boxes[largest, :4])
        return Box(left, top, left + width, top + height)

    def border_fraction(self) -> float:
        """Return the part of the evidence for the class that lies in the outermost cells, in 0…1."""
        seen = self.evidence("for")
        total = float(seen.sum())
        inner = float(seen[1:-1, 1:-1].sum())
        return (total - inner) / total if total else 0.0

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a reader should know of this map, one sentence each."""
        if not self.values.any():
            return (
                *self.notes,
                f"The map is zero: the score of {self.title} does not depend on layer {self.layer}.",
            )
        if not self.has_evidence("for"):
            return (
                *self.notes,
                f"No positive evidence for {self.title} at layer {self.layer}: look at the signed map.",
            )
        border = self.border_fraction()
        inner = max(0, self.grid[0] - 2) * max(0, self.grid[1] - 2) / self.values.size
        if border > max(BORDER_CAVEAT_SHARE, 1.5 * (1 - inner)):
            share = f"{100 * border:.0f} %"
            return (
                *self.notes,
                f"{share} of the positive evidence lies in the border cells, where padding may speak.",
            )
        return self.notes

    def upsampled(
        self,
        size: tuple[int, int] | None = None,
        interpolation: Interpolation = "bilinear",
        evidence: Evidence = "both",
    ) -> NDArray[np.float32]:
        """Return the map in the size of an image, in raw units.

        Args:
            size: Rows and columns; by default those of the image that the model saw, or the grid itself.
            interpolation: "cells", "bilinear" or "cubic" (clamped to the map's own range).
            evidence: Which side; ReLU comes before upsampling, as in the paper.

        Returns:
            Axes (row, column), float32.
        """
        return upsample(self.evidence(evidence), size or self._image_size() or self.grid, interpolation)

    def on(self, image: ImageLike) -> Heatmap:
        """Return the same map over another rendering of what the model saw."""
        return replace(self, image=_frozen(image))

    @takes_display_options
    def overlay(
        self,
        image: ImageLike | None = None,
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> NDArray[np.uint8]:
        """Lay the colored map over the image: the grid is stretched over the whole of it.

        Args:
            image: What the model saw, in any size; by default the image the map came with.
            display: How to show it.
            changes: Fields of `DisplayOptions`, by keyword. Give several maps one `shared_vmax` to compare them.

        Returns:
            Axes (row, column, RGB), uint8, in the image's size.

        Raises:
            ImageError: If no image is known, or an option cannot be used.
        """
        options = resolve(display, changes)
        top = self.vmax(options.evidence) if options.vmax is None else options.vmax
        return rendering.overlay(self.values, self._shown(image), options, top)

    @takes_display_options
    def figure(
        self,
        image: ImageLike | None = None,
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> Figure:
        """Draw image, map and overlay with a color bar in raw numbers, and say below what is shown.

        The arguments are those of `overlay`. It displays itself in a notebook and leaves pyplot alone.
        """
        from .figures import single_figure  # noqa: PLC0415 - matplotlib loads only for who draws

        heatmap = self if image is None else self.on(image)
        return single_figure(heatmap, resolve(display, changes))

    @takes_display_options
    def export(
        self,
        path: str | os.PathLike[str],
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> Path:
        """Write the figure (.png, .jpg, .pdf, .svg) or the raw values (.npy).

        Args:
            path: Where to; its ending decides.
            display: As for `figure`.
            changes: As for `figure`.

        Returns:
            The path.

        Raises:
            ImageError: If the ending is none of these, or the folder does not exist.
        """
        from .figures import export_figure  # noqa: PLC0415 - matplotlib loads only for who draws

        target = Path(path)
        if target.suffix.lower() != ".npy":
            return export_figure(self.figure(display=display, **changes), target)
        with writing(target), target.open("wb") as file:
            np.save(file, self.values)
        return target

    def summary(self) -> str:
        """Describe the map in one short line, for people and for tests.

        Values are written so that another processor's rounding changes at most the last digit of a number.
        """
        return captions.summary(self)

    def caption(self, evidence: Evidence = "for", vmax: float | None = None) -> str:
        """Say what an exported image shows: class and score, then its `provenance`."""
        return f"{captions.score(self)}; {self.provenance(evidence, vmax)}"

    def provenance(self, evidence: Evidence = "for", vmax: float | None = None) -> str:
        """Say where a map comes from: model, layer, method and scale, and how coarse it is."""
        scale = captions.scale(self.vmax(evidence) if vmax is None else vmax, evidence)
        return f"{captions.origin(self)}, {scale}. {captions.resolution(self)}"

    def description(self, evidence: Evidence = "for") -> str:
        """Say for who does not see the overlay where the heat lies and how much of the image it covers."""
        return captions.description(self, evidence)

    def _repr_png_(self) -> bytes:
        image = self.image
        if image is None:
            side = np.array(self.grid) * (IMAGE_SIZE_WITHOUT_ONE / max(self.grid))
            large = upsample(self.values, (max(1, round(side[0])), max(1, round(side[1]))), "cells")
            return encode_png(colorize(large, self.vmax()))
        return encode_png(self.overlay())

    def _shown(self, image: ImageLike | None) -> NDArray[np.uint8]:
        if image is not None:
            return read_image(image)
        if self.image is None:
            raise ImageError("This map came without its image: give overlay(image) what the model saw.")
        return self.image

    def _image_size(self) -> tuple[int, int] | None:
        return None if self.image is None else (self.image.shape[0], self.image.shape[1])


def _frozen(image: ImageLike) -> NDArray[np.uint8]:
    """Return an image as an array of its own that cannot be written to, so that many maps may share it."""
    own = read_image(image)
    own.setflags(write=False)
    return own
