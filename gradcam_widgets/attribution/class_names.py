"""Lookup of class indices by class name."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from gradcam_widgets._choices import suggestion
from gradcam_widgets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_class(target: int | str, count: int | None, class_names: Sequence[str] | None) -> int:
    """Return the index of a class.

    Args:
        target: Class index, digits, class name or unique part of a class name, ignoring case.
        count: Number of class scores, or None if unknown.
        class_names: Names of the classes, or None if unknown.

    Raises:
        TargetError: If the class is out of range, unknown (with suggestions) or ambiguous (with the candidates).
    """
    if isinstance(target, str) and (target in (class_names or ()) or not target.strip().isdecimal()):
        return _find_name(target, class_names)
    try:
        index = int(target) if isinstance(target, str) else operator.index(target)
    except TypeError:
        index = -1
    if isinstance(target, bool) or index < 0 or (count is not None and index >= count):
        indices = "a non-negative class index" if count is None else f"a class index from 0 to {count - 1}"
        raise TargetError(f"target must be {indices} or a class name, got {target}.")
    return index


def _find_name(target: str, class_names: Sequence[str] | None) -> int:
    if not class_names:
        raise TargetError(
            f"Cannot find target {target!r}: the class names are unknown; use a class index or set class_names=[…]."
        )
    normalized = [class_name.casefold().replace("_", " ") for class_name in class_names]
    name = " ".join(target.casefold().replace("_", " ").split())
    exact = [i for i, class_name in enumerate(normalized) if class_name == name]
    matches = exact or [i for i, class_name in enumerate(normalized) if name and name in class_name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = ", ".join(f"{class_names[i]} ({i})" for i in matches[:6])
        more = f" and {len(matches) - 6} more" if len(matches) > 6 else ""
        raise TargetError(
            f"target {target!r} is ambiguous, it matches {shown}{more}: use the index or a longer part of the name."
        )
    hint = suggestion(
        name,
        class_names,
        "use a class index or a name in class_names.",
        show=lambda class_name: f"{class_name} ({class_names.index(class_name)})",
    )
    raise TargetError(f"target {target!r} matches none of the {len(class_names)} class names: {hint}")
