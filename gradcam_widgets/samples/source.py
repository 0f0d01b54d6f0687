"""Choice of the samples' source: photographs or rendered scenes."""

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
REQUIRED_FILES = (MODEL_FILE, PHOTOS["submarine"], PHOTOS["elephants"], PHOTOS["iguana"], PHOTOS["astronaut"])
TIMEOUT_SECONDS = 5.0


def choose_source(source: str | None = None) -> Source:
    """Return the source set by the argument, else by `GRADCAM_WIDGETS_SOURCE`, else "auto".

    Args:
        source: "auto", "photos", "scenes" or None.

    Raises:
        OptionError: If the source is unknown.
    """
    value = source or os.environ.get(SOURCE_VARIABLE) or "auto"
    if value not in SOURCES:
        name = "source" if source else SOURCE_VARIABLE
        raise OptionError(f"{name} must be one of {', '.join(SOURCES)}, got {value!r}.")
    return _available_source() if value == "auto" else cast("Source", value)


@cache
def _available_source() -> Source:
    """Check once per process whether the photographs are cached or downloadable; print which source is used."""
    missing = [name for name in REQUIRED_FILES if not is_cached(name)]
    try:
        for name in missing:
            fetch(name, timeout=TIMEOUT_SECONDS)
    except DownloadError:
        print("Samples: rendered scenes (photographs not cached and not downloadable now).")  # noqa: T201 - documented
        return "scenes"
    print(f"Samples: photographs ({'downloaded' if missing else 'from the cache'}).")  # noqa: T201 - documented
    return "photos"
