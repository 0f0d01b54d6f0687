"""`gradcam-widgets lab` and `demo`: the tutorials in JupyterLab, the panel in Voila."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gradcam_widgets._paths import is_file
from gradcam_widgets.errors import GradCAMError

PACKAGE = Path(__file__).parents[1]
if TYPE_CHECKING:
    import argparse

COPIES = Path("gradcam_tutorials")
FOLDER_VARIABLE = "GRADCAM_WIDGETS_FOLDER"
DEMO = PACKAGE / "panel" / "static" / "demo.ipynb"


def run(options: argparse.Namespace) -> int:
    """Run `lab` or `demo`."""
    if options.command == "demo":
        return demo(options.options)
    given = [options.notebook, *options.options] if options.notebook else options.options
    is_named = bool(given) and not given[0].startswith("-")  # behind `--` an option may stand in the notebook's place
    return lab(given[0] if is_named else None, given[1:] if is_named else given)


def tutorials() -> Path:
    """Return the folder of the tutorial notebooks: in an installed package its own, in a clone the clone's."""
    installed = PACKAGE / "tutorials"
    return installed if installed.is_dir() else PACKAGE.parent / "notebooks"


def copy_tutorials(folder: Path = COPIES) -> list[Path]:
    """Copy the tutorials into a folder to work in; a file that is there already is the user's own and stays.

    Returns:
        The copies.

    Raises:
        GradCAMError: If the folder cannot be written.
    """
    copies = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(tutorials().glob("*.ipynb")):
            target = folder / notebook.name
            if not target.exists():
                shutil.copyfile(notebook, target)
            copies.append(target)
    except OSError as error:
        raise GradCAMError(
            f"The lessons cannot be copied to '{folder.absolute()}' ({error.strerror}): "
            "change to a folder that you may write in."
        ) from error
    return copies


def lab(notebook: str | None, options: list[str]) -> int:
    """Open JupyterLab on copies of the tutorials, or on a notebook of one's own.

    Args:
        notebook: Path of a notebook, a tutorial's name or the beginning of it, or None for the first tutorial.
        options: Handed on to JupyterLab.

    Raises:
        GradCAMError: If JupyterLab is not installed, or there is no such notebook.
    """
    _needs("jupyterlab", "JupyterLab")
    return _run("jupyterlab", str(_find(notebook)), *options)


def demo(options: list[str]) -> int:
    """Open the panel alone, in Voila.

    Args:
        options: Handed on to Voila.

    Raises:
        GradCAMError: If Voila is not installed.
    """
    _needs("voila", "Voila")
    os.environ[FOLDER_VARIABLE] = str(Path.cwd())  # Voila starts a kernel in its notebook's folder
    return _run("voila", str(DEMO), *options)


def _find(notebook: str | None) -> Path:
    if notebook is not None and is_file(notebook):
        return Path(notebook)
    copies = copy_tutorials()
    found = [copy for copy in copies if notebook is None or copy.name.startswith(notebook)]
    if not found:
        names = ", ".join(copy.stem for copy in copies)
        raise GradCAMError(f"There is no notebook {notebook!r}: give the path of one, or a tutorial's name ({names}).")
    return found[0]


def _needs(module: str, name: str) -> None:
    if find_spec(module) is None:
        raise GradCAMError(f"{name} is not installed: pip install 'gradcam-widgets[lab]'.")


def _run(module: str, *arguments: str) -> int:
    try:
        return subprocess.call([sys.executable, "-m", module, *arguments])  # noqa: S603 - the user's own command
    except KeyboardInterrupt:  # how a server is stopped; it has stopped by itself
        return 0
