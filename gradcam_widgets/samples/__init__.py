"""The walkthroughs' samples in two worlds: rendered scenes with known answers, and the articles' photographs.

`GRADCAM_WIDGETS_WORLD=auto|photo|scene` or a `world=` argument chooses. "auto" takes the photographs where they are
cached or can be downloaded now, else the scenes, and says which.
"""

from __future__ import annotations

from .sample import Sample, elephants, iguana, scene, submarine

__all__ = ["Sample", "elephants", "iguana", "scene", "submarine"]
