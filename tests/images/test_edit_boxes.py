from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gradcam_widgets.errors import OptionError
from gradcam_widgets.images.box import Box
from gradcam_widgets.images.edits import GRAY, Edit, as_edits, edited

BOX = Box(8, 4, 28, 19)


@pytest.mark.parametrize(
    "box",
    [
        (8, 4, 28, 19),
        [8.0, 4.0, 28.0, 19.0],
        json.loads("[8.0, 4, 28.0, 19]"),
        tuple(np.array(BOX)),
        tuple(np.array(BOX, np.float32)),
        np.array(BOX),
        Box(*map(np.int64, BOX)),  # type: ignore[arg-type]
    ],
)
@pytest.mark.parametrize("kind", ["crop", "gray", "blur"])
def test_a_box_of_any_numbers_becomes_one_of_int(box: Any, kind: str) -> None:
    image = np.random.default_rng(5).integers(0, 256, (30, 50, 3), dtype=np.uint8)
    for given in ((kind, box), {"kind": kind, "box": box}, [kind, box]):
        (edit,) = as_edits([given])
        assert edit == (kind, BOX)
        assert isinstance(edit, Edit)
        assert isinstance(edit.box, Box)
        assert {type(side) for side in edit.box} == {int}
        assert json.loads(json.dumps(edit)) == [kind, list(BOX)]
        shown, window = edited(image, [edit])
        if kind == "crop":
            assert np.array_equal(shown, image[4:19, 8:28])
            assert window == BOX
        elif kind == "gray":
            assert (shown[4:19, 8:28] == GRAY).all()
        assert not np.array_equal(shown, image)


@pytest.mark.parametrize(
    "box",
    [
        (float("nan"), 0, 9, 9),
        (0, 0, float("inf"), 9),
        (0, float("-inf"), 9, 9),
        json.loads("[0, 0, 1e999, 9]"),
        ("a", 0, 9, 9),
        (0, 0, 9),
        (0, 0, 9, 9, 9),
        (None, 0, 9, 9),
        5,
    ],
)
def test_a_box_that_is_none_is_refused_in_one_sentence(box: Any) -> None:
    with pytest.raises(OptionError, match=r"edits must contain Edit\(kind, Box\("):
        as_edits([("crop", box)])
