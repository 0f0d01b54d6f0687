"""The panel around the engine, and the picture view that it is made of."""

from __future__ import annotations

from .page import write_page
from .panel import GradCAMPanel
from .view import HeatmapView

__all__ = ["GradCAMPanel", "HeatmapView", "write_page"]
