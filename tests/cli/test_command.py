from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from typing_extensions import Self

import gradcam_widgets
from gradcam_widgets.classifiers.downloads import REGISTRY
from gradcam_widgets.cli import jupyter, main

# A server that takes a moment to stop cleanly, as JupyterLab does to stop its kernels.
STUB_SERVER = """
import os, pathlib, signal, sys, time
def stop(*_):
    time.sleep(0.3)
    pathlib.Path("stopped").touch()
    sys.exit(7)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("pid.new").write_text(str(os.getpid()))
os.replace("pid.new", "pid")
time.sleep(300)
"""


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An image, alone in the working directory, and a checkpoint in another folder."""
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("GRADCAM_WIDGETS_CHECKPOINTS", str(tmp_path / "checkpoints"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torchvision.models.squeezenet1_1(num_classes=3)
    state = {"state_dict": model.state_dict(), "class_names": ["red fox", "gray wolf", "gray seal"]}
    torch.save(state, tmp_path / "checkpoints" / "squeezenet1_1.pth")
    values = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(values).save("fox.png")
    return tmp_path / "work" / "fox.png"


def width(path: Path) -> int:
    with Image.open(path) as image:
        return image.size[0]


def test_explain_prints_predictions_and_summaries_with_a_figure(
    image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "fox.png", "--model", "squeezenet1_1", "--target", "red fox", "wolf"]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0] == "fox.png, seen by squeezenet1_1"
    assert len([line for line in lines if line.endswith(("(0)", "(1)", "(2)"))]) == 3
    assert any(line.startswith("red fox (0) | features.12 13×13 grad-cam | ") for line in lines)
    assert any(line.startswith("gray wolf (1) | features.12 13×13 grad-cam | ") for line in lines)
    assert lines[-1] == "figure: fox_gradcam.png"
    assert width(image.with_name("fox_gradcam.png")) > 1000


def test_explain_prints_json(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["explain", str(image), "--model", "squeezenet1_1", "-o", "seal.jpg", "--target", "seal", "--json"]) == 0
    )
    report = json.loads(capsys.readouterr().out)
    assert [p["class_index"] for p in report["predictions"]] == sorted(
        range(3), key=lambda i: -next(p["logit"] for p in report["predictions"] if p["class_index"] == i)
    )
    assert sum(p["probability"] for p in report["predictions"]) == pytest.approx(1)
    (shown,) = report["maps"]
    assert (shown["class_name"], shown["layer"], np.shape(shown["values"])) == ("gray seal", "features.12", (13, 13))
    assert report["figure"] == "seal.jpg"
    assert image.with_name("seal.jpg").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "wolf.png"], "There is no file 'wolf.png'"),
        (["explain", "fox.png", "--model", "squeezenet1_1", "--target", "gray"], "gray wolf (1), gray seal (2)"),
        (["explain", "fox.png", "--model", "squeezenet1_1", "--target", "7"], "from 0 to 2 or a class name, got 7"),
        (["explain", "fox.png", "--model", "squeezenet1_1", "--layer", "features.99"], "no layer 'features.99'"),
        (["explain", "fox.png", "--model", "squeezenet1_1", "--method", "grad cam"], "did you mean 'grad-cam'?"),
        (["explain", "fox.png", "--model", "squeezenet1_1", "--method", "cam"], "CAM requires global average pooling"),
        (
            ["explain", "fox.png", "--model", "squeezenet1_1", "--colormap", "hot pink"],
            "in matplotlib.colormaps, got 'hot pink'",
        ),
        (["explain", "fox.png", "--model", "squeezenet1_1", "-o", "fox.png"], "it is the input image"),
        (["explain", "fox.png", "--model", "squeezenet1_1", "-o", "fox.doc"], "unsupported extension; use .png"),
        (["explain", "sample:whale"], "sample must be one of submarine, elephants"),
        (["layers", "resnet81"], "did you mean"),
    ],
)
def test_bad_input_gets_one_sentence_and_writes_nothing(
    image: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    before = image.read_bytes()
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("gradcam-widgets: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert image.read_bytes() == before
    assert [file.name for file in image.parent.iterdir()] == ["fox.png"]


def test_layers_lists_blocks_with_grids_and_marks_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layers", "resnet18"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("resnet18, input 224×224: ")
    (default,) = [line for line in lines if line.startswith("  * ")]
    assert default.split()[1:5] == ["layer4.1", "7×7", "512×7×7", "block"]
    assert default.endswith("<- default: last spatial output, 7×7")
    assert main(["layers", "resnet18", "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > len(lines)


def test_fetch_prints_the_path_of_every_file(photo_source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(REGISTRY)
    for line, path in zip(lines, REGISTRY, strict=True):
        assert line.startswith("cached")
        assert str(photo_source / path) in line


def test_the_main_job_on_the_submarine_photograph(
    photo_source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(Path(gradcam_widgets.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "gradcam_widgets", "explain", "sample:submarine"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={
            **environment,
            "GRADCAM_WIDGETS_HOME": str(photo_source),
            "GRADCAM_WIDGETS_SOURCE": "auto",
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert "        0.832    23.13  submarine (833)\n        0.070    20.66  aircraft carrier (403)\n" in done.stdout
    found = re.search(
        r"submarine \(833\) \| features.12 13×13 grad-cam \| (\S+) to (\S+) \| peak \(8, 3\)", done.stdout
    )
    assert found
    assert [float(end) for end in found.groups()] == pytest.approx([-0.10, 0.93], abs=0.005)  # as published
    assert done.stderr == "Samples: photographs (from the cache).\n"
    assert width(tmp_path / "submarine_gradcam.png") > 1000


def test_a_missing_image_is_an_error_though_its_figure_exists(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image.with_name("wolf_gradcam.png").write_bytes(image.read_bytes())
    assert main(["explain", "wolf.png"]) == 2
    assert "There is no file 'wolf.png'" in capsys.readouterr().err


def test_caveats_evidence_and_resize_mode_reach_the_reader(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["explain", str(image), "--model", "squeezenet1_1", "--target", "0", "--json"]
    squashed, crop_box = (_report([*base, "--resize-mode", each], capsys) for each in ("squash", "crop"))
    assert squashed["maps"][0]["values"] != crop_box["maps"][0]["values"]
    for_it = image.with_name("fox_gradcam.png").read_bytes()
    _report([*base, "--resize-mode", "crop", "--evidence", "against"], capsys)
    assert image.with_name("fox_gradcam.png").read_bytes() != for_it


def _report(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(arguments) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_a_very_long_image_is_explained(image: Path) -> None:
    Image.fromarray(np.zeros((20, 8000, 3), np.uint8)).save("long.png")
    assert main(["explain", "long.png", "--model", "squeezenet1_1"]) == 0
    assert width(image.with_name("long_gradcam.png")) > 500


@pytest.mark.slow
def test_a_closed_pipe_is_no_error() -> None:
    code = "import sys; from gradcam_widgets.cli import main; sys.exit(main(['layers', 'resnet18', '--all']))"
    environment = {**os.environ, "PYTHONPATH": str(Path(gradcam_widgets.__file__).parents[1])}
    with subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_export_writes_a_page_with_a_layer_of_each_grid(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "fox.png", "--model", "squeezenet1_1", "--target", "seal", "red fox"]) == 0
    page = image.with_name("fox_gradcam.html")
    assert capsys.readouterr().out == f"page: fox_gradcam.html ({page.stat().st_size / 1000:.0f} kB)\n"
    data = json.loads(page.read_text(encoding="utf-8").split('id="data">')[1].split("</script>")[0])
    assert {tuple(each["grid"]) for each in data["maps"]} == {(55, 55), (27, 27), (13, 13)}
    assert {each["title"] for each in data["maps"]} == {"gray seal (2)", "red fox (0)"}
    assert data["layer"] == "features.12"


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Arguments of child processes, none of which is started."""
    calls: list[list[str]] = []

    class Child:
        def __init__(self, arguments: list[str]) -> None:
            calls.append(arguments)

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(subprocess, "Popen", Child)
    monkeypatch.setattr(jupyter, "find_spec", lambda _name: object())
    return calls


