"""Which source the samples come from."""

from __future__ import annotations

import os
from functools import cache
from typing import Literal, cast

from gradcam_widgets.classifiers.downloads import PHOTOS, fetch, is_cached
from gradcam_widgets.errors import DownloadError, OptionError

Source = Literal["photos", "scenes"]
SOURCE_VARIABLE = "GRADCAM_WIDGETS_SOURCE"
SOURCES = ("auto", "photos", "scenes")
SAMPLE_NAMES = ("submarine", "elephants", "iguana")
MODEL_FILE = "models/compressed_SqueezeNet.net"
NEEDED = (MODEL_FILE, PHOTOS["submarine"], PHOTOS["elephants"], PHOTOS["iguana"], PHOTOS["astronaut"])
SECONDS_TO_WAIT = 5.0


def choose_source(source: str | None = None) -> Source:
    """Resolve the argument, else the environment variable, else "auto".

    Args:
        source: "auto", "photo", "scene" or None.

    Raises:
        GradCAMError: If there is no such source.
    """
    wanted = source or os.environ.get(SOURCE_VARIABLE) or "auto"
    if wanted not in SOURCES:
        where = "" if source else f" in {SOURCE_VARIABLE}"
        raise OptionError(f"There is no source {wanted!r}{where}: choose one of {', '.join(SOURCES)}.")
    return _available() if wanted == "auto" else cast("Source", wanted)


@cache
def _available() -> Source:
    """Try once in a process whether the photographs are there or can be fetched now, and say what came of it."""
    missing = [name for name in NEEDED if not is_cached(name)]
    try:
        for name in missing:
            fetch(name, timeout=SECONDS_TO_WAIT)
    except DownloadError:
        print(f"scenes: {len(missing)} photographs or models are neither cached nor to be downloaded now")  # noqa: T201 - promised
        return "scenes"
    print(f"photos: photographs {'downloaded' if missing else 'from the cache'}")  # noqa: T201 - promised
    return "photos"
