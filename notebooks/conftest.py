"""Compare the lessons' outputs by what they state: text exactly, a decimal number to one unit of its last digit.

nbval runs the lessons (`pytest --nbval notebooks/`) and compares outputs as text. Another processor adds the same
numbers in another order, and its last digit may come out one higher or lower; here that is no difference. Everything
else is: words, integers, indices, cells and counts. The committed outputs are those of the scenes, so a strict run
takes place there.
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

# Not a number: part of a name ("layer4.1"), of a version with two points ("2.15.0"), or followed by a letter ("0.5em").
DECIMAL = re.compile(r"((?<![\w.])[-+]?\d+\.\d+(?:e[-+]?\d+)?(?!\w|\.\d))")
SPACES = re.compile(" +")
SOURCE = "GRADCAM_WIDGETS_SOURCE"
CLOSE = pytest.StashKey[list[str]]()


class Difference(NamedTuple):
    """A decimal number that differs from the one in the committed output."""

    stated: str
    found: str

    @property
    def apart(self) -> Decimal:
        """How far the numbers are from each other."""
        return abs(Decimal(self.stated) - Decimal(self.found))

    @property
    def unit(self) -> Decimal:
        """One unit of the last digit of whichever has fewer decimals."""
        return max(Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)) for text in self)

    def __str__(self) -> str:
        """Say by how much they differ."""
        return f"{self.stated} is committed, {self.found} came out: {self.apart} apart, {self.unit} allowed"


def differences(stated: str, found: str) -> list[Difference] | None:
    """Return the decimal numbers that differ between two texts, or None where anything else does."""
    ours, theirs = ([SPACES.sub(" ", each) for each in DECIMAL.split(text)] for text in (stated, found))
    if len(ours) != len(theirs) or ours[::2] != theirs[::2]:
        return None
    return [Difference(*pair) for pair in zip(ours[1::2], theirs[1::2], strict=True) if pair[0] != pair[1]]


def texts(outputs: list[Any]) -> Iterator[tuple[tuple[str, int], dict[str, Any], str]]:
    """Yield every text of a cell's outputs: what nbval pairs it by, and the dictionary and key that hold it."""
    seen: defaultdict[str, int] = defaultdict(int)
    for output in outputs:
        places = [(output, "text")] if output["output_type"] == "stream" else []
        places += [(output["data"], kind) for kind in output.get("data", {}) if kind.startswith("text/")]
        for place, key in places:
            kind = output["name"] if key == "text" else key
            yield (kind, seen[kind]), place, key
            seen[kind] += 1


def compare(plain: Callable[..., bool]) -> Callable[..., bool]:
    """Return nbval's strict comparison behind one that forgives a unit of a decimal number's last digit."""

    def compare_outputs(cell: Any, test: list[Any], reference: list[Any], skip_compare: Any = None) -> bool:
        test = copy.deepcopy(test)
        committed = {which: place[key] for which, place, key in texts(reference)}
        close, far = [], []
        for which, place, key in texts(test):
            found = differences(committed[which], place[key]) if which in committed else None
            if found is not None and all(each.apart <= each.unit for each in found):
                close += found
                place[key] = committed[which]
            else:
                far += [each for each in found or [] if each.apart > each.unit]
        equal = plain(cell, test, reference, skip_compare)
        if equal:
            cell.config.stash[CLOSE] += [f"{cell.nodeid}: {each}" for each in close]
        else:
            cell.comparison_traceback += [str(each) for each in far]
        return equal

    return compare_outputs


def pytest_configure(config: pytest.Config) -> None:
    """Put the comparison in nbval's place, and a strict run into the scenes."""
    config.stash[CLOSE] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(IPyNbCell, "compare_outputs", compare(IPyNbCell.compare_outputs))
    if config.getoption("nbval", default=False):
        patch.setitem(os.environ, SOURCE, "scenes")
    config.add_cleanup(patch.undo)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """List the numbers that differ by no more than they state."""
    if config.stash[CLOSE]:
        terminalreporter.section("decimal numbers within one unit of their last digit")
        terminalreporter.write("".join(f"{line}\n" for line in config.stash[CLOSE]))
