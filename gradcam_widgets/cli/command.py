"""Entry point of the command `gradcam-widgets`: parse arguments, run a subcommand, report errors."""

from __future__ import annotations

import io
import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

from gradcam_widgets.errors import GradCAMError

from .parser import make_parser

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Command-line arguments; by default those of the process.

    Returns:
        Exit code: 0, or 2 after a `GradCAMError`, printed to stderr; for `lab` and `demo` that of the server.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console without × in its encoding shows ?
    options = make_parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]  # without file and line
        try:
            result = import_module(f".{options.module}", __package__).run(options) or 0
            sys.stdout.flush()
        except GradCAMError as error:
            print(f"gradcam-widgets: {error}", file=sys.stderr)
            return 2
        except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return int(result)


def _show_warning(message: Warning | str, *_: object) -> None:
    print(f"gradcam-widgets: {message}", file=sys.stderr)