def test_lab_opens_copies_and_never_writes_over_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: list[list[str]]
) -> None:
    (tmp_path / "originals").mkdir()
    for name in ("00_start_here", "01_submarine"):
        (tmp_path / "originals" / f"{name}.ipynb").write_text("original", encoding="utf-8")
    monkeypatch.setattr(jupyter, "tutorials", lambda: tmp_path / "originals")
    monkeypatch.chdir(tmp_path)
    assert main(["lab"]) == 0
    mine = tmp_path / "gradcam_tutorials" / "01_submarine.ipynb"
    mine.write_text("mine", encoding="utf-8")
    assert main(["lab", "01", "--", "--no-browser"]) == 0
    assert main(["lab", "--", "--no-browser", "--port=8899"]) == 0
    assert mine.read_text(encoding="utf-8") == "mine"
    folder = Path("gradcam_tutorials")
    assert launched == [
        [sys.executable, "-m", "jupyterlab", str(folder / "00_start_here.ipynb")],
        [sys.executable, "-m", "jupyterlab", str(folder / "01_submarine.ipynb"), "--no-browser"],
        [sys.executable, "-m", "jupyterlab", str(folder / "00_start_here.ipynb"), "--no-browser", "--port=8899"],
    ]


def test_demo_opens_the_panel_in_voila(launched: list[list[str]]) -> None:
    assert main(["demo", "--", "--port=8899"]) == 0
    ((_, _, module, notebook, port),) = launched
    assert (module, port) == ("voila", "--port=8899")
    (cell,) = json.loads(Path(notebook).read_text(encoding="utf-8"))["cells"]
    assert "GradCAMPanel()" in "".join(cell["source"])


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launched: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("gradcam_tutorials").write_bytes(b"a file where the folder should be")
    assert main(["lab"]) == 2
    assert launched == []
    message = capsys.readouterr().err
    assert message.startswith(f"gradcam-widgets: Cannot copy the tutorials to '{tmp_path / 'gradcam_tutorials'}' (")
    assert message.endswith("); run the command in a writable folder.\n")


def test_a_missing_server_or_notebook_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jupyter, "find_spec", lambda _name: None)
    assert main(["demo"]) == 2
    assert (
        capsys.readouterr().err == "gradcam-widgets: Voila is not installed; run pip install 'gradcam-widgets[lab]'.\n"
    )
    monkeypatch.setattr(jupyter, "find_spec", lambda _name: object())
    assert main(["lab", "no_such_lesson"]) == 2
    assert capsys.readouterr().err.endswith(", got 'no_such_lesson'.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to forward")
def test_sigterm_stops_lab_and_its_server(tmp_path: Path) -> None:
    (tmp_path / "jupyterlab.py").write_text(STUB_SERVER, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(gradcam_widgets.__file__).parents[1])])
    with subprocess.Popen(
        [sys.executable, "-m", "gradcam_widgets", "lab"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}
    ) as lab:
        pid_file = tmp_path / "pid"
        for _ in range(600):
            if pid_file.exists():
                break
            time.sleep(0.1)
        server = int(pid_file.read_text(encoding="utf-8"))
        lab.terminate()
        assert lab.wait(timeout=60) == 7
    assert (tmp_path / "stopped").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server, 0)
