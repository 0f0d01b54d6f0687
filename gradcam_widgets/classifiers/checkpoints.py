"""User-provided weight files."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gradcam_widgets._paths import expanded, is_file, is_folder
from gradcam_widgets.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

CHECKPOINTS_VARIABLE = "GRADCAM_WIDGETS_CHECKPOINTS"


def user_checkpoint(name: str) -> Path | None:
    """Return the path of `NAME.pth` in the folder set by `GRADCAM_WIDGETS_CHECKPOINTS`, or None if it does not exist.

    Raises:
        ModelError: If the variable is set, but not to a folder.
    """
    folder = os.environ.get(CHECKPOINTS_VARIABLE)
    if not folder:
        return None
    path = expanded(folder, ModelError)
    if not is_folder(path):
        raise ModelError(f"{CHECKPOINTS_VARIABLE} must be an existing folder, got '{folder}': change or unset it.")
    file = path / f"{name}.pth"
    return file if is_file(file) else None


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], list[str] | None]:
    """Return the state dict of a checkpoint, and its class names or None.

    Raises:
        ModelError: If the file is damaged or contains anything else.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"'{path}' contains more than weights, or is damaged: save only the model's state_dict() with torch.save."
        ) from error
    except Exception as error:  # torch raises many types for damaged files
        raise ModelError(f"Cannot read '{path}' as a torch.save file: download or save it again.") from error
    class_names = None
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        class_names = loaded.get("class_names")
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise ModelError(f"'{path}' does not contain a state dict: save the model's state_dict() with torch.save.")
    if class_names is not None and not (
        isinstance(class_names, (list, tuple)) and all(isinstance(class_name, str) for class_name in class_names)
    ):
        raise ModelError(f"class_names in '{path}' must be a list of strings: save one name per class.")
    return loaded, None if class_names is None else list(class_names)
