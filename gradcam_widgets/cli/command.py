"""The command `gradcam-widgets`: explain an image, list layers, fill the cache, export a page, open the notebooks."""

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
        arguments: As on the command line; by default those.

    Returns:
        0, or 2 after bad input, which is told in one sentence on stderr; for `lab` and `demo` what the server returns.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that knows no × shows ? for it
    options = make_parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _tell  # type: ignore[assignment]  # its file and line are left out
        try:
            result = import_module(f".{options.module}", __package__).run(options) or 0
            sys.stdout.flush()
        except GradCAMError as error:
            print(f"gradcam-widgets: {error}", file=sys.stderr)
            return 2
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
    return int(result)


def _tell(message: Warning | str, *_: object) -> None:
    print(f"gradcam-widgets: {message}", file=sys.stderr)
