from __future__ import annotations

import pytest

from gradcam_widgets import TargetError
from gradcam_widgets.attribution.class_names import find_class

NAMES = ["tench", "aircraft carrier", "tiger", "tiger cat", "African elephant", "Indian elephant", "crane", "crane"]


@pytest.mark.parametrize(
    ("wanted", "index"),
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
def test_an_index_a_name_or_a_part_of_one_is_found(wanted: int | str, index: int) -> None:
    assert find_class(wanted, len(NAMES), NAMES) == index


def test_a_class_named_by_a_number_is_found_by_name_first() -> None:
    assert find_class("1", 2, ["1", "0"]) == 0
    assert find_class(1, 2, ["1", "0"]) == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (8, "no class 8: its 8 classes are numbered 0 to 7"),
        (-1, "no class -1"),
        ("99", "no class 99"),
        (True, "no class True"),
        (1.5, "not by float 1.5"),
        ("elephant", "African elephant (4), Indian elephant (5)"),
        ("crane", "crane (6), crane (7)"),
        ("tensh", "did you mean tench (0)?"),
        ("zzz", "no class 'zzz' among 8"),
        ("", "no class ''"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_sentence(wanted: int | str, said: str) -> None:
    with pytest.raises(TargetError) as error:
        find_class(wanted, len(NAMES), NAMES)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_name_cannot_be_found_where_names_are_unknown() -> None:
    assert find_class("2", 3, None) == 2
    with pytest.raises(TargetError, match="give its index, or classes="):
        find_class("tench", 3, None)
