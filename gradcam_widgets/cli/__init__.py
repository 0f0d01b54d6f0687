"""The command `gradcam-widgets`, one module per subcommand."""

from .command import main

__all__ = ["main"]


def __dir__() -> list[str]:
    return __all__
