"""Weather and time of day: the light of a scene."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradcam_widgets.samples.scenes.drawing.shading import Light

if TYPE_CHECKING:
    from numpy.random import Generator

WEATHERS = ("clear", "hazy", "overcast", "dusk")
_LIGHTS = {  # sun, sky, ground, haze, zenith, density, shadow, height of the sun
    "clear": ((0.86, 0.81, 0.70), (0.50, 0.56, 0.66), (0.32, 0.29, 0.25), (0.78, 0.86, 0.92), (0.27, 0.50, 0.80),
        0.35, 0.62, (0.5, 1.0)),
    "hazy": ((0.58, 0.55, 0.49), (0.66, 0.67, 0.69), (0.38, 0.36, 0.33), (0.86, 0.86, 0.83), (0.62, 0.72, 0.80),
        0.80, 0.38, (0.4, 1.0)),
    "overcast": ((0.24, 0.24, 0.25), (0.82, 0.86, 0.90), (0.42, 0.41, 0.40), (0.76, 0.79, 0.81), (0.58, 0.63, 0.68),
        0.50, 0.22, (0.6, 1.2)),
    "dusk": ((0.86, 0.64, 0.44), (0.52, 0.50, 0.60), (0.30, 0.26, 0.25), (0.95, 0.76, 0.55), (0.38, 0.38, 0.58),
        0.55, 0.50, (0.2, 0.45)),
}  # fmt: skip


def draw_light(rng: Generator) -> Light:
    """Draw random weather, position of the sun and color temperature."""
    weather = WEATHERS[rng.integers(len(WEATHERS))]
    sun, sky, ground, haze, zenith, density, shadow, heights = _LIGHTS[weather]
    azimuth = rng.uniform(0.25, 0.95) * (1 if rng.uniform() < 0.5 else -1)
    height = rng.uniform(*heights)
    toward = np.array(
        [np.sin(azimuth) * np.cos(height) * 1.2, -np.sin(height), 0.55 * np.cos(azimuth) * np.cos(height) + 0.25]
    )
    x, y, z = (float(component) for component in toward / np.sqrt((toward**2).sum()))
    warm = rng.uniform(-0.05, 0.05)
    tint = np.array([1 + warm, 1, 1 - warm])
    bright = rng.uniform(0.92, 1.08)

    def color(value: tuple[float, float, float]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.asarray(np.array(value) * tint * bright, np.float32)

    return Light(
        (x, y, z), color(sun), color(sky), color(ground), color(haze), color(zenith),
        density * rng.uniform(0.7, 1.2), shadow, weather,
    )  # fmt: skip
