"""Paths as people give them and read them, on systems that do not know their names or do not let them look."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .errors import GradCAMError


def expanded(path: str | os.PathLike[str], error: type[GradCAMError]) -> Path:
    """Replace a leading ~ by the home folder.

    Raises:
        GradCAMError: As `error`, if nobody knows that folder, as in a container without a list of users.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise error(f"'{path}' begins with ~, and that home folder is not known: give the path in full.") from None


def is_file(path: str | os.PathLike[str]) -> bool:
    """Say whether there is a file that can be seen; pathlib raises where a folder may not be entered."""
    return os.path.isfile(path)  # noqa: PTH113 - for that reason


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Say whether there is a folder that can be seen; pathlib raises where the one above may not be entered."""
    return os.path.isdir(path)  # noqa: PTH112 - for that reason


def legible(path: str | os.PathLike[str]) -> str:
    """Return a path as people read it, even where this process cannot decode the bytes of its name."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's errors of writing a file into a `ExportError`."""
    try:
        yield
    except (OSError, UnicodeError) as error:  # a name may have letters that this system's names cannot
        reason = error.strerror if isinstance(error, OSError) else error
        raise ExportError(
            f"'{path}' cannot be written ({reason}): choose a folder that exists and that you may write in."
        ) from error
