"""The command `gradcam-widgets`, one module per subcommand."""

from __future__ import annotations

from .command import main

__all__ = ["main"]
