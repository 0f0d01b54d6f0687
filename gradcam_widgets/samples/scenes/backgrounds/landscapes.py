"""Sky, sea and savanna, with trees, bushes and grass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from gradcam_widgets.samples.scenes.drawing.resampling import enlarge
from gradcam_widgets.samples.scenes.drawing.shapes import Color, mix, scaled, smooth
from gradcam_widgets.samples.scenes.drawing.textures import TILE, between, cut, ease, plane

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from gradcam_widgets.samples.scenes.drawing.canvas import Canvas
    from gradcam_widgets.samples.scenes.drawing.shading import Light


def sky(size: int, rng: Generator, light: Light, horizon: float) -> NDArray[np.float32]:
    """Return a square of sky with clouds, `(size, size, 3)` float32 RGB, 0…1."""
    height = (np.arange(size, dtype=np.float32) + 0.5) / (size * max(horizon, 0.15))
    colors = between(light.zenith, light.haze, np.sqrt(np.clip(height, 0, 1))[:, None] * np.ones((1, size), np.float32))
    rows = min(size, round(size * horizon) + 2)
    at = (rng.uniform(0, TILE), rng.uniform(0, TILE))
    cover = rng.uniform(-0.25, 0.55) if light.weather != "overcast" else rng.uniform(-0.5, -0.2)
    step = rng.uniform(120, 220) / size
    noise = cut("cloud", (rows, size), step, at, 2.2)
    toward = cut("cloud", (rows, size), step, (at[0] + light.toward[0] * 9, at[1] + light.toward[1] * 9), 2.2)
    share = ease((noise - np.float32(cover)) * np.float32(1.7)) * np.float32(0.85)
    high = height[:rows, None]
    share *= np.clip(1.15 - high * high * high, 0.1, 1)
    bright = np.clip(np.float32(0.86) + (noise - toward) * np.float32(1.1), 0.55, 1.1)
    white = np.clip(light.sky * 0.62 + light.sun * 0.72, 0, 1.05)
    white = white / max(1.0, float(white.max()) / 0.98)
    colors[:rows] += share[..., None] * (bright[..., None] * white - colors[:rows])
    return colors


def _sun_glow(colors: NDArray[np.float32], light: Light, horizon: float) -> None:
    if light.weather != "dusk":
        return
    size = len(colors)
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    distance = (axis[None] - (0.5 + 0.45 * light.toward[0])) ** 2 + (1.6 * (axis[:, None] - horizon * 0.9)) ** 2
    glow = np.exp(-14 * distance.astype(np.float64)).astype(np.float32) * np.float32(0.5)
    colors += glow[..., None] * (np.array([1.0, 0.85, 0.6], np.float32) - colors)


def sea(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> Color:
    """Paint sky and waves, and return the color of the near water."""
    size = canvas.size
    colors = sky(size, rng, light, horizon)
    _sun_glow(colors, light, horizon)
    top = round(size * horizon)
    shape = (size - top, size)
    tone = mix((0.05, 0.22, 0.33), (0.07, 0.30, 0.32), rng.uniform())
    water = mix(tone, (0.20, 0.25, 0.28), rng.uniform(0.0, 0.5) + (0.3 if light.weather == "overcast" else 0.0))
    water = scaled(water, float((light.sky + light.sun * 0.4).mean()) * 1.15)
    depth = ((np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0])[:, None]
    mirror = light.haze * 0.55 + light.zenith * 0.35
    swell = plane("waves", shape, rng, rng.uniform(5, 8), wide=rng.uniform(1.2, 2.0), far=0.05)
    ripple = plane("waves", shape, rng, rng.uniform(13, 18), wide=1.3, far=0.05)
    far = 1 - depth
    share = far * far * far * 0.75 + 0.16 + (0.26 * swell + 0.20 * ripple) * (0.35 + 0.65 * np.sqrt(depth))
    colors[top:] = between(water, mirror, np.clip(share, 0, 1).astype(np.float32))
    crest = np.clip(swell + np.float32(0.7) * ripple - np.float32(rng.uniform(0.95, 1.35)), 0, 0.5) * np.float32(1.3)
    colors[top:] += (crest * (0.2 + 0.8 * depth))[..., None] * (light.sky * 0.6 + light.sun * 0.55 - colors[top:])
    axis = (np.arange(size) + 0.5) / size
    path = np.exp(-(((axis - 0.5 - 0.45 * light.toward[0]) / 0.16) ** 2)).astype(np.float32)[None] * light.shadow
    glitter = np.clip(ripple * 1.2 + swell * 0.6 - 0.3, 0, 1) * path * (1 - 0.6 * depth)
    colors[top:] += np.asarray(glitter, np.float32)[..., None] * light.sun
    _coast(colors, rng, light, top)
    soft = colors[max(top - 2, 0) : top + 3]
    soft[:] = cv2.blur(soft, (1, 3))
    canvas.backdrop(colors)
    return water


def _ridge(rng: Generator, size: int, waves: int = 6) -> NDArray[np.float64]:
    x = np.linspace(0, 2 * np.pi, size)
    line = np.zeros(size)
    for k in range(1, waves + 1):
        line += np.sin(x * k * rng.uniform(0.5, 1.1) + rng.uniform(0, 6.3)) / k
    return line / 2


def _coast(colors: NDArray[np.float32], rng: Generator, light: Light, top: int) -> None:
    if rng.uniform() > 0.45:
        return
    size = len(colors)
    height = size * rng.uniform(0.015, 0.05) * np.clip(_ridge(rng, size) + rng.uniform(-0.3, 0.5), 0, None)
    color = _fogged((0.30, 0.36, 0.34), light, 0.55 + 0.3 * min(light.density, 1))
    _fill_below(colors[:top], top - height, color)


def _fogged(color: Color, light: Light, fog: float) -> NDArray[np.float32]:
    lit = np.asarray(color, np.float32) * (light.sky * 0.6 + light.sun * 0.55)
    return np.asarray(lit + fog * (light.haze - lit), np.float32)


def _fill_below(colors: NDArray[np.float32], line: NDArray[np.float64], color: NDArray[np.float32]) -> None:
    start = max(0, int(line.min()) - 1)
    rows = np.arange(start, len(colors), dtype=np.float32)[:, None]
    share = np.clip(rows + 1 - line[None], 0, 1).astype(np.float32)
    colors[start:] += share[..., None] * (color - colors[start:])


def savanna(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> Color:
    """Paint sky, hills, dry ground, trees and grass, and return the color of the near grass."""
    size = canvas.size
    colors = sky(size, rng, light, horizon)
    _sun_glow(colors, light, horizon)
    top = round(size * horizon)
    for k, fog in enumerate((0.75, 0.55)[rng.integers(2) :]):
        line = top - size * (0.05 - 0.02 * k) * np.clip(_ridge(rng, size) + rng.uniform(0.0, 0.9), 0.05, None)
        _fill_below(colors, line, _fogged((0.36, 0.38, 0.36), light, min(0.95, fog * (0.8 + 0.3 * light.density))))
    grass = mix((0.62, 0.50, 0.27), (0.42, 0.46, 0.22), rng.uniform())
    earth = mix((0.58, 0.38, 0.24), (0.52, 0.44, 0.32), rng.uniform())
    shape = (size - top, size)
    depth = ((np.arange(shape[0], dtype=np.float32) + 0.5) / shape[0])[:, None]
    patch = plane("cloud", shape, rng, 5.0, wide=1.6, far=0.08)
    tuft = plane("grain", shape, rng, 10, wide=1.2, far=0.10)
    ground = between(grass, earth, ease(patch * np.float32(1.4) + np.float32(rng.uniform(0.2, 0.6))))
    lit = light.ground * 0.2 + light.sky * 0.55 + light.sun * 0.6
    ground *= lit * (0.92 + 0.18 * tuft * (0.4 + 0.6 * depth) + 0.10 * patch)[..., None]
    far = ((1 - depth).astype(np.float64) ** 2.2).astype(np.float32)
    veil = (np.float32(0.15 + 0.55 * light.density) * far)[..., None]
    ground += veil * (light.haze - ground)
    colors[top:] = ground
    canvas.backdrop(colors)
    _far_trees(canvas, rng, light, horizon)
    _grass(canvas, rng, light, grass, horizon)
    return grass


def _far_trees(canvas: Canvas, rng: Generator, light: Light, horizon: float) -> None:
    bushes = rng.integers(5, 11)
    for x, y in zip(rng.uniform(0, 1, bushes), rng.uniform(0.004, 0.05, bushes), strict=True):
        green = mix((0.30, 0.36, 0.18), (0.42, 0.40, 0.22), rng.uniform())
        width = 0.03 + 0.8 * y * rng.uniform(0.6, 1.3)
        leaves(canvas, rng, light, (x, horizon + y), (width, width * 0.5), color=green, fog=0.62 - 8 * y)
    for y in np.sort(rng.uniform(0.0, 0.09, rng.integers(1, 5))):
        acacia(
            canvas, rng, light, (rng.uniform(-0.02, 1.02), horizon + y + 0.01), 0.09 + 2.2 * y + rng.uniform(0, 0.06)
        )


def acacia(canvas: Canvas, rng: Generator, light: Light, foot: tuple[float, float], height: float) -> None:
    """Paint an umbrella tree; positions and sizes are fractions of the image."""
    x, y = foot
    fog = float(np.clip(0.70 - 2.0 * height, 0.08, 0.7)) * min(1.0, 0.6 + 0.5 * light.density)
    bark = _fogged((0.30, 0.24, 0.18), light, fog)
    lean = rng.uniform(-0.15, 0.15) * height
    trunk = []
    for spread in (-0.42, -0.12, 0.2, 0.46):
        bough = [(x, y), (x + lean * 0.5, y - 0.45 * height), (x + lean + spread * 0.5 * height, y - 0.72 * height),
                 (x + lean + spread * height, y - 0.86 * height)]  # fmt: skip
        trunk.append(smooth(bough, closed=False) * canvas.side)
    canvas.lines(trunk, bark, 0.035 * height * canvas.side)
    green = mix((0.26, 0.34, 0.14), (0.38, 0.38, 0.18), rng.uniform())
    for spread in (-0.45, 0.42, -0.05):
        place = (x + lean + spread * height, y - height * (0.88 + rng.uniform(-0.03, 0.08)))
        leaves(
            canvas,
            rng,
            light,
            place,
            (height * rng.uniform(0.36, 0.5), height * rng.uniform(0.11, 0.15)),
            color=green,
            fog=fog,
        )


def leaves(
    canvas: Canvas,
    rng: Generator,
    light: Light,
    center: tuple[float, float],
    radii: tuple[float, float],
    *,
    color: Color,
    fog: float = 0.0,
) -> None:
    """Paint a clump of leaves with a ragged rim, lit from above; positions and sizes are fractions of the image."""
    side = canvas.side
    fog = min(max(fog, 0.0), 0.9)
    x0, x1 = (round((center[0] + sign * 1.25 * radii[0]) * side) for sign in (-1, 1))
    y0, y1 = (round((center[1] + sign * 1.3 * radii[1]) * side) for sign in (-1, 1))
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, side), min(y1, side)
    at = (rng.uniform(0, TILE), rng.uniform(0, TILE))
    if right - left < 2 or bottom - top < 2:
        return
    shape = ((bottom - top + 1) // 2, (right - left + 1) // 2)  # half the resolution suffices for a ragged rim
    x = (((left + 2 * np.arange(shape[1]) + 1) / side - center[0]) / radii[0]).astype(np.float32)
    y = (((top + 2 * np.arange(shape[0]) + 1) / side - center[1]) / radii[1]).astype(np.float32)
    step = 620 / side
    noise = cut("grain", shape, 2 * step, (at[0] + (left - x0) * step, at[1] + (top - y0) * step))
    flat = np.where(y > 0, y * np.float32(1.25), y)
    cover = (255 * 3 - 255 * 3 * x**2)[None] - (255 * 3 * flat**2)[:, None] + noise * np.float32(255 * 1.65)
    cover = np.clip(cover, 0, 255, out=cover).astype(np.uint8)
    noise *= np.float32(0.30)
    bright = noise + (0.62 - 0.34 * y)[:, None] + (np.float32(0.25 * light.toward[0]) * x)[None]
    lit = np.asarray(color, np.float32) * (light.ground * 0.3 + light.sky * 0.45 + light.sun * 0.75)
    colors = np.clip(bright, 0.15, 1.4, out=bright)[..., None] * lit
    colors += np.float32(fog) * (light.haze - colors)
    area, large = (slice(top, bottom), slice(left, right)), (right - left, bottom - top)
    cover = np.asarray(cv2.resize(cover, large, interpolation=cv2.INTER_LINEAR), np.uint8)
    canvas.blend(area, enlarge(colors, cover.shape), cover)
    np.copyto(canvas.labels[area], np.uint8(0), where=cover >= 128)


def _grass(canvas: Canvas, rng: Generator, light: Light, color: Color, horizon: float) -> None:
    """Draw grass on the whole ground, larger toward the lower edge."""
    count, low, high = 420, horizon, 1.0
    depth = np.sort(rng.uniform(0.04, 1, count) ** 0.8)
    feet = np.stack([rng.uniform(-0.02, 1.02, count), low + (high - low) * depth + 0.02], axis=1)
    blades(
        canvas,
        rng,
        light,
        color,
        feet,
        heights=0.012 + 0.05 * depth * (high - low) / 0.5,
        hides=False,
        fog=0.45 * (1 - depth),
    )


def blades(
    canvas: Canvas, rng: Generator, light: Light, color: Color, feet: NDArray[np.float64], *,
    heights: NDArray[np.float64], hides: bool, fog: NDArray[np.float64] | float = 0.0,
) -> None:  # fmt: skip
    """Draw blades of grass; feet, `(N, 2)` x and y, and heights are fractions of the image."""
    count = len(feet)
    heights = heights * rng.uniform(0.5, 1.3, count)
    bend = rng.normal(0.15, 0.35, count) * heights
    middle = feet + np.stack([bend * 0.3, -heights * 0.6], axis=1)
    tip = feet + np.stack([bend, -heights], axis=1)
    lines = np.stack([feet, middle, tip], axis=1) * canvas.side
    fogs = np.broadcast_to(np.asarray(fog, np.float64), (count,))
    lit = light.ground * 0.2 + light.sky * 0.5 + light.sun * 0.6
    groups = max(1, count // 60)
    for k in range(groups):
        part = slice(k * count // groups, (k + 1) * count // groups)
        shade = np.asarray(scaled(color, rng.uniform(0.62, 1.25)), np.float32) * lit
        shade = shade + np.float32(fogs[part].mean()) * (light.haze - shade)
        width = max(1.0, canvas.side / 448 * (1 + 1.2 * (heights[part].mean() > 0.045)))
        canvas.lines(lines[part], [float(c) for c in shade], width, hides=hides)
