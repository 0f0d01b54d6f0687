"""The view's code and style for the browser."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"
