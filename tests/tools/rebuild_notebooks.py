"""Run the tutorials with rendered scenes and save their outputs: `python -m tests.tools.rebuild_notebooks [NAME …]`."""

from __future__ import annotations

import argparse
import os
import tempfile
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LIVE_VIEW = "application/vnd.jupyter.widget-view+json"
NOTEBOOKS = ROOT / "notebooks"


def rebuild(path: Path) -> None:
    """Run a notebook and save its outputs, without widget state and timing."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat is untyped
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", store_widget_state=False, record_timing=False
    ).execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        data = output.get("data", {})
        data.pop(LIVE_VIEW, None)  # so that front ends without the kernel show the image
        if "image/jpeg" in data:
            data.pop("image/png", None)  # the same image with five times the bytes
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]  # likewise
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def _joined(outputs: list[Any]) -> list[Any]:
    """Join consecutive stream outputs, whose splitting depends on timing."""
    joined: list[Any] = []
    for output in outputs:
        if joined and output.output_type == "stream" == joined[-1].output_type and output.name == joined[-1].name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", metavar="NAME", nargs="*", help="beginnings of file names, by default all")
    names = tuple(parser.parse_args().names)
    with tempfile.TemporaryDirectory() as empty:  # no cache and no weights, like a reader without internet
        os.environ |= {"GRADCAM_WIDGETS_SOURCE": "scenes", "GRADCAM_WIDGETS_HOME": empty, "TORCH_HOME": empty}
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            if not names or path.name.startswith(names):
                rebuild(path)


if __name__ == "__main__":
    main()
