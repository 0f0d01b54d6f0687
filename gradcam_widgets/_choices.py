"""Checks of names against what there is to choose from."""

from __future__ import annotations

from gradcam_widgets.errors import OptionError


def check_choice(what: str, given: str, choices: tuple[str, ...]) -> None:
    """Raise a `OptionError` that names the choices if what was given is none of them."""
    if given not in choices:
        shown = ", ".join(choices) if len(choices) < 20 else "one that matplotlib.colormaps lists"
        raise OptionError(f"There is no {what} {given!r}: choose {shown}.")
