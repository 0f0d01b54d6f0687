"""Canvas at twice the image's resolution: lit shapes, soft shadows and object labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from .shading import along, lit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .shading import Stroke
    from .shapes import Piece, Points, Pose

SUPERSAMPLING = 2
PARTS_PER_OBJECT = 16
_FIXED = 4  # fractional bits of OpenCV's fixed-point coordinates


class Canvas:
    """Colors and labels of a scene while it is painted.

    Exposure and contrast (gain and offset) apply before colors are rounded to 8 bits. Applied later, they would
    amplify rounding differences between machines.

    Attributes:
        size: Side of the finished image in pixels.
        side: Side of the canvas in pixels.
        gain: Factor applied to all colors.
        offset: Gray levels added after the gain.
        color: `(side, side, 3)` uint8 RGB.
        labels: Label of the foremost object, `(side, side)` uint8; 0 for scenery.
    """

    def __init__(self, size: int, gain: float = 1.0, offset: float = 0.0) -> None:
        """Create a black canvas for an image of `size` × `size` pixels."""
        self.size = size
        self.gain = gain
        self.offset = offset
        self.side = SUPERSAMPLING * size
        self.color: NDArray[np.uint8] = np.zeros((self.side, self.side, 3), np.uint8)
        self.labels: NDArray[np.uint8] = np.zeros((self.side, self.side), np.uint8)

    def backdrop(self, colors: NDArray[np.float32]) -> None:
        """Fill the canvas with a square image of any size, `(S, S, 3)` float32 RGB, 0…1."""
        small = np.clip(self._graded(colors) + np.float32(0.5), 0, 255).astype(np.uint8)
        self.color = np.asarray(cv2.resize(small, (self.side, self.side), interpolation=cv2.INTER_LINEAR), np.uint8)

    def figure(self, pieces: Sequence[Piece], pose: Pose, stroke: Stroke) -> None:
        """Paint pieces from back to front."""
        for piece in pieces:
            self.piece(piece, pose, stroke)

    def piece(self, piece: Piece, pose: Pose, stroke: Stroke) -> None:
        """Paint one piece."""
        outlines = [pose(outline) for outline in piece.outlines]
        line = piece.line * pose.scale
        coverage = self._coverage(outlines, line)
        if coverage is None:
            return
        (top, left), cover = coverage
        area = (slice(top, top + cover.shape[0]), slice(left, left + cover.shape[1]))
        if piece.inside and stroke.base:
            cover = np.asarray(cv2.bitwise_and(cover, self._own(area, stroke, piece.inside)), np.uint8)
        if piece.feather is not None:
            feather = along(pose(piece.feather), (top, left), cover.shape[::-1])
            cover = np.asarray(cv2.multiply(cover, feather, dtype=cv2.CV_8U), np.uint8)
        if piece.shadow and stroke.base:
            self._cast(cover, (top, left), piece, pose, stroke)
        self.blend(area, lit(cover, (top, left), piece, pose, stroke), cover, piece.opacity)
        if piece.opacity > 0.5:
            label = stroke.base + (stroke.labels or {}).get(piece.part, 0) if stroke.base else 0
            np.copyto(self.labels[area], np.uint8(label), where=cover >= 128)

    def shade(self, color: Sequence[float] | NDArray[np.floating]) -> list[float]:
        """Convert a color (0…1) to graded 0…255 for OpenCV's drawing functions."""
        return [min(max(255 * self.gain * float(channel) + self.offset, 0.0), 255.0) for channel in color]

    def blend(
        self, area: tuple[slice, slice], colors: NDArray[np.float32], cover: NDArray[np.uint8], opacity: float = 1.0
    ) -> None:
        """Blend colors, `(H, W, 3)` float32 0…1, into an area by coverage, `(H, W)` uint8, and opacity."""
        share = cv2.merge([cover] * 3).astype(np.float32)
        share *= np.float32(opacity / 255)
        below = self.color[area].astype(np.float32)
        above = np.clip(self._graded(colors), 0, 255) - below
        above *= share
        above += below
        above += np.float32(0.5)
        self.color[area] = above.astype(np.uint8)

    def lines(
        self,
        lines: Sequence[Points] | Points,
        color: Sequence[float] | NDArray[np.floating],
        width: float,
        *,
        hides: bool = True,
    ) -> None:
        """Draw unlit open lines (points in canvas pixels) in one color (0…1), as clutter."""
        if not len(lines):
            return
        fixed = _fixed(lines)
        thickness = max(1, round(width))
        shade = self.shade(color)
        cv2.polylines(
            self.color, fixed, isClosed=False, color=shade, thickness=thickness, lineType=cv2.LINE_AA, shift=_FIXED
        )
        if hides:
            cv2.polylines(self.labels, fixed, isClosed=False, color=0, thickness=thickness, shift=_FIXED)

    def spray(
        self, groups: Sequence[NDArray[np.float64]], color: NDArray[np.float32], opacity: float, *, hides: bool
    ) -> None:
        """Draw soft short lines of foam; each group, `(lines, points, 2)`, is fainter than the previous one."""
        points = np.concatenate(groups).reshape(-1, 2)
        left, top = np.maximum(np.floor(points.min(axis=0)).astype(int) - 3, 0)
        right, bottom = np.minimum(np.ceil(points.max(axis=0)).astype(int) + 4, self.side)
        if left >= right or top >= bottom:
            return
        cover = np.zeros((bottom - top, right - left), np.uint8)
        for number, group in reversed(list(enumerate(groups))):
            width = max(1, round(self.side / 448 * (1 + (number + 1) % 2)))
            weight = 255 * opacity * (1 - 0.2 * number)
            cv2.polylines(
                cover,
                _fixed(group, (left, top)),
                isClosed=False,
                color=weight,
                thickness=width,
                lineType=cv2.LINE_AA,
                shift=_FIXED,
            )
        cover = np.asarray(cv2.blur(cover, (3, 2)), np.uint8)
        area = (slice(top, bottom), slice(left, right))
        self.blend(area, np.broadcast_to(color, (*cover.shape, 3)), cover)
        if hides:
            np.copyto(self.labels[area], np.uint8(0), where=cover >= 128)

    def darken(self, cover: NDArray[np.float32], corner: tuple[int, int], color: Sequence[float]) -> None:
        """Multiply covered pixels by a color; parts outside the canvas are clipped.

        Args:
            cover: Coverage, `(H, W)` float32, 0…1.
            corner: Row and column of its first pixel, which may lie outside.
            color: Factor of each channel at full coverage, 0…1.
        """
        top, left = corner
        rows, columns = cover.shape
        y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + rows, self.side), min(left + columns, self.side)
        if y0 >= y1 or x0 >= x1:
            return
        part = cover[y0 - top : y1 - top, x0 - left : x1 - left, None]
        area = self.color[y0:y1, x0:x1]
        factor = 1 - part * (1 - np.asarray(color, np.float32))
        black = np.float32(self.offset)
        self.color[y0:y1, x0:x1] = np.maximum((area - black) * factor + (black + np.float32(0.5)), 0).astype(np.uint8)

    def visible(self, low: int, high: int, box: tuple[float, float, float, float]) -> NDArray[np.bool_]:
        """Return the pixels at least half covered by labels low…high − 1.

        Args:
            low: First label.
            high: Label after the last.
            box: Area to search, left, top, right, bottom in canvas pixels.

        Returns:
            Mask, `(size, size)` bool.
        """
        left, top = (2 * (max(0, int(value) - 4) // 2) for value in box[:2])
        right, bottom = (2 * (min(self.side, int(value) + 6) // 2) for value in box[2:])
        labels = self.labels[top:bottom, left:right]
        hit = ((labels >= low) & (labels < high)).view(np.uint8)
        rows = hit[::2] + hit[1::2]
        result = np.zeros((self.size, self.size), np.bool_)
        result[top // 2 : bottom // 2, left // 2 : right // 2] = rows[:, ::2] + rows[:, 1::2] >= 2
        return result

    def developed(self, vignette: float) -> NDArray[np.uint8]:
        """Return the finished image with a vignette, `(size, size, 3)` uint8 RGB."""
        small = cv2.resize(self.color, (self.size, self.size), interpolation=cv2.INTER_AREA).astype(np.float32)
        axis = (np.arange(self.size, dtype=np.float32) + 0.5) / self.size - 0.5
        light = 1 - np.float32(vignette) * (axis[None] ** 2 + axis[:, None] ** 2)
        black = np.float32(self.offset)
        values = (small - black) * light[..., None] + (black + np.float32(0.5))
        return np.clip(values, 0, 255).astype(np.uint8)

    def _graded(self, colors: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(colors * np.float32(255 * self.gain) + np.float32(self.offset), np.float32)

    def _own(self, area: tuple[slice, slice], stroke: Stroke, part: bool | str = True) -> NDArray[np.uint8]:  # noqa: FBT001, FBT002 - as `Piece.inside`
        labels = self.labels[area]
        if isinstance(part, str):
            own = labels == stroke.base + (stroke.labels or {}).get(part, 0)
        else:
            own = (labels >= stroke.base) & (labels < stroke.base + PARTS_PER_OBJECT)
        return np.where(own, np.uint8(255), np.uint8(0))

    def _coverage(self, outlines: Sequence[Points], line: float) -> tuple[tuple[int, int], NDArray[np.uint8]] | None:
        points = np.concatenate(outlines)
        margin = line / 2 + 2
        left, top = np.floor(np.maximum(points.min(axis=0) - margin, 0)).astype(int)
        right, bottom = np.ceil(np.minimum(points.max(axis=0) + margin, self.side)).astype(int)
        if left >= right or top >= bottom:
            return None
        cover = np.zeros((bottom - top, right - left), np.uint8)
        fixed = _fixed(outlines, (left, top))
        if line:
            width = max(1, round(line))
            weight = 255 if line >= 1 else round(255 * line)
            cv2.polylines(
                cover, fixed, isClosed=False, color=weight, thickness=width, lineType=cv2.LINE_AA, shift=_FIXED
            )
        elif len(fixed) == 1:
            cv2.fillPoly(cover, fixed, 255, cv2.LINE_AA, _FIXED)
        else:  # one by one: in a single call, overlapping outlines would leave holes
            for outline in fixed:
                cv2.fillPoly(cover, [outline], 255, cv2.LINE_AA, _FIXED)
        return (int(top), int(left)), cover

    def _cast(
        self, cover: NDArray[np.uint8], corner: tuple[int, int], piece: Piece, pose: Pose, stroke: Stroke
    ) -> None:
        reach = max(2, round(0.05 * pose.scale))
        small = cv2.copyMakeBorder(cover, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=0)
        soft = cv2.blur(small, (reach, reach)).astype(np.float32) / 255
        shift_x, shift_y = (round(-reach * 0.7 * component) for component in stroke.light.toward[:2])
        top, left = corner[0] - reach + shift_y, corner[1] - reach + shift_x
        y0, x0 = max(top, 0), max(left, 0)
        y1, x1 = min(top + soft.shape[0], self.side), min(left + soft.shape[1], self.side)
        if y0 >= y1 or x0 >= x1:
            return
        own = self._own((slice(y0, y1), slice(x0, x1)), stroke) > 0
        strength = np.float32(piece.shadow * (0.5 + 0.5 * stroke.light.shadow) * (1 - stroke.fog))
        soft = soft[y0 - top : y1 - top, x0 - left : x1 - left] * own * strength
        self.darken(np.asarray(soft, np.float32), (y0, x0), (0.25, 0.25, 0.3))


def _fixed(outlines: Sequence[Points] | Points, origin: tuple[float, float] = (0, 0)) -> list[NDArray[np.int32]]:
    """Convert points to OpenCV's fixed-point integers, sixteenths of a pixel."""
    if isinstance(outlines, np.ndarray):
        return list(np.rint((outlines - origin) * (1 << _FIXED)).astype(np.int32))
    points = np.rint((np.concatenate(outlines) - origin) * (1 << _FIXED)).astype(np.int32)
    ends = np.cumsum([len(outline) for outline in outlines])
    return [points[end - len(outline) : end] for outline, end in zip(outlines, ends, strict=True)]
