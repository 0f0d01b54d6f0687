from __future__ import annotations

import inspect
import math
from dataclasses import fields
from typing import Any, get_type_hints

import numpy as np
import pytest
from traitlets import TraitError

from gradcam_widgets import DisplayOptions, Heatmap, OptionError, comparison_figure
from gradcam_widgets.heatmaps.display import DisplayKeywords, resolve
from gradcam_widgets.view.traits import DISPLAY, DisplayTraits


def shown() -> Heatmap:
    image = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    return Heatmap(
        np.array([[0.0, 1.0, -2.0], [3.0, 0.5, 0.0]], np.float32), 0, "tench", 1.0, 0.5, "a", "b", None, image
    )


def test_keywords_for_type_checkers_are_the_fields() -> None:
    names = {field.name for field in fields(DisplayOptions)}
    assert len(names) == 7
    assert set(DisplayKeywords.__annotations__) == names
    assert get_type_hints(DisplayKeywords) == get_type_hints(DisplayOptions)


@pytest.mark.parametrize("function", [Heatmap.overlay, Heatmap.figure, Heatmap.export, comparison_figure])
def test_every_function_that_shows_a_map_takes_every_option(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    for field in fields(DisplayOptions):
        assert parameters[field.name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[field.name].default == field.default
    with pytest.raises(TypeError, match="nonsense"):
        resolve(None, {"nonsense": 1})  # type: ignore[typeddict-unknown-key]


def test_the_traits_are_the_fields_with_their_defaults() -> None:
    traits = DisplayTraits()
    assert set(DISPLAY) == {field.name for field in fields(DisplayOptions)} <= set(traits.trait_names())
    assert traits.display == DisplayOptions()
    traits.threshold, traits.colormap = 0.25, "jet"
    assert traits.display == DisplayOptions(threshold=0.25, colormap="jet")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("opacity", -0.1, "between 0 and 1, got -0.1"),
        ("opacity", math.nan, "between 0 and 1, got nan"),
        ("threshold", 1.0, r"in \[0, 1\), got 1"),
        ("threshold", math.nan, r"in \[0, 1\), got nan"),
        ("opacity", "a", "opacity must be a number, got 'a'"),
        ("vmax", "x", "vmax must be a number, got 'x'"),
        ("fade", "no", "fade must be True or False, got 'no'"),
        ("vmax", 0.0, "positive, finite number or None, got 0"),
        ("vmax", -1.0, "positive, finite number or None, got -1"),
        ("vmax", math.inf, "positive, finite number or None, got inf"),
        ("vmax", math.nan, "positive, finite number or None, got nan"),
        ("evidence", "pro", "^evidence must be 'for', 'against' or 'both', got 'pro'"),
        ("interpolation", "lanczos", "^interpolation must be 'cells', 'bilinear' or 'cubic', got 'lanczos'"),
        ("colormap", "rainbows", "got 'rainbows'; did you mean 'rainbow'"),
    ],
)
def test_an_option_out_of_its_range_is_refused_everywhere(name: str, value: Any, said: str) -> None:
    heatmap = shown()
    for ask in (
        lambda: DisplayOptions(**{name: value}),
        lambda: heatmap.overlay(**{name: value}),
        lambda: heatmap.figure(**{name: value}),
        lambda: comparison_figure([heatmap], **{name: value}),
    ):
        with pytest.raises(OptionError, match=said):
            ask()
    with pytest.raises((OptionError, TraitError), match=name):
        DisplayTraits(**{name: value})


def test_changes_are_made_to_the_options_given() -> None:
    jet = DisplayOptions(colormap="jet", threshold=0.3)
    assert resolve(jet, {"threshold": 0.0}) == DisplayOptions(colormap="jet")
    assert jet.changed() == {"threshold": 0.3, "colormap": "jet"}
    heatmap = shown()
    assert not np.array_equal(heatmap.overlay(display=jet), heatmap.overlay())
    assert np.array_equal(heatmap.overlay(display=jet), heatmap.overlay(colormap="jet", threshold=0.3))


def test_a_figure_takes_threshold_and_opacity() -> None:
    heatmap = shown()

    def overlay(**changes: Any) -> Any:
        figure = heatmap.figure(**changes)
        return figure.axes[2].get_images()[0].get_array()

    assert np.array_equal(overlay(threshold=0.5, opacity=1.0), heatmap.overlay(threshold=0.5, opacity=1.0))
    assert not np.array_equal(overlay(threshold=0.5), overlay())
