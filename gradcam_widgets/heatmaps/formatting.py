"""Deterministic formatting of numbers."""

from __future__ import annotations


def format_significant(number: float) -> str:
    """Format a number with three significant figures, no -0, and an exponent only outside 1e-4…1e6."""
    text = f"{number:#.3g}"
    if "e" not in text:
        return text.rstrip(".") if float(text) else "0"
    return f"{number:.3g}" if abs(number) < 1 else f"{float(text):.0f}" if abs(number) < 1e6 else text


def decimal(number: float, decimals: int) -> str:
    """Format a number with a fixed number of decimals, and no -0."""
    return f"{round(number, decimals) + 0.0:.{decimals}f}"


def of_scale(number: float, scale: float) -> str:
    """Format a number to a thousandth of a scale or finer, so that noise far below the scale becomes zero."""
    exponent = int(f"{scale:.3e}".partition("e")[2])
    if -4 <= exponent < 4:
        return decimal(number, max(1, 3 - exponent))
    return f"{decimal(number / 10.0**exponent, 3)}e{exponent:+03d}"
