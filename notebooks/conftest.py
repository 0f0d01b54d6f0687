"""Comparison of the lessons' outputs: text exactly, decimal numbers to one unit of the last digit.

nbval runs the lessons (`pytest --nbval notebooks/`) and compares outputs as text. Other processors sum in another
order, which may change the last digit by one; that is tolerated here. Words, integers, indices, cells and counts must
be equal. The committed outputs are those of the rendered scenes, which a strict run therefore uses.
"""

from __future__ import annotations

import copy
import os
import re
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from nbval.plugin import IPyNbCell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# No match: part of a name ("layer4.1"), of a version with two points ("2.15.0"), or followed by a letter ("0.5em").
DECIMAL = re.compile(r"((?<![\w.])[-+]?\d+\.\d+(?:e[-+]?\d+)?(?!\w|\.\d))")
SPACES = re.compile(" +")
SOURCE = "GRADCAM_WIDGETS_SOURCE"
CLOSE = pytest.StashKey[list[str]]()


class Difference(NamedTuple):
    """A decimal number that differs from the one in the committed output."""

    stated: str
    actual: str

    @property
    def distance(self) -> Decimal:
        """The absolute difference of the numbers."""
        return abs(Decimal(self.stated) - Decimal(self.actual))

    @property
    def unit(self) -> Decimal:
        """One unit of the last digit of the number with fewer decimals."""
        return max(Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)) for text in self)

    def __str__(self) -> str:
        """Describe the difference."""
        return f"committed {self.stated}, got {self.actual}: differs by {self.distance}, at most {self.unit} allowed"


def differences(stated: str, actual: str) -> list[Difference] | None:
    """Return the decimal numbers that differ between two texts, or None if anything else differs."""
    ours, theirs = ([SPACES.sub(" ", part) for part in DECIMAL.split(text)] for text in (stated, actual))
    if len(ours) != len(theirs) or ours[::2] != theirs[::2]:
        return None
    return [Difference(*pair) for pair in zip(ours[1::2], theirs[1::2], strict=True) if pair[0] != pair[1]]


def texts(outputs: list[Any]) -> Iterator[tuple[tuple[str, int], dict[str, Any], str]]:
    """Yield every text of a cell's outputs: its key in nbval's comparison, and the dictionary and key that hold it."""
    seen: defaultdict[str, int] = defaultdict(int)
    for output in outputs:
        places = [(output, "text")] if output["output_type"] == "stream" else []
        places += [(output["data"], kind) for kind in output.get("data", {}) if kind.startswith("text/")]
        for place, key in places:
            kind = output["name"] if key == "text" else key
            yield (kind, seen[kind]), place, key
            seen[kind] += 1


def compare(plain: Callable[..., bool]) -> Callable[..., bool]:
    """Return nbval's strict comparison with a tolerance of one unit of a decimal number's last digit."""

    def compare_outputs(cell: Any, test: list[Any], reference: list[Any], skip_compare: Any = None) -> bool:
        test = copy.deepcopy(test)
        committed = {which: place[key] for which, place, key in texts(reference)}
        close, far = [], []
        for which, place, key in texts(test):
            pairs = differences(committed[which], place[key]) if which in committed else None
            if pairs is not None and all(difference.distance <= difference.unit for difference in pairs):
                close += pairs
                place[key] = committed[which]
            else:
                far += [difference for difference in pairs or [] if difference.distance > difference.unit]
        equal = plain(cell, test, reference, skip_compare)
        if equal:
            cell.config.stash[CLOSE] += [f"{cell.nodeid}: {difference}" for difference in close]
        else:
            cell.comparison_traceback += [str(difference) for difference in far]
        return equal

    return compare_outputs


def pytest_configure(config: pytest.Config) -> None:
    """Install the comparison, and select rendered scenes for strict runs."""
    config.stash[CLOSE] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(IPyNbCell, "compare_outputs", compare(IPyNbCell.compare_outputs))
    if config.getoption("nbval", default=False):
        patch.setitem(os.environ, SOURCE, "scenes")
    config.add_cleanup(patch.undo)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """List the tolerated differences."""
    if config.stash[CLOSE]:
        terminalreporter.section("decimal numbers within one unit of their last digit")
        terminalreporter.write("".join(f"{line}\n" for line in config.stash[CLOSE]))
