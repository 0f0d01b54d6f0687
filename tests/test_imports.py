from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("matplotlib", "ipywidgets", "anywidget", "torch", "torchvision", "pooch", "IPython")


def loaded_after(code: str) -> set[str]:
    asked = f"import sys; {code}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return set(done.stdout.split())


def test_the_probe_sees_what_is_loaded() -> None:
    assert "matplotlib" in loaded_after("import matplotlib")


def test_importing_the_package_loads_nothing_large() -> None:
    assert loaded_after("import gradcam_widgets") == set()


def test_the_engine_loads_only_torch() -> None:
    assert loaded_after("from gradcam_widgets import METHODS, GradCAM, Layer, Prediction, Trace") == {"torch"}


@pytest.mark.parametrize("module", ["page", "traits", "wire", "modules"])
def test_whoever_writes_a_page_needs_neither_widgets_nor_torch(module: str) -> None:
    assert loaded_after(f"import gradcam_widgets.view.{module}") == set()
    assert loaded_after("from gradcam_widgets.view import write_page") == set()


def test_the_widget_loads_when_it_is_asked_for() -> None:
    loaded = loaded_after("from gradcam_widgets.view import HeatmapView")
    assert {"ipywidgets", "anywidget"} <= loaded
    assert not {"torch", "torchvision", "pooch"} & loaded


@pytest.mark.parametrize("name", ["Classifier", "Preprocessing", "load_classifier", "comparison_figure"])
def test_the_rest_loads_when_it_is_asked_for(name: str) -> None:
    loaded = loaded_after(f"import gradcam_widgets; assert gradcam_widgets.{name}.__name__ == {name!r}")
    assert "ipywidgets" not in loaded


def test_every_public_name_is_there_and_listed() -> None:
    import gradcam_widgets

    for name in gradcam_widgets.__all__:
        assert getattr(gradcam_widgets, name) is not None
        assert name in dir(gradcam_widgets)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = gradcam_widgets.nonsense
