"""The command `gradcam-widgets`: one module a subcommand."""

from __future__ import annotations

from .command import main

__all__ = ["main"]
