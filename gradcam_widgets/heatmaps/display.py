"""How a heatmap is shown: which side of the evidence, on which scale, in which colours."""

from __future__ import annotations

from typing import Literal

Evidence = Literal["for", "against", "both"]


Interpolation = Literal["cells", "bilinear", "cubic"]


DEFAULT_COLORMAPS: dict[str, str] = {"for": "inferno", "against": "inferno", "both": "RdBu_r"}
