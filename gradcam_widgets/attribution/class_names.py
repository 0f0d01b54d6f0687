"""From what a person calls a category to its index."""

from __future__ import annotations

import difflib
import operator
from typing import TYPE_CHECKING

from gradcam_widgets.errors import CategoryError

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_category(wanted: int | str, count: int | None, categories: Sequence[str] | None) -> int:
    """Resolve an index, a category's exact name or a part of it that only one has.

    Args:
        wanted: Index, digits, name or part of a name, in any case.
        count: Number of class scores, or None where it is not known.
        categories: Their names, or None where they are not known.

    Raises:
        CategoryError: If it is out of range, unknown (with suggestions) or ambiguous (with the candidates).
    """
    if isinstance(wanted, str) and (wanted in (categories or ()) or not wanted.strip().isdecimal()):
        return _find_name(wanted, categories)
    try:
        index = int(wanted) if isinstance(wanted, str) else operator.index(wanted)
    except TypeError:
        raise CategoryError(
            f"A category is given by its index or name, not by {type(wanted).__name__} {wanted!r}."
        ) from None
    if isinstance(wanted, bool) or index < 0 or (count is not None and index >= count):
        numbers = "classes are numbered from 0" if count is None else f"{count} classes are numbered 0 to {count - 1}"
        raise CategoryError(f"The network has no class {wanted}: its {numbers}.")
    return index


def _find_name(wanted: str, categories: Sequence[str] | None) -> int:
    if not categories:
        raise CategoryError(
            f"The categories' names are not known, so {wanted!r} cannot be found: give its index, or categories=[…]."
        )
    folded = [category.casefold() for category in categories]
    name = " ".join(wanted.casefold().replace("_", " ").split())
    exact = [i for i, category in enumerate(folded) if category.replace("_", " ") == name]
    matches = exact or [i for i, category in enumerate(folded) if name and name in category.replace("_", " ")]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = ", ".join(f"{categories[i]} ({i})" for i in matches[:6])
        more = f" and {len(matches) - 6} more" if len(matches) > 6 else ""
        raise CategoryError(f"{wanted!r} may be {shown}{more}: give the index or more of the name.")
    close = [folded.index(match) for match in difflib.get_close_matches(name, folded, n=3, cutoff=0.55)]
    hint = f"did you mean {' or '.join(f'{categories[i]} ({i})' for i in close)}?" if close else "give its index."
    raise CategoryError(f"There is no category {wanted!r} among {len(categories)}: {hint}")
