"""The articles' photographs, with hand-measured boxes.

The boxes were measured in pixels of the photographs, enlarged under a grid of lines every 10 (submarine), 50
(elephants) or 25 pixels (iguana, person). They include masts and trunks, but neither wakes nor shadows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from gradcam_widgets.classifiers.downloads import PHOTOS, fetch
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.reading import read_image

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUBMARINE, AIRCRAFT_CARRIER = Box(23, 103, 105, 192), Box(116, 15, 220, 82)
ELEPHANT, CALF = Box(238, 50, 525, 223), Box(90, 132, 290, 235)
IGUANA, PERSON = Box(0, 80, 404, 375), Box(525, 14, 845, 375)
IGUANA_ALONE = Box(0, 0, 500, 375)
PERSON_SCALE = 1.3


def photograph(name: str, timeout: float = 30.0) -> NDArray[np.uint8]:
    """Return a photograph, `(H, W, 3)` uint8 RGB, from the cache or downloaded within `timeout` seconds."""
    return read_image(fetch(PHOTOS[name], timeout=timeout))


def iguana_with_person() -> NDArray[np.uint8]:
    """Concatenate the iguana and the astronaut, resized (bicubic) to 1.3 times its height and cut at the bottom.

    Returns:
        `(375, 987, 3)` uint8 RGB; the seam is at column 500.
    """
    iguana = photograph("iguana")
    height = iguana.shape[0]
    side = int(PERSON_SCALE * height)
    person = Image.fromarray(photograph("astronaut")).resize((side, side), Image.Resampling.BICUBIC)
    return np.concatenate([iguana, np.asarray(person)[:height]], axis=1)
