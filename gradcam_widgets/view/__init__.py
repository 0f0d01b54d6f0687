"""The picture view: maps over their picture in the browser, as a widget and as a page that needs no kernel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .heatmap_view import HeatmapView
    from .page import write_page

__all__ = ["HeatmapView", "write_page"]

# anywidget loads with the first use of the widget: who writes a page does without it.
_LAZY = {"HeatmapView": "heatmap_view", "write_page": "page"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
