"""From what a person calls a class to its index."""

from __future__ import annotations

import difflib
import operator
from typing import TYPE_CHECKING

from gradcam_widgets.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_class(wanted: int | str, count: int | None, class_names: Sequence[str] | None) -> int:
    """Resolve an index, a class's exact name or a part of it that only one has.

    Args:
        wanted: Index, digits, name or part of a name, in any case.
        count: Number of class scores, or None where it is not known.
        class_names: Their names, or None where they are not known.

    Raises:
        TargetError: If it is out of range, unknown (with suggestions) or ambiguous (with the candidates).
    """
    if isinstance(wanted, str) and (wanted in (class_names or ()) or not wanted.strip().isdecimal()):
        return _find_name(wanted, class_names)
    try:
        index = int(wanted) if isinstance(wanted, str) else operator.index(wanted)
    except TypeError:
        raise TargetError(
            f"A class is given by its index or name, not by {type(wanted).__name__} {wanted!r}."
        ) from None
    if isinstance(wanted, bool) or index < 0 or (count is not None and index >= count):
        numbers = "classes are numbered from 0" if count is None else f"{count} classes are numbered 0 to {count - 1}"
        raise TargetError(f"The model has no class {wanted}: its {numbers}.")
    return index


def _find_name(wanted: str, class_names: Sequence[str] | None) -> int:
    if not class_names:
        raise TargetError(
            f"The classes' names are not known, so {wanted!r} cannot be found: give its index, or classes=[…]."
        )
    folded = [class_name.casefold() for class_name in class_names]
    name = " ".join(wanted.casefold().replace("_", " ").split())
    exact = [i for i, class_name in enumerate(folded) if class_name.replace("_", " ") == name]
    matches = exact or [i for i, class_name in enumerate(folded) if name and name in class_name.replace("_", " ")]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = ", ".join(f"{class_names[i]} ({i})" for i in matches[:6])
        more = f" and {len(matches) - 6} more" if len(matches) > 6 else ""
        raise TargetError(f"{wanted!r} may be {shown}{more}: give the index or more of the name.")
    close = [folded.index(match) for match in difflib.get_close_matches(name, folded, n=3, cutoff=0.55)]
    hint = f"did you mean {' or '.join(f'{class_names[i]} ({i})' for i in close)}?" if close else "give its index."
    raise TargetError(f"There is no class {wanted!r} among {len(class_names)}: {hint}")
