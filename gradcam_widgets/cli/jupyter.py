"""`gradcam-widgets lab` and `demo`: open the tutorials in JupyterLab, or the panel in Voila."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from gradcam_widgets._paths import is_file
from gradcam_widgets.errors import ExportError, GradCAMError, OptionError

if TYPE_CHECKING:
    import argparse

PACKAGE = Path(__file__).parents[1]
COPIES = Path("gradcam_tutorials")
FOLDER_VARIABLE = "GRADCAM_WIDGETS_FOLDER"
DEMO = PACKAGE / "panel" / "static" / "demo.ipynb"


def run(options: argparse.Namespace) -> int:
    """Run `lab` or `demo`."""
    if options.command == "demo":
        return demo(options.options)
    arguments = [options.notebook, *options.options] if options.notebook else options.options
    has_notebook = bool(arguments) and not arguments[0].startswith("-")  # after `--`, argparse takes an option for it
    return lab(arguments[0] if has_notebook else None, arguments[1:] if has_notebook else arguments)


def tutorials() -> Path:
    """Return the folder of the tutorial notebooks: the installed package's, or the clone's."""
    installed = PACKAGE / "tutorials"
    return installed if installed.is_dir() else PACKAGE.parent / "notebooks"


def copy_tutorials(folder: Path = COPIES) -> list[Path]:
    """Copy the tutorials into a working folder, keeping existing files, which the user may have edited.

    Returns:
        Paths of all notebooks in the folder.

    Raises:
        ExportError: If the folder is not writable.
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
        raise ExportError(
            f"Cannot copy the tutorials to '{folder.absolute()}' ({error.strerror}); "
            "run the command in a writable folder."
        ) from error
    return copies


def lab(notebook: str | None, options: list[str]) -> int:
    """Open JupyterLab on a copy of a tutorial, or on any other notebook.

    Args:
        notebook: Path of a notebook, beginning of a tutorial's name, or None for the first tutorial.
        options: Passed on to JupyterLab.

    Returns:
        JupyterLab's exit code.

    Raises:
        GradCAMError: If JupyterLab is not installed.
        OptionError: If the notebook does not exist.
    """
    _check_installed("jupyterlab", "JupyterLab")
    return _run("jupyterlab", str(_find_notebook(notebook)), *options)


def demo(options: list[str]) -> int:
    """Open the panel alone, in Voila.

    Args:
        options: Passed on to Voila.

    Returns:
        Voila's exit code.

    Raises:
        GradCAMError: If Voila is not installed.
    """
    _check_installed("voila", "Voila")
    os.environ[FOLDER_VARIABLE] = str(Path.cwd())  # Voila runs the kernel in the notebook's folder
    return _run("voila", str(DEMO), *options)


def _find_notebook(notebook: str | None) -> Path:
    if notebook is not None and is_file(notebook):
        return Path(notebook)
    copies = copy_tutorials()
    matches = [copy for copy in copies if notebook is None or copy.name.startswith(notebook)]
    if not matches:
        names = ", ".join(copy.stem for copy in copies)
        raise OptionError(f"notebook must be the path of a notebook or a tutorial's name ({names}), got {notebook!r}.")
    return matches[0]


def _check_installed(module: str, name: str) -> None:
    if find_spec(module) is None:
        raise GradCAMError(f"{name} is not installed; run pip install 'gradcam-widgets[lab]'.")


def _run(module: str, *arguments: str) -> int:
    """Run a module in a child process and return its exit code; SIGTERM and Ctrl-C stop the child, too."""
    with subprocess.Popen([sys.executable, "-m", module, *arguments]) as child:  # noqa: S603 - the user's own command
        previous = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        try:
            code = child.wait()
        except KeyboardInterrupt:  # the usual way to stop a server
            child.terminate()
            child.wait()
            return 0
        finally:
            signal.signal(signal.SIGTERM, previous)
    return code if code >= 0 else 128 - code  # as shells report a signal
