"""The immutable heatmap: signed raw values with statistics, overlays, figures and captions."""

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
MAX_BORDER_FRACTION = 0.5
FALLBACK_IMAGE_SIZE = 224


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap:
    """Evidence for and against one class in the cells of one layer.

    Attributes:
        values: Read-only `(H, W)` float32 map, signed, in raw units of the logit, never normalized.
        class_index: Index of the target class.
        class_name: Name of the target class, or None if unknown.
        logit: The differentiated class score, before softmax.
        probability: Softmax probability of the class (sigmoid for a model with one logit), in 0…1.
        layer: Dotted path of the target layer.
        method: Name of the method.
        model: Name of the model, or None.
        image: The image the model saw, `(H, W, 3)` uint8 RGB, or None if unknown.
        notes: Warnings from the computation; `caveats` adds those from the map itself.

    Raises:
        ModelError: If the map is not two-dimensional, is empty, or contains NaN or infinity.
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
            raise ModelError(f"values must be a non-empty array with rows and columns, got shape {values.shape}.")
        if not np.isfinite(values).all():
            raise ModelError(
                f"The {self.method} map of layer {self.layer!r} contains NaN or infinity: compute it in float32, or "
                "choose another layer."
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        if self.image is not None and self.image.flags.writeable:
            object.__setattr__(self, "image", _frozen(self.image))

    def __repr__(self) -> str:
        """Return a one-line representation; its numbers agree between machines except for the last digit."""
        logit = decimal(self.logit, 3)
        return f"Heatmap({self.title}, logit {logit}, {self.layer} {captions.grid(self)}, {self.method})"

    def __reduce__(self) -> tuple[type[Heatmap], tuple[Any, ...]]:
        """Copy and unpickle through `__post_init__`, so that the arrays stay read-only."""
        return Heatmap, tuple(getattr(self, field.name) for field in fields(self))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return (self.values.shape[0], self.values.shape[1])

    @property
    def title(self) -> str:
        """Name and index of the class, "submarine (833)"."""
        return f"class {self.class_index}" if self.class_name is None else f"{self.class_name} ({self.class_index})"

    def evidence(self, evidence: Evidence = "for") -> NDArray[np.float32]:
        """Return the evidence for the class (the paper's ReLU), against it (as positive values), or both (signed).

        Returns:
            `(H, W)` float32 array in raw units.
        """
        return select(self.values, evidence)

    def vmax(self, evidence: Evidence = "for") -> float:
        """Return the largest evidence of this sign in raw units, the upper end of the map's own scale."""
        return float(np.abs(self.evidence(evidence)).max())

    def has_evidence(self, evidence: Evidence = "for") -> bool:
        """Return whether the map has evidence of this sign above numerical noise (1e-6 of its maximum)."""
        return self.vmax(evidence) > NEGLIGIBLE * self.vmax("both")

    def positive_fraction(self) -> float:
        """Return the positive fraction of all evidence, in 0…1; NaN for a map of zeros."""
        total = float(np.abs(self.values).sum())
        return float(self.evidence("for").sum()) / total if total else float("nan")

    def peak(self, evidence: Evidence = "for") -> tuple[int, int] | None:
        """Return the cell (row, column) with the most evidence of this sign, or None if there is none."""
        if not self.has_evidence(evidence):
            return None
        magnitude = np.abs(self.evidence(evidence))
        row, column = np.unravel_index(int(magnitude.argmax()), magnitude.shape)
        return int(row), int(column)

    def centroid(self, evidence: Evidence = "for") -> tuple[float, float] | None:
        """Return the center of mass (row, column) of the evidence in cells, or None if there is none of this sign."""
        if not self.has_evidence(evidence):
            return None
        magnitude = np.abs(self.evidence(evidence)).astype(np.float64)
        rows, columns = np.indices(magnitude.shape)
        total = magnitude.sum()
        return float((rows * magnitude).sum() / total), float((columns * magnitude).sum() / total)

    def box(
        self, threshold: float = 0.15, size: tuple[int, int] | None = None, evidence: Evidence = "for"
    ) -> Box | None:
        """Return the bounding box of the largest connected region above a fraction of the maximum.

        The localization of Selvaraju et al. 2017 (section 4.1, arXiv 1610.02391), with its threshold of 15 %.

        Args:
            threshold: Fraction of the upsampled map's maximum, in [0, 1).
            size: Rows and columns of the box's pixel coordinates; by default those of the image, or of the grid if
                there is no image.
            evidence: "for" or "against".

        Returns:
            The box in pixels, or None if there is no evidence of this sign.

        Raises:
            OptionError: If the threshold is out of range.
        """
        DisplayOptions(threshold=threshold)
        if not self.has_evidence(evidence):
            return None
        upsampled = np.abs(self.upsampled(size, evidence=evidence))
        region = (upsampled > threshold * upsampled.max()).astype(np.uint8)
        count, _, boxes, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
        largest = 1 + int(boxes[1:count, cv2.CC_STAT_AREA].argmax())
        left, top, width, height = (int(v) for v in boxes[largest, :4])
        return Box(left, top, left + width, top + height)

    def border_fraction(self) -> float:
        """Return the fraction of the evidence for the class in the outermost cells, in 0…1."""
        positive = self.evidence("for")
        total = float(positive.sum())
        inner = float(positive[1:-1, 1:-1].sum())
        return (total - inner) / total if total else 0.0

    @property
    def caveats(self) -> tuple[str, ...]:
        """Warnings about this map, one sentence each."""
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
        if border > max(MAX_BORDER_FRACTION, 1.5 * (1 - inner)):
            share = f"{100 * border:.0f} %"
            return (
                *self.notes,
                f"{share} of the positive evidence lies in the border cells, where padding may contribute.",
            )
        return self.notes

    def upsampled(
        self,
        size: tuple[int, int] | None = None,
        interpolation: Interpolation = "bilinear",
        evidence: Evidence = "both",
    ) -> NDArray[np.float32]:
        """Return the map upsampled to an image's size.

        Args:
            size: Rows and columns; by default those of the image, or of the grid if there is no image.
            interpolation: "cells", "bilinear" or "cubic" (clamped to the map's range).
            evidence: Sign of the evidence; ReLU precedes upsampling, as in the paper.

        Returns:
            `(H, W)` float32 array in raw units.
        """
        return upsample(self.evidence(evidence), size or self._image_size() or self.grid, interpolation)

    def with_image(self, image: ImageLike) -> Heatmap:
        """Return a copy of the heatmap with another image of the same view."""
        return replace(self, image=_frozen(image))

    @takes_display_options
    def overlay(
        self,
        image: ImageLike | None = None,
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> NDArray[np.uint8]:
        """Blend the colored map, stretched over the whole image, with the image.

        Args:
            image: The image the model saw, in any size; by default the heatmap's own.
            display: Display options.
            changes: Fields of `DisplayOptions`, by keyword; a `shared_vmax` makes several maps comparable.

        Returns:
            `(H, W, 3)` uint8 RGB array of the image's size.

        Raises:
            ImageError: If there is no image.
            OptionError: If an option is unknown or out of range.
        """
        options = resolve(display, changes)
        top = self.vmax(options.evidence) if options.vmax is None else options.vmax
        return rendering.overlay(self.values, self._image_or_own(image), options, top)

    @takes_display_options
    def figure(
        self,
        image: ImageLike | None = None,
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> Figure:
        """Draw image, map and overlay with a color bar in raw units and a caption, independent of pyplot.

        The arguments are those of `overlay`.
        """
        from .figures import single_figure  # noqa: PLC0415 - matplotlib is slow to import

        heatmap = self if image is None else self.with_image(image)
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
            path: Path of the file; its extension determines the format.
            display: As for `figure`.
            changes: As for `figure`.

        Returns:
            The path.

        Raises:
            ExportError: If the extension is not supported, or the file cannot be written.
            OptionError: If an option is unknown or out of range.
        """
        from .figures import export_figure  # noqa: PLC0415 - matplotlib is slow to import

        target = Path(path)
        if target.suffix.lower() != ".npy":
            return export_figure(self.figure(display=display, **changes), target)
        with writing(target), target.open("wb") as file:
            np.save(file, self.values)
        return target

    def summary(self) -> str:
        """Return a one-line summary; its numbers agree between machines except for the last digit."""
        return captions.summary(self)

    def caption(self, evidence: Evidence = "for", vmax: float | None = None) -> str:
        """Return the caption of an exported image: class, scores and `provenance`."""
        return f"{captions.score(self)}; {self.provenance(evidence, vmax)}"

    def provenance(self, evidence: Evidence = "for", vmax: float | None = None) -> str:
        """Return model, layer, method, scale and resolution of the map."""
        scale = captions.scale(self.vmax(evidence) if vmax is None else vmax, evidence)
        return f"{captions.origin(self)}, {scale}. {captions.resolution(self)}"

    def description(self, evidence: Evidence = "for") -> str:
        """Return the overlay's alt text: place of the peak, and fraction of the image above half the maximum."""
        return captions.description(self, evidence)

    def _repr_png_(self) -> bytes:
        image = self.image
        if image is None:
            size = np.array(self.grid) * (FALLBACK_IMAGE_SIZE / max(self.grid))
            upsampled = upsample(self.values, (max(1, round(size[0])), max(1, round(size[1]))), "cells")
            return encode_png(colorize(upsampled, self.vmax()))
        return encode_png(self.overlay())

    def _image_or_own(self, image: ImageLike | None) -> NDArray[np.uint8]:
        if image is not None:
            return read_image(image)
        if self.image is None:
            raise ImageError("This heatmap has no image: call overlay(image) with the image the model saw.")
        return self.image

    def _image_size(self) -> tuple[int, int] | None:
        return None if self.image is None else (self.image.shape[0], self.image.shape[1])


def _frozen(image: ImageLike) -> NDArray[np.uint8]:
    """Return the image as a new read-only array, which heatmaps can share."""
    copy = read_image(image)
    copy.setflags(write=False)
    return copy
