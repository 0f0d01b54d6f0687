"""Which world the samples come from."""

from __future__ import annotations

import os
from functools import cache
from typing import Literal, cast

from gradcam_widgets.classifiers.downloads import PHOTOS, fetch, is_cached
from gradcam_widgets.errors import DownloadError, GradCAMError

World = Literal["photo", "scene"]
WORLD_VARIABLE = "GRADCAM_WIDGETS_WORLD"
WORLDS = ("auto", "photo", "scene")
SAMPLE_NAMES = ("submarine", "elephants", "iguana")
NETWORK_FILE = "models/compressed_SqueezeNet.net"
NEEDED = (NETWORK_FILE, PHOTOS["submarine"], PHOTOS["elephants"], PHOTOS["iguana"], PHOTOS["astronaut"])
SECONDS_TO_WAIT = 5.0


def choose_world(world: str | None = None) -> World:
    """Resolve the argument, else the environment variable, else "auto".

    Args:
        world: "auto", "photo", "scene" or None.

    Raises:
        GradCAMError: If there is no such world.
    """
    wanted = world or os.environ.get(WORLD_VARIABLE) or "auto"
    if wanted not in WORLDS:
        where = "" if world else f" in {WORLD_VARIABLE}"
        raise GradCAMError(f"There is no world {wanted!r}{where}: choose one of {', '.join(WORLDS)}.")
    return _available() if wanted == "auto" else cast("World", wanted)


@cache
def _available() -> World:
    """Try once in a process whether the photographs are there or can be fetched now, and say what came of it."""
    missing = [name for name in NEEDED if not is_cached(name)]
    try:
        for name in missing:
            fetch(name, timeout=SECONDS_TO_WAIT)
    except DownloadError:
        print(f"scene world: {len(missing)} photographs or networks are neither cached nor to be downloaded now")  # noqa: T201 - promised
        return "scene"
    print(f"photo world: photographs {'downloaded' if missing else 'from the cache'}")  # noqa: T201 - promised
    return "photo"
