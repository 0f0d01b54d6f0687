"""How outputs of lessons are compared: notebooks/conftest.py."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.lessons import COMPARISON, LESSONS, joined, outputs, read, run, words

if TYPE_CHECKING:
    from pathlib import Path

_spec = importlib.util.spec_from_file_location("comparison", COMPARISON)
assert _spec is not None
assert _spec.loader is not None
comparison = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(comparison)


def differs(stated: str, found: str) -> bool:
    """Say whether the comparison tells two texts apart."""
    assert stated != found
    apart = comparison.differences(stated, found)
    return apart is None or any(difference.distance > difference.unit for difference in apart)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("0.0725", "0.0726"),
        ("0.999", "1.00"),  # the coarser side has two decimals
        ("-0.00", "0.00"),
        ("0.00", "-0.01"),
        ("1.25e-05", "1.26e-05"),
        ("9.999e-05", "1.000e-04"),
        ("peak (8, 3) | 97.47 % positive", "peak (8, 3) | 97.48 % positive"),
        ("energy  9.99", "energy 10.00"),  # a column is filled with one space more or less
        ("logit 23.134) and -1.5, 2.", "logit 23.135) and -1.4, 2."),
    ],
)
def test_a_decimal_number_may_move_by_one_unit_of_its_last_digit(stated: str, found: str) -> None:
    assert not differs(stated, found)
    assert not differs(found, stated)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("0.0725", "0.0727"),
        ("0.998", "1.00 "),
        ("0.99", "1.01"),
        ("0.5", "-0.5"),
        ("1.25e-05", "1.25e-06"),
        ("peak (8, 3)", "peak (8, 4)"),
        ("7×7", "8×8"),
        ("32 %", "33 %"),
        ("60 channels", "61 channels"),
        ("100 %", "99.9 %"),  # an integer stays an integer
        ("0", "0.0"),
        ("4e-08", "9e-08"),
        ("layer4.1", "layer4.2"),
        ("features.12", "features.13"),
        ("torch 2.15.0", "torch 2.15.1"),
        ("0.5em", "0.6em"),
        ("submarine 0.82", "carrier 0.82"),
        ("0.82 0.17", "0.82"),
        ("0.82\n0.17", "0.82 0.17"),
        ("nan", "0.0"),
        ("a, b", "a,b"),
    ],
)
def test_nothing_else_may_move(stated: str, found: str) -> None:
    assert differs(stated, found)
    assert differs(found, stated)


def test_a_difference_says_by_how_much() -> None:
    (apart,) = comparison.differences("peak 0.25 here", "peak 0.75 here")
    assert str(apart) == "committed 0.25, got 0.75: differs by 0.50, at most 0.01 allowed"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_decimal_of_a_lesson_is_red_two_units_off(lesson: Path) -> None:
    """Nothing that the lessons print hides from the comparison: each digit of each text is changed in turn."""
    texts = [words(output) for output in outputs(read(lesson))]
    assert any(comparison.DECIMAL.search(text) for text in texts)
    for text in texts:
        pieces = comparison.DECIMAL.split(text)
        for i, piece in enumerate(pieces):
            if i % 2:
                moved = [
                    comparison.Decimal(piece) + sign * 2 * comparison.Difference(piece, piece).unit for sign in (1, -1)
                ]
                changes = [f"{number:f}" if "e" not in piece else f"{number:E}".lower() for number in moved]
            else:
                changes = [f"{piece[:at]}{(int(piece[at]) + 1) % 10}{piece[at + 1 :]}" for at in digits(piece)]
            for change in changes:
                assert differs(text, "".join([*pieces[:i], change, *pieces[i + 1 :]])), (piece, change)


def digits(text: str) -> list[int]:
    return [at for at, letter in enumerate(text) if letter.isdecimal()]


def cell(source: str, *shown: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": source, "outputs": list(shown)}


def printed(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def result(text: str) -> dict[str, Any]:
    return {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": text}}


def test_nbval_uses_it_and_says_what_differs_and_by_how_much(tmp_path: Path) -> None:
    cells = [
        cell("print('p 0.820')", printed("p 0.821\n")),
        cell("0.5", result("0.6")),
        cell("print('p 0.820')", printed("p 0.850\n")),
        cell("0.5", result("0.9")),
        cell("print(0.5)\n0.25", printed("0.5\n"), result("0.25")),
        cell("print(7)", printed("8\n")),
        cell("0.5"),  # an output more than is committed
        cell("None", result("0.5")),  # and one fewer
    ]
    lesson = tmp_path / "numbers.ipynb"
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    lesson.write_text(json.dumps(notebook), encoding="utf-8")
    done = run(lesson, tmp_path / "run", {}, compare=True)
    assert done.failed == (3, 4, 6, 7, 8), done.log
    assert "committed 0.850, got 0.820: differs by 0.030, at most 0.001 allowed" in done.log
    assert "numbers.ipynb::Cell 0: committed 0.821, got 0.820: differs by 0.001, at most 0.001 allowed" in done.log
    assert "Cell 1: committed 0.6, got 0.5: differs by 0.1, at most 0.1 allowed" in done.log


def test_a_strict_run_takes_place_in_the_scene_source(tmp_path: Path) -> None:
    source = "import os\nos.environ['GRADCAM_WIDGETS_SOURCE']"
    lesson = tmp_path / "source.ipynb"
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell(source, result("'scenes'"))]}
    lesson.write_text(json.dumps(notebook), encoding="utf-8")
    assert not run(lesson, tmp_path / "run", {"GRADCAM_WIDGETS_SOURCE": "photos"}, compare=True).failed
    assert joined(read(lesson)["cells"][0]["source"]) == source
