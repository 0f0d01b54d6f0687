"""Weights in files of the user's own."""

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


def own_checkpoint(name: str) -> Path | None:
    """Return the file `NAME.pth` of the folder that the environment variable names, if there is one.

    Raises:
        ModelError: If the variable names no folder.
    """
    folder = os.environ.get(CHECKPOINTS_VARIABLE)
    if not folder:
        return None
    path = expanded(folder, ModelError)
    if not is_folder(path):
        raise ModelError(f"{CHECKPOINTS_VARIABLE} names '{folder}', which is no folder: set it to one, or unset it.")
    file = path / f"{name}.pth"
    return file if is_file(file) else None


def read_checkpoint(path: Path) -> tuple[dict[str, Tensor], list[str] | None]:
    """Read a state dict and, where the file has them, the names of its classes.

    Raises:
        ModelError: If the file holds anything else.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"'{path}' holds more than weights, or is damaged: save the model's state_dict() alone with torch.save."
        ) from error
    except Exception as error:  # damaged files make torch's readers raise nearly anything
        raise ModelError(f"'{path}' cannot be read as a file of torch.save: get it again.") from error
    class_names = None
    if isinstance(loaded, dict) and isinstance(loaded.get("state_dict"), dict):
        class_names = loaded.get("class_names")
        loaded = loaded["state_dict"]
    if not isinstance(loaded, dict) or not all(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise ModelError(f"'{path}' holds no state dict: save the model's state_dict() with torch.save.")
    if class_names is not None and not (
        isinstance(class_names, (list, tuple)) and all(isinstance(class_name, str) for class_name in class_names)
    ):
        raise ModelError(f"The classes in '{path}' are no list of names: save one string for each class.")
    return loaded, None if class_names is None else list(class_names)
