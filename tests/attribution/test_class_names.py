from __future__ import annotations

import pytest

from gradcam_widgets import TargetError
from gradcam_widgets.attribution.class_names import find_class

NAMES = ["tench", "aircraft carrier", "tiger", "tiger cat", "African elephant", "Indian elephant", "crane", "crane"]


@pytest.mark.parametrize(
    ("target", "index"),
    [
        (0, 0),
        ("3", 3),
        ("tiger", 2),
        ("TIGER", 2),
        ("carrier", 1),
        ("African_elephant", 4),
        ("  african   elephant ", 4),
    ],
)
def test_an_index_a_name_or_a_part_of_one_is_found(target: int | str, index: int) -> None:
    assert find_class(target, len(NAMES), NAMES) == index


def test_a_class_named_by_a_number_is_found_by_name_first() -> None:
    assert find_class("1", 2, ["1", "0"]) == 0
    assert find_class(1, 2, ["1", "0"]) == 1


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (8, "target must be a class index from 0 to 7 or a class name, got 8."),
        (-1, "from 0 to 7 or a class name, got -1."),
        ("99", "got 99."),
        (True, "got True."),
        (1.5, "got 1.5."),
        ("elephant", "African elephant (4), Indian elephant (5)"),
        ("crane", "crane (6), crane (7)"),
        ("tensh", "did you mean tench (0)?"),
        ("zzz", "target 'zzz' matches none of the 8 class names: use a class index"),
        ("", "target '' matches none"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_sentence(target: int | str, said: str) -> None:
    with pytest.raises(TargetError) as error:
        find_class(target, len(NAMES), NAMES)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_cannot_be_found_where_names_are_unknown() -> None:
    assert find_class("2", 3, None) == 2
    with pytest.raises(TargetError, match=r"use a class index or set class_names="):
        find_class("tench", 3, None)
