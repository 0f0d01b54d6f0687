from __future__ import annotations

import pytest
from matplotlib import colormaps

from gradcam_widgets import METHODS, MethodError, OptionError
from gradcam_widgets._choices import check_choice, suggestion


@pytest.mark.parametrize(
    ("value", "choices", "expected"),
    [
        ("gradcam", ("grad-cam", "cam"), "did you mean 'grad-cam'?"),
        ("GRADCAM", ("Grad-CAM", "cam"), "did you mean 'Grad-CAM'?"),
        ("layer4.3", ("layer4.1", "layer4.2", "stem"), "did you mean 'layer4.2' or 'layer4.1'?"),
        ("astronaut.png", ("photos/astronaut.png",), "did you mean 'photos/astronaut.png'?"),
        ("scorecam", ("grad-cam", "cam", "hirescam"), "list them."),
        ("nothing at all", ("dining table", "wall clock"), "list them."),
        ("", ("a",), "list them."),
        (3, ("4", "33"), "list them."),
        ("a", (), "list them."),
    ],
)
def test_only_similar_choices_are_suggested(value: object, choices: tuple[str, ...], expected: str) -> None:
    assert suggestion(value, choices, "list them.") == expected


def test_a_suggestion_is_shown_as_its_caller_shows_choices() -> None:
    assert suggestion("tensh", ["tench", "crab"], show=lambda name: f"{name} (0)") == "did you mean tench (0)?"


def test_no_more_than_three_choices_are_suggested() -> None:
    names = [f"layer{i}" for i in range(9)]
    assert suggestion("layer", names).count("'layer") == 3


def test_an_unknown_choice_is_an_error_with_all_choices() -> None:
    check_choice("evidence", "for", ("for", "against"))
    with pytest.raises(OptionError, match=r"^evidence must be 'for' or 'against', got 'pro'\.$"):
        check_choice("evidence", "pro", ("for", "against"))
    with pytest.raises(MethodError, match=r"^method must be 'grad-cam', 'cam' or 'hirescam', got 'scorecam'\.$"):
        check_choice("method", "scorecam", tuple(METHODS), error=MethodError)
    with pytest.raises(OptionError, match=r"^kind must be 'crop', got 'drop'; did you mean 'crop'\?$"):
        check_choice("kind", "drop", ("crop",))


def test_too_many_choices_to_list_are_named_by_their_registry() -> None:
    with pytest.raises(
        OptionError, match=r"^colormap must be a name in matplotlib\.colormaps, got 'virdis'; did you mean 'viridis', "
    ):
        check_choice("colormap", "virdis", tuple(colormaps), registry="matplotlib.colormaps")
