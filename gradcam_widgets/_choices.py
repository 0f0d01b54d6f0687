"""Validation of named choices, with suggestions for misspelled ones."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from gradcam_widgets.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gradcam_widgets.errors import GradCAMError

SIMILARITY = 0.7  # of difflib; at 0.62, "scorecam" would suggest "hirescam"


def suggestion(value: object, choices: Iterable[str], otherwise: str = "", *, show: Callable[[str], str] = repr) -> str:
    """Return a hint, "did you mean 'a' or 'b'?", with up to three similar choices, ignoring case.

    Args:
        value: The unknown value.
        choices: The known values.
        otherwise: Result if no choice is similar.
        show: Formats a choice.
    """
    by_folded: dict[str, str] = {}
    for choice in choices:
        by_folded.setdefault(choice.casefold(), choice)
    similar = difflib.get_close_matches(str(value).casefold(), by_folded, n=3, cutoff=SIMILARITY)
    return f"did you mean {_alternatives([show(by_folded[match]) for match in similar])}?" if similar else otherwise


def check_choice(
    parameter: str,
    value: str,
    choices: Sequence[str],
    *,
    registry: str = "",
    error: type[GradCAMError] = OptionError,
) -> None:
    """Raise an error that lists the choices unless the value is one of them.

    Args:
        parameter: Name of the checked parameter.
        value: Its value.
        choices: The allowed values.
        registry: Where users find the choices, if there are too many to list.
        error: Type of the error.

    Raises:
        GradCAMError: As `error`, if the value is not a choice.
    """
    if value in choices:
        return
    allowed = f"a name in {registry}" if registry else _alternatives([repr(choice) for choice in choices])
    hint = suggestion(value, choices)
    raise error(f"{parameter} must be {allowed}, got {value!r}{f'; {hint}' if hint else '.'}")


def _alternatives(choices: Sequence[str]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last
