"""A map and what it explains: immutable, signed and raw, with ways of looking at it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from typing_extensions import Unpack

from gradcam_widgets._paths import writing
from gradcam_widgets.errors import ModelError, PictureError
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.encoding import encode_png
from gradcam_widgets.images.reading import read_picture

from . import captions, rendering
from .display import DisplayKeywords, DisplayOptions, resolve, takes_display_options
from .formatting import decimal
from .rendering import colorize, select, upsample

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from gradcam_widgets.images.reading import Picture

    from .display import Evidence, Interpolation

NEGLIGIBLE = 1e-6
BORDER_REMARK_SHARE = 0.5
PICTURE_SIZE_WITHOUT_ONE = 224


@dataclass(frozen=True, eq=False, repr=False)
class Heatmap:
    """Where in the picture a layer's evidence for and against a class lies.

    Attributes:
        values: The map, axes (row, column), float32, read-only; signed and in raw units (of the logit, as far as
            the method shares it out), never normalised.
        class_index: Index of the class asked for.
        category: Its name, or None where names are not known.
        logit: The class score that was differentiated, before softmax.
        probability: Its softmax probability among all classes (sigmoid for a network with one logit).
        layer: Dotted path of the target layer.
        method: Name of the method.
        network: Name of the network, or None.
        picture: What the network saw, axes (row, column, RGB), uint8, or None where it is not known.
        noted: What was noted when the map was made; `remarks` has it and what the map itself shows.

    Raises:
        ModelError: If the map is empty or holds NaN or infinity.
    """

    values: NDArray[np.float32]
    class_index: int
    category: str | None
    logit: float
    probability: float
    layer: str
    method: str
    network: str | None = None
    picture: NDArray[np.uint8] | None = None
    noted: tuple[str, ...] = ()

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
        if self.picture is not None and self.picture.flags.writeable:
            object.__setattr__(self, "picture", _frozen(self.picture))

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
        return f"class {self.class_index}" if self.category is None else f"{self.category} ({self.class_index})"

    def evidence(self, evidence: Evidence = "for") -> NDArray[np.float32]:
        """Return the evidence for the class (the paper's ReLU), that against it turned positive, or both, signed.

        Returns:
            Array, axes (row, column), float32, raw units.
        """
        return select(self.values, evidence)

    def vmax(self, evidence: Evidence = "for") -> float:
        """Return the largest value on one side of the map, the upper end of its own scale, raw units."""
        return float(np.abs(self.evidence(evidence)).max())

    def speaks(self, evidence: Evidence = "for") -> bool:
        """Say whether there is evidence on a side: more than a millionth of the map's largest value, which is noise."""
        return self.vmax(evidence) > NEGLIGIBLE * self.vmax("both")

    def share_for(self) -> float:
        """Return the part of all evidence that speaks for the class, in 0…1; NaN for a map of zeros."""
        total = float(np.abs(self.values).sum())
        return float(self.evidence("for").sum()) / total if total else float("nan")

    def peak(self, evidence: Evidence = "for") -> tuple[int, int] | None:
        """Return the cell (row, column) with most evidence, or None where there is none on that side."""
        if not self.speaks(evidence):
            return None
        seen = np.abs(self.evidence(evidence))
        row, column = np.unravel_index(int(seen.argmax()), seen.shape)
        return int(row), int(column)

    def centroid(self, evidence: Evidence = "for") -> tuple[float, float] | None:
        """Return the evidence's centre of mass (row, column) in cells, or None where there is none on that side."""
        if not self.speaks(evidence):
            return None
        seen = np.abs(self.evidence(evidence)).astype(np.float64)
        rows, columns = np.indices(seen.shape)
        return float((rows * seen).sum() / seen.sum()), float((columns * seen).sum() / seen.sum())

    def box(
        self, threshold: float = 0.15, size: tuple[int, int] | None = None, evidence: Evidence = "for"
    ) -> Box | None:
        """Return the box round the largest connected region above a share of the maximum.

        This is the localisation of Grad-CAM's paper (section 4.1, arXiv 1610.02391), with its share of 15 %.

        Args:
            threshold: Share of the upsampled map's maximum, in 0…1.
            size: Rows and columns of the picture in whose pixels the box is wanted; by default those of the
                picture that the network saw, or the grid itself where that is not known.
            evidence: "for" or "against".

        Returns:
            The box in pixels, or None where there is no evidence on that side.

        Raises:
            PictureError: If the threshold is no share.
        """
        DisplayOptions(threshold=threshold)
        if not self.speaks(evidence):
            return None
        seen = np.abs(self.upsampled(size, evidence=evidence))
        region = (seen > threshold * seen.max()).astype(np.uint8)
        count, _, boxes, _ = cv2.connectedComponentsWithStats(region, connectivity=8)
        largest = 1 + int(boxes[1:count, cv2.CC_STAT_AREA].argmax())
        left, top, width, height = (int(v) for v in boxes[largest, :4])
        return Box(left, top, left + width, top + height)

    def border_share(self) -> float:
        """Return the part of the evidence for the class that lies in the outermost cells, in 0…1."""
        seen = self.evidence("for")
        total = float(seen.sum())
        inner = float(seen[1:-1, 1:-1].sum())
        return (total - inner) / total if total else 0.0

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader should know of this map, one sentence each."""
        if not self.values.any():
            return (
                *self.noted,
                f"The map is zero: the score of {self.title} does not depend on layer {self.layer}.",
            )
        if not self.speaks("for"):
            return (
                *self.noted,
                f"No positive evidence for {self.title} at layer {self.layer}: look at the signed map.",
            )
        border = self.border_share()
        inner = max(0, self.grid[0] - 2) * max(0, self.grid[1] - 2) / self.values.size
        if border > max(BORDER_REMARK_SHARE, 1.5 * (1 - inner)):
            share = f"{100 * border:.0f} %"
            return (
                *self.noted,
                f"{share} of the positive evidence lies in the border cells, where padding may speak.",
            )
        return self.noted

    def upsampled(
        self,
        size: tuple[int, int] | None = None,
        interpolation: Interpolation = "bilinear",
        evidence: Evidence = "both",
    ) -> NDArray[np.float32]:
        """Return the map in the size of a picture, in raw units.

        Args:
            size: Rows and columns; by default those of the picture that the network saw, or the grid itself.
            interpolation: "cells", "bilinear" or "cubic" (clamped to the map's own range).
            evidence: Which side; ReLU comes before upsampling, as in the paper.

        Returns:
            Axes (row, column), float32.
        """
        return upsample(self.evidence(evidence), size or self._picture_size() or self.grid, interpolation)

    def on(self, picture: Picture) -> Heatmap:
        """Return the same map over another rendering of what the network saw."""
        return replace(self, picture=_frozen(picture))

    @takes_display_options
    def overlay(
        self,
        picture: Picture | None = None,
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> NDArray[np.uint8]:
        """Lay the coloured map over the picture: the grid is stretched over the whole of it.

        Args:
            picture: What the network saw, in any size; by default the picture the map came with.
            display: How to show it.
            changes: Fields of `DisplayOptions`, by keyword. Give several maps one `shared_vmax` to compare them.

        Returns:
            Axes (row, column, RGB), uint8, in the picture's size.

        Raises:
            PictureError: If no picture is known, or an option cannot be used.
        """
        options = resolve(display, changes)
        top = self.vmax(options.evidence) if options.vmax is None else options.vmax
        return rendering.overlay(self.values, self._shown(picture), options, top)

    @takes_display_options
    def figure(
        self,
        picture: Picture | None = None,
        *,
        display: DisplayOptions | None = None,
        **changes: Unpack[DisplayKeywords],
    ) -> Figure:
        """Draw picture, map and overlay with a colour bar in raw numbers, and say below what is shown.

        The arguments are those of `overlay`. It displays itself in a notebook and leaves pyplot alone.
        """
        from .figures import single_figure  # noqa: PLC0415 - matplotlib loads only for who draws

        heatmap = self if picture is None else self.on(picture)
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
            PictureError: If the ending is none of these, or the folder does not exist.
        """
        from .figures import export_figure  # noqa: PLC0415 - matplotlib loads only for who draws

        target = Path(path)
        if target.suffix.lower() != ".npy":
            return export_figure(self.figure(display=display, **changes), target)
        with writing(target), target.open("wb") as file:
            np.save(file, self.values)
        return target

    def digest(self) -> str:
        """Describe the map in one short line, for people and for tests.

        Values are written so that another processor's rounding changes at most the last digit of a number.
        """
        return captions.digest(self)

    def caption(self, evidence: Evidence = "for", vmax: float | None = None) -> str:
        """Say what an exported picture shows: class and score, then its `provenance`."""
        return f"{captions.score(self)}; {self.provenance(evidence, vmax)}"

    def provenance(self, evidence: Evidence = "for", vmax: float | None = None) -> str:
        """Say where a map comes from: network, layer, method and scale, and how coarse it is."""
        scale = captions.scale(self.vmax(evidence) if vmax is None else vmax, evidence)
        return f"{captions.origin(self)}, {scale}. {captions.resolution(self)}"

    def description(self, evidence: Evidence = "for") -> str:
        """Say for who does not see the overlay where the heat lies and how much of the picture it covers."""
        return captions.description(self, evidence)

    def _repr_png_(self) -> bytes:
        picture = self.picture
        if picture is None:
            side = np.array(self.grid) * (PICTURE_SIZE_WITHOUT_ONE / max(self.grid))
            large = upsample(self.values, (max(1, round(side[0])), max(1, round(side[1]))), "cells")
            return encode_png(colorize(large, self.vmax()))
        return encode_png(self.overlay())

    def _shown(self, picture: Picture | None) -> NDArray[np.uint8]:
        if picture is not None:
            return read_picture(picture)
        if self.picture is None:
            raise PictureError("This map came without its picture: give overlay(picture) what the network saw.")
        return self.picture

    def _picture_size(self) -> tuple[int, int] | None:
        return None if self.picture is None else (self.picture.shape[0], self.picture.shape[1])


def _frozen(picture: Picture) -> NDArray[np.uint8]:
    """Return a picture as an array of its own that cannot be written to, so that many maps may share it."""
    own = read_picture(picture)
    own.setflags(write=False)
    return own
