"""`gradcam-widgets fetch`: download models and photographs into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcam_widgets._paths import legible
from gradcam_widgets.classifiers.downloads import REGISTRY, fetch, is_cached

if TYPE_CHECKING:
    import argparse


def run(_options: argparse.Namespace) -> None:
    """Download missing files and list all files with size, path and license."""
    for name, download in REGISTRY.items():
        state = "cached" if is_cached(name) else "fetched"
        print(f"{state:8} {download.size / 1000:7.0f} kB  {legible(fetch(name))}  ({download.terms})")
