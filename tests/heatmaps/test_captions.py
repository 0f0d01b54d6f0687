from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcam_widgets.heatmaps import captions
from gradcam_widgets.heatmaps.formatting import decimal, format_significant, of_scale
from gradcam_widgets.heatmaps.heatmap import Heatmap

VALUES = [[0.0, -1.0, 0.0], [2.0, 0.0, 6.0]]


def heatmap(values: Any = VALUES, **changes: Any) -> Heatmap:
    given: dict[str, Any] = {
        "values": np.asarray(values),
        "class_index": 2,
        "class_name": "tug",
        "logit": -0.0004,
        "probability": 0.98765,
        "layer": "features",
        "method": "hirescam",
    }
    return Heatmap(**{**given, **changes})


def blank(rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.zeros((rows, columns, 3), np.uint8)


# -- numbers


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1.00"),
        (-1.234, "-1.23"),
        (0.25, "0.250"),
        (12.345, "12.3"),
        (-99.95, "-100"),  # 99.95 in binary is a little more
        (123.0, "123"),
        (999.6, "1000"),
        (12345.0, "12300"),
        (-999999.0, "-1000000"),
        (1.5e6, "1.50e+06"),
        (0.0001, "0.000100"),
        (1.234e-5, "1.23e-05"),
        (-5e-7, "-5e-07"),
    ],
)
def test_three_figures_are_written_without_exponent_if_possible(number: float, text: str) -> None:
    assert format_significant(number) == text
    assert float(text) == pytest.approx(number, rel=0.0051)


@pytest.mark.parametrize(
    ("number", "decimals", "text"),
    [
        (0.0, 3, "0.000"),
        (-0.0, 3, "0.000"),
        (-0.0004, 3, "0.000"),
        (-0.0006, 3, "-0.001"),
        (0.125, 2, "0.12"),  # halves go to the even digit
        (0.375, 2, "0.38"),
        (-2.5, 0, "-2"),
        (99.9996, 3, "100.000"),
        (1e-9, 1, "0.0"),
    ],
)
def test_decimals_are_fixed_and_zero_has_no_sign(number: float, decimals: int, text: str) -> None:
    assert decimal(number, decimals) == text


@pytest.mark.parametrize(
    ("number", "scale", "text"),
    [
        (0.0, 0.0, "0.000"),
        (-1e-9, 1.0, "0.000"),
        (0.98765, 1.0, "0.988"),
        (-0.5, 20.0, "-0.50"),
        (123.45, 200.0, "123.5"),
        (123.45, 9000.0, "123.5"),
        (123.45, 10000.0, "0.012e+04"),
        (-0.00123456, 0.00123456, "-0.001235"),
        (0.000123456, 0.000123456, "0.0001235"),
        (-1e-14, 1.23e-5, "0.000e-05"),
        (1.23e-5, 1.23e-5, "1.230e-05"),
        (9.9996e-5, 9.9996e-5, "0.0001000"),  # the scale is 1.000e-04 when rounded
        (-2.5e12, 1e13, "-0.250e+13"),
    ],
)
def test_a_number_is_written_to_a_thousandth_of_its_scale(number: float, scale: float, text: str) -> None:
    assert of_scale(number, scale) == text
    assert abs(float(text) - number) <= 5.001e-4 * scale


# -- sentences


def test_the_summary_says_peak_center_and_share() -> None:
    # center of 2 at (1, 0) and 6 at (1, 2): column 12 / 8; share of 8 in 9
    assert heatmap().summary() == (
        "tug (2) | features 2×3 hirescam | -1.000 to 6.000 | peak (1, 2) | centroid (1.000, 1.500) | 88.89 % positive"
    )


def test_the_summary_says_that_nothing_is_positive() -> None:
    assert heatmap([[-3e-5, -1e-5]], class_name=None).summary() == (
        "class 2 | features 1×2 hirescam | -3.000e-05 to -1.000e-05 | no positive evidence"
    )


def test_zero_is_written_without_sign_in_summary_and_repr() -> None:
    made = heatmap([[-0.0, 1.0]])
    assert np.signbit(made.values[0, 0])
    assert "| 0.000 to 1.000 |" in made.summary()
    assert repr(made) == "Heatmap(tug (2), logit 0.000, features 1×2, hirescam)"


def test_the_caption_says_score_origin_scale_and_grid() -> None:
    made = heatmap(image=blank(64, 96), model="Pooled")
    assert made.caption() == (
        "tug (2), logit -0.000400, probability 0.988; Pooled, layer features, hirescam, scale 0 to 6.00, evidence for "
        "the class. 2×3 grid, one cell ≈ 32 px; receptive fields are larger. "
        "A map says where evidence is, not why."
    )


@pytest.mark.parametrize(
    ("evidence", "vmax", "text"),
    [
        ("for", None, "scale 0 to 6.00, evidence for the class"),
        ("against", None, "scale 0 to 1.00, evidence against the class"),
        ("both", None, "scale -6.00 to 6.00"),
        ("both", 2e-7, "scale -2e-07 to 2e-07"),
        ("for", 1234.0, "scale 0 to 1230, evidence for the class"),
    ],
)
def test_the_provenance_says_side_and_scale(evidence: Any, vmax: float | None, text: str) -> None:
    assert heatmap().provenance(evidence, vmax) == (
        f"layer features, hirescam, {text}. 2×3 grid; receptive fields are larger. "
        "A map says where evidence is, not why."
    )


@pytest.mark.parametrize(
    ("shape", "cell"), [((64, 96), "32 px"), ((50, 96), "32×25 px"), ((65, 97), "32 px"), ((224, 224), "75×112 px")]
)
def test_a_cell_has_its_width_and_height_in_pixels(shape: tuple[int, int], cell: str) -> None:
    assert f"2×3 grid, one cell ≈ {cell};" in captions.resolution(heatmap(image=blank(*shape)))


def test_a_model_without_a_name_is_left_out() -> None:
    assert captions.origin(heatmap()) == "layer features, hirescam"
    assert captions.origin(heatmap(model="Pooled")) == "Pooled, layer features, hirescam"


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ("for", "Evidence for tug (2) at layer features: strongest at the lower right"),
        ("against", "Evidence against tug (2) at layer features: strongest at the top"),
    ],
)
def test_the_description_says_where_each_side_lies(evidence: Any, said: str) -> None:
    values = [[0.0, -1.0, 0.0], [0.0, 0.0, 6.0]]  # one of six cells has all of either side
    assert heatmap(values).description(evidence) == f"{said}, more than half its maximum on 17 % of the image."


def test_the_description_of_a_side_without_evidence_says_none() -> None:
    assert heatmap([[0.0, 3.0]]).description("against") == "Evidence against tug (2) at layer features: none."
    assert heatmap([[0.0, 0.0]]).description("both") == "Evidence for and against tug (2) at layer features: none."
