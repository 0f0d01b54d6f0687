"""Helpers for user-supplied paths: home folders, permissions, undecodable names and write errors."""

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
    """Return the path with a leading ~ replaced by the home folder.

    Raises:
        GradCAMError: As `error`, if the home folder is unknown, as in a container without a user database.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise error(f"Cannot expand ~ in '{path}': the home folder is unknown; use an absolute path.") from None


def is_file(path: str | os.PathLike[str]) -> bool:
    """Return whether the path is an accessible file; pathlib raises if a parent folder is not accessible."""
    return os.path.isfile(path)  # noqa: PTH113 - for that reason


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Return whether the path is an accessible folder; pathlib raises if its parent is not accessible."""
    return os.path.isdir(path)  # noqa: PTH112 - for that reason


def legible(path: str | os.PathLike[str]) -> str:
    """Return a printable path; bytes that are not valid UTF-8 become replacement characters."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert the system's errors while writing a file into an `ExportError`."""
    try:
        yield
    except (OSError, UnicodeError) as error:  # UnicodeError: the file system cannot encode the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise ExportError(
            f"Cannot write '{path}' ({reason}): choose an existing folder with write permission."
        ) from error
