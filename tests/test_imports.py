from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

HEAVY = ("torch", "matplotlib", "ipywidgets", "anywidget", "torchvision", "pooch", "IPython")
ROOMS = (
    "attribution", "classifiers", "evaluation", "heatmaps", "images", "panel", "samples", "samples.models",
    "samples.scenes", "samples.training", "view",
)  # fmt: skip


def loaded_after(code: str) -> set[str]:
    asked = f"import sys; {code}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return set(done.stdout.split())


def test_the_probe_sees_what_is_loaded() -> None:
    assert "matplotlib" in loaded_after("import matplotlib")


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import gradcam_widgets") == set()


@pytest.mark.slow
def test_the_engine_needs_torch_alone() -> None:
    assert loaded_after("from gradcam_widgets import GradCAM; GradCAM") == {"torch"}


@pytest.mark.parametrize("room", ["images", "heatmaps"])
def test_a_room_without_torch_loads_none(room: str) -> None:
    code = f"import gradcam_widgets.{room} as room; [getattr(room, name) for name in room.__all__]"
    assert loaded_after(code) <= {"matplotlib"}


@pytest.mark.slow
def test_export_loads_no_widget() -> None:
    loaded = loaded_after("import gradcam_widgets.cli.export, gradcam_widgets.cli.question")
    assert "torch" in loaded
    assert not {"ipywidgets", "anywidget"} & loaded


def test_help_loads_nothing_heavy() -> None:
    code = "from gradcam_widgets.cli import main\ntry: main([])\nexcept SystemExit: pass"
    assert loaded_after(f"exec({code!r})") == set()


@pytest.mark.parametrize("module", ["page", "traits", "wire", "modules"])
def test_a_page_needs_neither_widgets_nor_torch(module: str) -> None:
    assert loaded_after(f"import gradcam_widgets.view.{module}") == set()
    assert loaded_after("from gradcam_widgets.view import export_page") == set()


def test_the_widget_loads_when_it_is_used() -> None:
    loaded = loaded_after("from gradcam_widgets.view import HeatmapView")
    assert {"ipywidgets", "anywidget"} <= loaded
    assert not {"torch", "torchvision", "pooch"} & loaded


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Classifier", "Preprocessing", "load_classifier", "comparison_figure"])
def test_no_widget_loads_with(name: str) -> None:
    loaded = loaded_after(f"import gradcam_widgets; assert gradcam_widgets.{name}.__name__ == {name!r}")
    assert "ipywidgets" not in loaded


@pytest.mark.parametrize("room", ["", *(f".{room}" for room in ROOMS)])
def test_every_public_name_is_there_and_listed(room: str) -> None:
    module = importlib.import_module(f"gradcam_widgets{room}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert dir(module) == sorted(module.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = module.nonsense
