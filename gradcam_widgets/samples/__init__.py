"""The walkthroughs' samples in two worlds: rendered scenes with known answers, and the articles' photographs.

`GRADCAM_WIDGETS_WORLD=auto|photo|scene` or a `world=` argument chooses. "auto" takes the photographs where they are
cached or can be downloaded now, else the scenes, and says which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sample import Sample, elephants, iguana, scene, submarine

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SAMPLES", "Sample", "elephants", "iguana", "scene", "submarine"]

SAMPLES: dict[str, Callable[..., Sample]] = {"submarine": submarine, "elephants": elephants, "iguana": iguana}
