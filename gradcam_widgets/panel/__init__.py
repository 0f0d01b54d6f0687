"""The panel: the picture view with menus, around the engine."""

from __future__ import annotations

from .panel import GradCAMPanel

__all__ = ["GradCAMPanel"]
