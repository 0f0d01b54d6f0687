"""Speed of the panel in JupyterLab, compared with a widget that sends an image for every change.

Time from a menu change to the repaint, number and size of messages, for a ResNet-18 with random weights; size of an
exported page. Needs Chromium and `.[browser]`: `python -m tests.benchmarks.panel --runs 50`.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import tempfile
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
import torchvision
from playwright.sync_api import sync_playwright

from gradcam_widgets import Classifier, GradCAMPanel
from tests.browser.conftest import FLAGS, run_all
from tests.browser.driving import SECONDS, Driver, Watch
from tests.browser.servers import notebook, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELL = """
import cv2, ipywidgets, numpy as np, torch, torchvision
from gradcam_widgets import Classifier, GradCAMPanel
torch.manual_seed(0)
classifier = Classifier(torchvision.models.resnet18().eval(), name="resnet18")
noise = np.random.default_rng(0).integers(0, 256, (14, 14, 3), dtype=np.uint8)
image = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_CUBIC)
panel = GradCAMPanel(image, classifier)
trace = classifier.trace(image)
classes = [p.class_index for p in trace.predictions(10)]
image = ipywidgets.Image(width=224)
menu = ipywidgets.Dropdown(description="Peer class", options=classes)
opacity = ipywidgets.FloatSlider(0.75, min=0, max=1, step=0.01, description="Peer opacity")
def show(_=None):
    image.value = cv2.imencode(".png", trace.heatmap(menu.value).overlay(opacity=opacity.value)[..., ::-1])[1].tobytes()
menu.observe(show, "value"); opacity.observe(show, "value"); show()
peer = ipywidgets.VBox([menu, opacity, image])
"""
CHANGE = """async ([label, index, painted]) => {
    const labels = [...document.querySelectorAll("label")].filter((each) => each.textContent === label);
    const menu = document.getElementById(labels[0].htmlFor);
    const sign = () => painted === "canvas"
        ? document.querySelector(".gcw-frame canvas").dataset.seq
        : document.querySelector(".jupyter-widgets.widget-image").src;
    const before = sign(), start = performance.now();
    menu.selectedIndex = index;
    menu.dispatchEvent(new Event("change", {bubbles: true}));
    while (sign() === before) {
        if (performance.now() - start > 20000) throw new Error("no repaint");
        await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    if (painted !== "canvas") await document.querySelector(".jupyter-widgets.widget-image").decode();
    return performance.now() - start;
}"""
SLIDE = """async (value) => {
    const canvas = document.querySelector(".gcw-frame canvas");
    const before = canvas.dataset.paints, start = performance.now();
    const label = [...document.querySelectorAll("label")].find((each) => each.textContent === "Opacity");
    const range = document.getElementById(label.htmlFor);
    range.value = value;
    range.dispatchEvent(new Event("input", {bubbles: true}));
    while (canvas.dataset.paints === before) await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - start;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50)
    runs = parser.parse_args().runs
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        (folder / "notebooks").mkdir()
        notebook(folder / "notebooks" / "panel.ipynb", CELL, "panel", "peer")
        address = stack.enter_context(serving("lab", folder / "notebooks", folder))
        playwright = stack.enter_context(sync_playwright())
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1400, "height": 2000})
        page.set_default_timeout(SECONDS)
        watch = Watch(page)
        page.goto(f"{address}/lab/tree/panel.ipynb")
        run_all(page)
        Driver(page, watch).wait_until_painted()
        page.wait_for_selector(".jupyter-widgets.widget-image")
        measure(page, watch, runs)
        browser.close()
    print(f"exported page, 5 layers × 10 classes, 224 px: {exported_size() / 1000:.0f} kB")


def measure(page: Page, watch: Watch, runs: int) -> None:
    times: dict[str, list[float]] = {"panel": [], "image": [], "opacity": []}
    sizes: dict[str, list[int]] = {"panel": [], "image": []}
    messages = 0
    for i in range(runs):
        for name, label, painted in (("panel", "Class", "canvas"), ("image", "Peer class", "image")):
            start = len(watch.received)
            times[name].append(page.evaluate(CHANGE, [label, 0 if i % 2 else 1 + i // 2 % 5, painted]))
            page.wait_for_timeout(120)
            updates = [data for data in watch.received[start:] if b"comm_msg" in data]
            sizes[name].append(max(map(len, updates)))
        start = len(watch.comm_messages())
        times["opacity"].append(page.evaluate(SLIDE, (1 + i % 90) / 100))
        page.wait_for_timeout(50)
        messages += len(watch.comm_messages()) - start
    for name, text in (
        ("panel", "class change to repaint, this panel"),
        ("image", "class change to repaint, ipywidgets.Image"),
        ("opacity", "opacity step, this panel"),
    ):
        print(f"{text}: median {median(times[name]):.0f} ms, 95th percentile {quantiles(times[name], n=20)[-1]:.0f} ms")
    print(f"ratio of the medians, this panel to Image: {median(times['panel']) / median(times['image']):.2f}")
    for name, message_sizes in sizes.items():
        print(f"largest message of a class change, {name}: {median(message_sizes) / 1000:.1f} kB at the median")
    print(f"messages sent by {runs} opacity steps: {messages}")


def exported_size() -> int:
    torch.manual_seed(0)
    classifier = Classifier(torchvision.models.resnet18().eval(), name="resnet18")
    noise = np.random.default_rng(0).integers(0, 256, (14, 14, 3), dtype=np.uint8)
    image = cv2.resize(noise, (224, 224), interpolation=cv2.INTER_CUBIC)
    panel = GradCAMPanel(image, classifier)
    layers = ["layer1.0", "layer1.1", "layer2.1", "layer3.1", "layer4.1"]
    with tempfile.TemporaryDirectory() as folder:
        return panel.export_html(Path(folder) / "page.html", layers, list(range(10))).stat().st_size


if __name__ == "__main__":
    main()
